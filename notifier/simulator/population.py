"""The orders a world begins with and those it ships later; and how each order's journey is drawn.

The shares are assumed, not known, and written down so that figures can be compared. An order
leaves `shipped` after one day (25 %), two days (35 %), three days (20 %), four to eight days at a
pick-up point (14 %), or it comes back (6 %).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from notifier.simulator.orders import DAY, DeliveryKind, Journey, SimulatedOrder, SimulatedStatus

LONGEST_TRANSIT_DAYS = 12
"""Longest usual time in `shipped`; only the rare return that waits for weeks takes longer."""


class Population(Protocol):
    """Source of a world's orders."""

    def first_day(self, seed: int, start: datetime) -> list[SimulatedOrder]:
        """Return the orders a world begins with, oldest shipment first."""
        ...

    def shipments(self, seed: int, start: datetime, day: int, first: int) -> list[SimulatedOrder]:
        """Return the shipments of the 24 hours up to `start` + `day` days, ids from `first` on."""
        ...

    @property
    def forgets_after(self) -> timedelta | None:
        """How long after leaving `shipped` an order is still known; None means for ever."""
        ...


def draw(dice: Random) -> Journey:
    """Draw the journey of one order by the assumed shares."""
    share = dice.random()
    if share < 0.80:
        days = 1 if share < 0.25 else 2 if share < 0.60 else 3
        return Journey(SimulatedStatus.DELIVERED, days)
    if share < 0.94:
        return Journey(SimulatedStatus.DELIVERED, dice.randint(4, 8), at_pickup_point_after=2)
    return draw_return(dice)


def draw_return(dice: Random) -> Journey:
    """Draw the journey of a parcel that comes back."""
    # A third is refused at the door; the rest waits at a pick-up point until day 7.
    refused = dice.randrange(3) == 0
    returning = dice.randint(2, 4) if refused else 7
    ready = returning + dice.randint(1, 3)
    share = dice.randrange(50)
    return Journey(
        # One in fifty is lost at the branch, one in fifty waits there for weeks.
        SimulatedStatus.LOST if share == 0 else SimulatedStatus.RETURNED,
        ends_after=ready + (dice.randint(14, 35) if share == 1 else dice.randint(1, 6)),
        at_pickup_point_after=None if refused else 2,
        returning_after=returning,
        ready_after=ready,
    )


def order_id(seed: int, number: int) -> int:
    """Return ten digits: a purchase number and, in the last two, the order within the purchase."""
    return (40_000_000 + seed % 50 * 1_000_000 + number) * 100 + 1


def _mall_delivery(dice: Random) -> DeliveryKind:
    return DeliveryKind.CLASSIC if dice.random() < 0.2 else DeliveryKind.SPECTRUM


def _office_hours(latest: datetime, dice: Random) -> datetime:
    """Draw an instant between 8 and 18 o'clock in the 24 hours up to `latest`."""
    instant = latest.replace(
        hour=dice.randrange(8, 18), minute=dice.randrange(60), second=dice.randrange(60)
    )
    return instant if instant <= latest else instant - DAY


@dataclass(frozen=True, slots=True)
class Crowd:
    """A fixed number of orders of each kind on the first day, and a daily number of shipments."""

    waiting: int = 0
    """Shipped, by MALL Delivery, ready to return."""
    under_way: int = 0
    """Shipped, by MALL Delivery, not ready."""
    coming_back: int = 0
    """Those of `under_way` that will be ready on the next day."""
    own_carrier: int = 0
    """Shipped by the seller's own carrier, so never ready."""
    departed: int = 0
    """Delivered or returned some days ago."""
    test: int = 0
    """Test orders that are ready: to be listed only on request."""
    shipped_per_day: int = 0

    @property
    def forgets_after(self) -> timedelta | None:
        """None: no order is forgotten."""
        return None

    def first_day(self, seed: int, start: datetime) -> list[SimulatedOrder]:
        """Return the requested number of orders of each kind."""
        dice = Random(f"first day/{seed}")
        # Ids grow with time, so the oldest shipment comes first.
        drafts = sorted(_drafts(self, dice), key=lambda draft: -draft.days)
        return [
            SimulatedOrder(
                order_id(seed, number),
                _office_hours(start - draft.days * DAY, dice),
                draft.journey,
                draft.delivery,
                draft.test,
            )
            for number, draft in enumerate(drafts)
        ]

    def shipments(self, seed: int, start: datetime, day: int, first: int) -> list[SimulatedOrder]:
        """Return `shipped_per_day` orders, a fifth more or less."""
        dice = Random(f"shipments/{seed}/{day}")
        count = round(self.shipped_per_day * dice.uniform(0.8, 1.2))
        return [
            SimulatedOrder(
                order_id(seed, first + number),
                _office_hours(start + day * DAY, dice),
                draw(dice),
                _mall_delivery(dice),
            )
            for number in range(count)
        ]


@dataclass(frozen=True, slots=True)
class Draft:
    """An order of the first day before it has an id, `days` after it was shipped."""

    journey: Journey
    days: int
    delivery: DeliveryKind
    test: bool = False


def _drafts(crowd: Crowd, dice: Random) -> Iterator[Draft]:
    kinds: tuple[tuple[int, Callable[[Random], Draft]], ...] = (
        (crowd.waiting, _waiting),
        (crowd.coming_back, _coming_back),
        (crowd.under_way - crowd.coming_back, _under_way),
        (crowd.own_carrier, lambda dice: replace(_under_way(dice), delivery=DeliveryKind.OWN)),
        (crowd.departed, _departed),
        (crowd.test, lambda dice: replace(_waiting(dice), test=True)),
    )
    for count, draft in kinds:
        for _ in range(count):
            yield draft(dice)


def _waiting(dice: Random) -> Draft:
    journey = draw_return(dice)
    days = dice.randrange(journey.ready_after or 0, journey.ends_after)
    return Draft(journey, days, _mall_delivery(dice))


def _coming_back(dice: Random) -> Draft:
    journey = draw_return(dice)
    return Draft(journey, (journey.ready_after or 1) - 1, _mall_delivery(dice))


def _under_way(dice: Random) -> Draft:
    # On a random day of a steady stream, a long journey is more likely to be in progress than a
    # short one. Drawing journey and day until they fit gives the right mixture.
    while True:
        journey, days = draw(dice), dice.randrange(LONGEST_TRANSIT_DAYS)
        if journey.status(days) is SimulatedStatus.SHIPPED and not journey.is_ready(days):
            return Draft(journey, days, _mall_delivery(dice))


def _departed(dice: Random) -> Draft:
    journey = draw(dice)
    return Draft(journey, journey.ends_after + dice.randrange(10), _mall_delivery(dice))


MEAN_DAYS = 3.085
"""Average number of days in `shipped`, by the assumed shares: 1, 2 and 3 days of 25, 35 and 20 %,
6 days of 14 %, and 11.59 days of the 6 % that come back."""

DAYS_BEFORE = 46
"""Number of days before the start that are played: more than the longest journey takes."""

CARRIER_KEYS = (("code", "status"), ("code", "status"), ("code",), ("status",))


@dataclass(frozen=True, slots=True)
class Season:
    """A seller with the same number of parcels in transit on every day of the year.

    The first day is like any other, because the weeks before it follow the same rules.
    """

    in_transit: int = 2_000
    """Number of shipped MALL Delivery orders, including those ready to return."""
    own_carrier_share: float = 0.1
    test_share: float = 0.001

    @property
    def forgets_after(self) -> timedelta | None:
        """Thirty days, enough for a month's statistics."""
        return 30 * DAY

    def first_day(self, seed: int, start: datetime) -> list[SimulatedOrder]:
        """Return the orders still shipped, and those that left in the last week."""
        left = [
            order
            for day in range(-DAYS_BEFORE, 1)
            for order in self.shipments(seed, start, day, 0)
            if start - order.shipped_at < (order.journey.ends_after + 7) * DAY
        ]
        return [replace(order, id=order_id(seed, number)) for number, order in enumerate(left)]

    def shipments(self, seed: int, start: datetime, day: int, first: int) -> list[SimulatedOrder]:
        """Return a day's parcels, a tenth more or less than the average."""
        # Seeded by the day alone, so that it does not matter how the days before were played.
        dice = Random(f"season/{seed}/{day}")
        per_day = self.in_transit / MEAN_DAYS * (1 + self.own_carrier_share)
        return [
            self._order(order_id(seed, first + number), start + day * DAY, dice)
            for number in range(round(per_day * dice.uniform(0.9, 1.1)))
        ]

    def _order(self, id_: int, latest: datetime, dice: Random) -> SimulatedOrder:
        own = dice.random() * (1 + self.own_carrier_share) < self.own_carrier_share
        return SimulatedOrder(
            id_,
            _office_hours(latest, dice),
            draw(dice),
            DeliveryKind.OWN if own else _mall_delivery(dice),
            test=dice.random() < self.test_share,
            nulls=dice.randrange(4) == 0,
            carrier_keys=CARRIER_KEYS[dice.randrange(len(CARRIER_KEYS))],
            newest_first=dice.randrange(2) == 0,
        )
