"""Orders of a world: what is stored of one, and how it is seen at an instant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from functools import cached_property

from notifier.simulator.clock import Stamps
from notifier.simulator.contents import Contents, contents
from notifier.simulator.lifecycle import DAY, Journey, SimulatedStatus

PACKING = timedelta(hours=3)


class Absent(Enum):
    """Stands for a key that an answer leaves out."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class SimulatedDelivery(StrEnum):
    """Who carries an order: MALL Delivery in one of its two forms, or the seller's own carrier."""

    CLASSIC = "classic"
    SPECTRUM = "spectrum"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class SimulatedOrder:
    """One order. What is in it follows from the world's seed and its id."""

    id: int
    shipped_at: datetime
    journey: Journey
    delivery: SimulatedDelivery = SimulatedDelivery.SPECTRUM
    test: bool = False
    status: str | None = None
    """Set by hand: it stays as it is, whatever the journey says."""
    ready: bool | None = None
    """Set by hand, likewise."""
    nulls: bool = False
    """Absent values are written as null instead of being left out; both have been seen."""
    carrier_keys: tuple[str, ...] = ("code", "status")
    """Under which of its two names the carrier's word stands; an old official client reads the
    second."""
    newest_first: bool = False
    """In which order its histories are; nobody promises one."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """Values set by hand, by the marketplace's names; `ABSENT` leaves the key out."""

    @property
    def mall_delivery(self) -> bool:
        """Whether MALL Delivery carries it."""
        return self.delivery is not SimulatedDelivery.OWN

    @property
    def opened_at(self) -> datetime:
        """When the buyer ordered: 4 to 20 hours before it was shipped."""
        return self.shipped_at - timedelta(hours=4 + self.id // 100 % 17)

    @property
    def shipping_at(self) -> datetime:
        """When the seller began to pack it."""
        return self.shipped_at - PACKING

    @property
    def departs_at(self) -> datetime | None:
        """When it leaves `shipped` by itself; None for what was set by hand."""
        if self.status is not None:
            return None
        return self.shipped_at + self.journey.ends_after * DAY

    def changes(self) -> Iterator[datetime]:
        """When its status or its flag changes by itself, also in days to come."""
        if self.status is not None:
            return
        yield self.opened_at
        yield self.shipping_at
        yield self.shipped_at
        if self.mall_delivery and self.journey.ready_after is not None:
            yield self.shipped_at + self.journey.ready_after * DAY
        yield self.shipped_at + self.journey.ends_after * DAY

    def days(self, at: datetime) -> int:
        """Whole days since it was shipped."""
        return (at - self.shipped_at) // DAY

    def status_at(self, at: datetime) -> str:
        """Status at an instant."""
        if self.status is not None:
            return self.status
        if at >= self.shipped_at:
            return self.journey.status(self.days(at))
        return SimulatedStatus.OPEN if at < self.shipping_at else SimulatedStatus.SHIPPING

    def is_ready_at(self, at: datetime) -> bool:
        """Whether it is marked as ready to return at an instant."""
        if self.ready is not None:
            return self.ready
        return self.mall_delivery and self.journey.is_ready(self.days(at))


REACHED: Mapping[str, tuple[SimulatedStatus, ...]] = {
    SimulatedStatus.BLOCKED: (SimulatedStatus.BLOCKED,),
    SimulatedStatus.OPEN: (SimulatedStatus.OPEN,),
    SimulatedStatus.CANCELLED: (SimulatedStatus.OPEN, SimulatedStatus.CANCELLED),
    SimulatedStatus.SHIPPING: (SimulatedStatus.OPEN, SimulatedStatus.SHIPPING),
    SimulatedStatus.SHIPPED: (
        SimulatedStatus.OPEN,
        SimulatedStatus.SHIPPING,
        SimulatedStatus.SHIPPED,
    ),
    SimulatedStatus.DELIVERED: (
        SimulatedStatus.OPEN,
        SimulatedStatus.SHIPPING,
        SimulatedStatus.SHIPPED,
        SimulatedStatus.DELIVERED,
    ),
    SimulatedStatus.LOST: (
        SimulatedStatus.OPEN,
        SimulatedStatus.SHIPPING,
        SimulatedStatus.SHIPPED,
        SimulatedStatus.LOST,
    ),
    SimulatedStatus.RETURNED: (
        SimulatedStatus.OPEN,
        SimulatedStatus.SHIPPING,
        SimulatedStatus.SHIPPED,
        SimulatedStatus.RETURNED,
    ),
}
"""Which statuses an order has been through, so which timestamps it has."""


@dataclass(frozen=True)
class VisibleState:
    """One order at one instant."""

    order: SimulatedOrder
    at: datetime
    stamps: Stamps
    seed: int

    @cached_property
    def status(self) -> str:
        """Its status now."""
        return self.order.status_at(self.at)

    @cached_property
    def ready(self) -> bool:
        """Whether it is marked as ready to return now."""
        return self.order.is_ready_at(self.at)

    @property
    def comes_back(self) -> bool:
        """Whether the carrier's history says that it is on its way back, or has been."""
        returning = self.order.journey.returning_after
        return returning is not None and self.order.shipped_at + returning * DAY <= self.at

    @cached_property
    def contents(self) -> Contents:
        """Who ordered what."""
        to_pickup_point = self.order.journey.at_pickup_point_after is not None
        return contents(self.seed, self.order.id, at_pickup_point=to_pickup_point)

    @cached_property
    def was_shipped(self) -> bool:
        """Whether it has been handed over, so that it has a tracking number."""
        return SimulatedStatus.SHIPPED in REACHED.get(self.status, (SimulatedStatus.SHIPPED,))

    @cached_property
    def moments(self) -> Mapping[str, datetime]:
        """When it came into each status it has been in."""
        return {status: self._since(status) for status in REACHED.get(self.status, ())}

    def _since(self, status: SimulatedStatus) -> datetime:
        order = self.order
        match status:
            case SimulatedStatus.OPEN | SimulatedStatus.BLOCKED:
                return order.opened_at
            case SimulatedStatus.SHIPPING | SimulatedStatus.CANCELLED:
                return order.shipping_at
            case SimulatedStatus.SHIPPED:
                return order.shipped_at
        return min(order.shipped_at + order.journey.ends_after * DAY, self.at)
