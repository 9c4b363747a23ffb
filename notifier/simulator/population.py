"""The orders a world begins with, those it ships later, and those a person sets by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from notifier.simulator.lifecycle import DAY, NEVER, Journey, SimulatedStatus, draw, draw_return
from notifier.simulator.orders import SimulatedDelivery, SimulatedOrder

READY_WORDS = frozenset({"true", "1"})
"""A flag may be written as a number or a text; a right client understands either."""

LONGEST_WAY = 12
"""Days; only the rare order that waits for weeks is shipped for longer."""


class Population(Protocol):
    """Whose orders a world has."""

    def first_day(self, seed: int, start: datetime) -> list[SimulatedOrder]:
        """The orders a world begins with, oldest shipment first."""
        ...

    def shipments(self, seed: int, start: datetime, day: int, first: int) -> list[SimulatedOrder]:
        """What is shipped in the 24 hours up to `start` + `day` days; `first` is the next
        number."""
        ...

    @property
    def forgets_after(self) -> timedelta | None:
        """How long after it left `shipped` an order is still known; None is for ever."""
        ...


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many orders of which kind a world begins with, and how many it ships a day later."""

    waiting: int = 0
    """Shipped, by MALL Delivery, ready to return."""
    under_way: int = 0
    """Shipped, by MALL Delivery, not ready."""
    coming_back: int = 0
    """Of those `under_way`: how many will certainly be ready the next day."""
    own_carrier: int = 0
    """Shipped by the seller's own carrier, so never ready."""
    departed: int = 0
    """Delivered or returned some days ago."""
    test: int = 0
    """Test orders that lie ready: to be listed only when asked for."""
    shipped_per_day: int = 0

    @property
    def forgets_after(self) -> timedelta | None:
        """Nothing is ever forgotten."""
        return None

    def first_day(self, seed: int, start: datetime) -> list[SimulatedOrder]:
        """So many of each kind as was asked for."""
        dice = Random(f"first day/{seed}")
        drafts = sorted(_drafts(self, dice), key=lambda draft: -draft.days)
        return [
            SimulatedOrder(
                order_id(seed, number),
                daytime(start - draft.days * DAY, dice),
                draft.journey,
                draft.delivery,
                draft.test,
            )
            for number, draft in enumerate(drafts)
        ]

    def shipments(self, seed: int, start: datetime, day: int, first: int) -> list[SimulatedOrder]:
        """About as many each day."""
        dice = Random(f"shipments/{seed}/{day}")
        count = round(self.shipped_per_day * dice.uniform(0.8, 1.2))
        return [
            SimulatedOrder(
                order_id(seed, first + number),
                daytime(start + day * DAY, dice),
                draw(dice),
                carried(dice),
            )
            for number in range(count)
        ]


@dataclass(frozen=True, slots=True)
class Draft:
    """An order of the first day, before it has an id."""

    journey: Journey
    days: int
    delivery: SimulatedDelivery
    test: bool = False


def order_id(seed: int, number: int) -> int:
    """Ten digits: a purchase and, in the last two, which of its orders this is."""
    return (40_000_000 + seed % 50 * 1_000_000 + number) * 100 + 1


def _drafts(crowd: Crowd, dice: Random) -> Iterator[Draft]:
    kinds: tuple[tuple[int, Callable[[Random], Draft]], ...] = (
        (crowd.waiting, _waiting),
        (crowd.coming_back, _coming_back),
        (crowd.under_way - crowd.coming_back, _under_way),
        (crowd.own_carrier, _own_carrier),
        (crowd.departed, _departed),
        (crowd.test, _test),
    )
    for count, draft in kinds:
        for _ in range(count):
            yield draft(dice)


def _waiting(dice: Random) -> Draft:
    journey = draw_return(dice)
    days = dice.randrange(journey.ready_after or 0, journey.ends_after)
    return Draft(journey, days, carried(dice))


def _coming_back(dice: Random) -> Draft:
    journey = draw_return(dice)
    return Draft(journey, (journey.ready_after or 1) - 1, carried(dice))


def _under_way(dice: Random) -> Draft:
    """One of a steady stream: whoever takes longer is met more often."""
    while True:
        journey, days = draw(dice), dice.randrange(LONGEST_WAY)
        if journey.status(days) is SimulatedStatus.SHIPPED and not journey.is_ready(days):
            return Draft(journey, days, carried(dice))


def _own_carrier(dice: Random) -> Draft:
    return replace(_under_way(dice), delivery=SimulatedDelivery.OWN)


def _departed(dice: Random) -> Draft:
    journey = draw(dice)
    return Draft(journey, journey.ends_after + dice.randrange(10), carried(dice))


def _test(dice: Random) -> Draft:
    return replace(_waiting(dice), test=True)


def carried(dice: Random) -> SimulatedDelivery:
    """By which form of MALL Delivery it goes."""
    return SimulatedDelivery.CLASSIC if dice.random() < 0.2 else SimulatedDelivery.SPECTRUM


def daytime(latest: datetime, dice: Random) -> datetime:
    """An instant in the 24 hours up to `latest`, between 8 and 18 o'clock."""
    instant = latest.replace(
        hour=dice.randrange(8, 18), minute=dice.randrange(60), second=dice.randrange(60)
    )
    return instant if instant <= latest else instant - DAY


def by_hand(order_id: int, at: datetime, fields: Mapping[str, object]) -> SimulatedOrder:
    """An order as a test wants it: it was shipped twelve days ago, and does not move by itself.

    `fields` are the marketplace's names; those that are not given are made up.
    """
    given = fields.get("status")
    status = given if isinstance(given, str) else SimulatedStatus.SHIPPED
    ready = str(fields.get("ready_to_return")).lower() in READY_WORDS
    return SimulatedOrder(
        order_id,
        at - timedelta(days=12),
        _set_journey(status, ready),
        delivery=_set_delivery(fields),
        test=fields.get("test") is True,
        status=status,
        ready=ready,
        # An id that is written strangely is shown so.
        fields={key: value for key, value in fields.items() if key != "id" or value != order_id},
    )


def _set_journey(status: str, ready: bool) -> Journey:
    if status == SimulatedStatus.DELIVERED:
        return Journey(SimulatedStatus.DELIVERED, 2)
    if status in {SimulatedStatus.RETURNED, SimulatedStatus.LOST}:
        return Journey(SimulatedStatus(status), 11, returning_after=6, ready_after=8)
    if ready:
        return Journey(SimulatedStatus.RETURNED, NEVER, returning_after=6, ready_after=8)
    return Journey(SimulatedStatus.DELIVERED, NEVER, at_pickup_point_after=2)


def _set_delivery(fields: Mapping[str, object]) -> SimulatedDelivery:
    if fields.get("mdp") is False:
        return SimulatedDelivery.OWN
    return (
        SimulatedDelivery.CLASSIC
        if fields.get("mdp_classic") is True
        else SimulatedDelivery.SPECTRUM
    )


def marked(order: SimulatedOrder, at: datetime, *, ready: bool) -> SimulatedOrder:
    """The order with its flag set by hand; from now on it does not move by itself."""
    days = order.days(at)
    back = max(days - 2, 0) if ready else order.journey.returning_after
    journey = replace(
        order.journey,
        ends_as=SimulatedStatus.RETURNED,
        ends_after=NEVER,
        returning_after=back,
        ready_after=days if ready else None,
    )
    return replace(
        order,
        journey=journey,
        status=order.status_at(at),
        ready=ready,
        fields=_without(order.fields, "ready_to_return"),
    )


def moved(order: SimulatedOrder, at: datetime, status: str) -> SimulatedOrder:
    """The order in a status set by hand; from now on it does not move by itself."""
    journey = order.journey
    if status in {SimulatedStatus.DELIVERED, SimulatedStatus.RETURNED, SimulatedStatus.LOST}:
        journey = replace(journey, ends_as=SimulatedStatus(status), ends_after=order.days(at))
    return replace(
        order,
        journey=journey,
        status=status,
        ready=order.is_ready_at(at),
        fields=_without(order.fields, "status"),
    )


def _without(fields: Mapping[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in fields.items() if key != name}
