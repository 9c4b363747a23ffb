"""Orders: their planned journey, what is stored of them, and their state at one instant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from functools import cached_property

from notifier.simulator.catalogue import Contents, contents

DAY = timedelta(days=1)
NEVER = 100_000
"""Number of days that no simulated world reaches."""
PACKING = timedelta(hours=3)
TRUE_WORDS = frozenset({"true", "1"})
"""Accepted texts of a true flag: a tolerant client also reads a flag sent as number or text."""


class Absent(Enum):
    """Type of `ABSENT`, which stands for a key that is left out of an answer."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class SimulatedStatus(StrEnum):
    """Status of an order, in the marketplace's words."""

    BLOCKED = "blocked"
    OPEN = "open"
    SHIPPING = "shipping"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    DELIVERED = "delivered"
    LOST = "lost"
    RETURNED = "returned"


FINAL = frozenset({SimulatedStatus.DELIVERED, SimulatedStatus.RETURNED, SimulatedStatus.LOST})
_TO_SHIPPED = (SimulatedStatus.OPEN, SimulatedStatus.SHIPPING, SimulatedStatus.SHIPPED)

STATUS_HISTORY: Mapping[str, tuple[SimulatedStatus, ...]] = {
    SimulatedStatus.BLOCKED: (SimulatedStatus.BLOCKED,),
    SimulatedStatus.OPEN: (SimulatedStatus.OPEN,),
    SimulatedStatus.CANCELLED: (SimulatedStatus.OPEN, SimulatedStatus.CANCELLED),
    SimulatedStatus.SHIPPING: (SimulatedStatus.OPEN, SimulatedStatus.SHIPPING),
    SimulatedStatus.SHIPPED: _TO_SHIPPED,
    **{status: (*_TO_SHIPPED, status) for status in FINAL},
}
"""Statuses an order has had, by its present status; an answer has a timestamp for each."""


class DeliveryKind(StrEnum):
    """Carrier of an order: MALL Delivery in one of its two forms, or the seller's own carrier."""

    CLASSIC = "classic"
    SPECTRUM = "spectrum"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Journey:
    """Course of one order, in whole days after it was shipped; None means "does not happen"."""

    ends_as: SimulatedStatus
    ends_after: int
    at_pickup_point_after: int | None = None
    returning_after: int | None = None
    ready_after: int | None = None

    def status(self, days: int) -> SimulatedStatus:
        """Return the status a number of days after shipping."""
        return self.ends_as if days >= self.ends_after else SimulatedStatus.SHIPPED

    def is_ready(self, days: int) -> bool:
        """Return whether the parcel is back at the branch and the seller has not collected it."""
        return self.ready_after is not None and self.ready_after <= days < self.ends_after

    @property
    def attempted_after(self) -> int | None:
        """Day of the first delivery attempt; None for a parcel sent to a pick-up point."""
        if self.at_pickup_point_after is not None:
            return None
        return self.ends_after if self.returning_after is None else self.returning_after


@dataclass(frozen=True, slots=True)
class SimulatedOrder:
    """One stored order. Its contents follow from the world's seed and its id."""

    id: int
    shipped_at: datetime
    journey: Journey
    delivery: DeliveryKind = DeliveryKind.SPECTRUM
    test: bool = False
    status: str | None = None
    """Status set by hand, which replaces that of the journey."""
    ready: bool | None = None
    """Ready flag set by hand, which replaces that of the journey."""
    nulls: bool = False
    """Whether absent values are written as null instead of left out; both have been observed."""
    carrier_keys: tuple[str, ...] = ("code", "status")
    """Keys that hold the carrier's code; an old official client reads `status`."""
    newest_first: bool = False
    """Whether histories begin with the newest event; their order is not documented."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """Values set by hand, under the marketplace's names; `ABSENT` leaves the key out."""

    @classmethod
    def set_by_hand(
        cls, order_id: int, at: datetime, fields: Mapping[str, object], *, nulls: bool
    ) -> SimulatedOrder:
        """Return an order with these fields, shipped twelve days before `at`, that never moves."""
        given = fields.get("status")
        status = given if isinstance(given, str) else SimulatedStatus.SHIPPED
        ready = str(fields.get("ready_to_return")).lower() in TRUE_WORDS
        return cls(
            order_id,
            at - 12 * DAY,
            _journey_to(status, ready),
            delivery=_delivery_kind(fields),
            test=fields.get("test") is True,
            status=status,
            ready=ready,
            nulls=nulls,
            # An id that is not simply the number, such as "77", is answered as it was given.
            fields={
                key: value for key, value in fields.items() if (key, value) != ("id", order_id)
            },
        )

    def with_ready(self, at: datetime, *, ready: bool) -> SimulatedOrder:
        """Return the order with its flag set by hand; its journey ends there."""
        days = self.days(at)
        # The carrier's history must show a return before the order is ready.
        journey = replace(
            self.journey,
            ends_as=SimulatedStatus.RETURNED,
            ends_after=NEVER,
            returning_after=max(days - 2, 0) if ready else self.journey.returning_after,
            ready_after=days if ready else None,
        )
        fields = {key: value for key, value in self.fields.items() if key != "ready_to_return"}
        status = self.status_at(at)
        return replace(self, journey=journey, status=status, ready=ready, fields=fields)

    def with_status(self, at: datetime, status: str) -> SimulatedOrder:
        """Return the order in a status set by hand; its journey ends there."""
        journey = self.journey
        if status in FINAL:
            journey = replace(journey, ends_as=SimulatedStatus(status), ends_after=self.days(at))
        fields = {key: value for key, value in self.fields.items() if key != "status"}
        ready = self.is_ready_at(at)
        return replace(self, journey=journey, status=status, ready=ready, fields=fields)

    @property
    def mall_delivery(self) -> bool:
        """Whether MALL Delivery carries it."""
        return self.delivery is not DeliveryKind.OWN

    @property
    def opened_at(self) -> datetime:
        """Time of the buyer's order: 4 to 20 hours before shipping."""
        return self.shipped_at - timedelta(hours=4 + self.id // 100 % 17)

    @property
    def shipping_at(self) -> datetime:
        """Time at which the seller began to pack it."""
        return self.shipped_at - PACKING

    @property
    def ends_at(self) -> datetime:
        """Time at which its journey takes it out of `shipped`."""
        return self.shipped_at + self.journey.ends_after * DAY

    def changes(self) -> Iterator[datetime]:
        """Yield the times, past and future, at which its journey changes its status or flag."""
        if self.status is not None:
            return
        yield self.opened_at
        yield self.shipping_at
        yield self.shipped_at
        if self.mall_delivery and self.journey.ready_after is not None:
            yield self.shipped_at + self.journey.ready_after * DAY
        yield self.ends_at

    def days(self, at: datetime) -> int:
        """Return the number of whole days since it was shipped."""
        return (at - self.shipped_at) // DAY

    def status_at(self, at: datetime) -> str:
        """Return its status at an instant."""
        if self.status is not None:
            return self.status
        if at >= self.shipped_at:
            return self.journey.status(self.days(at))
        return SimulatedStatus.OPEN if at < self.shipping_at else SimulatedStatus.SHIPPING

    def is_ready_at(self, at: datetime) -> bool:
        """Return whether it is marked as ready to return at an instant."""
        if self.ready is not None:
            return self.ready
        return self.mall_delivery and self.journey.is_ready(self.days(at))


def _journey_to(status: str, ready: bool) -> Journey:
    # Histories are derived from the journey, so it must fit the status set by hand.
    if status == SimulatedStatus.DELIVERED:
        return Journey(SimulatedStatus.DELIVERED, 2)
    if status in FINAL:
        return Journey(SimulatedStatus(status), 11, returning_after=6, ready_after=8)
    if ready:
        return Journey(SimulatedStatus.RETURNED, NEVER, returning_after=6, ready_after=8)
    return Journey(SimulatedStatus.DELIVERED, NEVER, at_pickup_point_after=2)


def _delivery_kind(fields: Mapping[str, object]) -> DeliveryKind:
    if fields.get("mdp") is False:
        return DeliveryKind.OWN
    return DeliveryKind.CLASSIC if fields.get("mdp_classic") is True else DeliveryKind.SPECTRUM


@dataclass(frozen=True)
class OrderView:
    """One order at one instant."""

    order: SimulatedOrder
    at: datetime
    seed: int
    local: Callable[[datetime], datetime]
    """Converts an instant of the order's life to the local time that answers show."""

    @cached_property
    def status(self) -> str:
        """Present status."""
        return self.order.status_at(self.at)

    @cached_property
    def ready(self) -> bool:
        """Whether it is now marked as ready to return."""
        return self.order.is_ready_at(self.at)

    @property
    def comes_back(self) -> bool:
        """Whether the carrier's history contains a return, in progress or finished."""
        returning = self.order.journey.returning_after
        return returning is not None and self.order.shipped_at + returning * DAY <= self.at

    @cached_property
    def contents(self) -> Contents:
        """Buyer, items and parcels."""
        to_pickup_point = self.order.journey.at_pickup_point_after is not None
        return contents(self.seed, self.order.id, at_pickup_point=to_pickup_point)

    @cached_property
    def was_shipped(self) -> bool:
        """Whether the carrier has received it, so that it has a tracking number."""
        # An undocumented status set by hand counts as shipped.
        return SimulatedStatus.SHIPPED in STATUS_HISTORY.get(self.status, _TO_SHIPPED)

    def entered(self, status: SimulatedStatus) -> datetime | None:
        """Return when it entered a status; None when it never did."""
        if status not in STATUS_HISTORY.get(self.status, ()):
            return None
        match status:
            case SimulatedStatus.OPEN | SimulatedStatus.BLOCKED:
                return self.order.opened_at
            case SimulatedStatus.SHIPPING | SimulatedStatus.CANCELLED:
                return self.order.shipping_at
            case SimulatedStatus.SHIPPED:
                return self.order.shipped_at
        return min(self.order.ends_at, self.at)
