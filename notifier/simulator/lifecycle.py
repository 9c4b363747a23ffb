"""What becomes of a parcel once it is shipped. All values are drawn once and never change.

The shares are assumed, not known; they are written down so that figures can be compared: an
order leaves `shipped` after one day (25 %), two days (35 %), three days (20 %), four to eight
days at a pick-up point (14 %), or it comes back (6 %).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random

DAY = timedelta(days=1)
NEVER = 100_000
"""Days after which no world is looked at any more."""


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


class Carrier(StrEnum):
    """Codes of `consignment_status_history`."""

    CREATED = "CREATED"
    RECEIVED = "RECEIVED"
    DELIVERING = "DELIVERING"
    READY_FOR_PICKUP = "READY_FOR_PICKUP"
    DELIVERED = "DELIVERED"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class Journey:
    """The way of one order, in whole days after it was shipped; None is "does not happen"."""

    ends_as: SimulatedStatus
    ends_after: int
    at_pickup_point_after: int | None = None
    returning_after: int | None = None
    ready_after: int | None = None

    def status(self, days: int) -> SimulatedStatus:
        """Status so many days after shipping."""
        return self.ends_as if days >= self.ends_after else SimulatedStatus.SHIPPED

    def is_ready(self, days: int) -> bool:
        """Whether the parcel lies at the filing branch and the seller has not collected it."""
        return self.ready_after is not None and self.ready_after <= days < self.ends_after

    @property
    def attempted_after(self) -> int | None:
        """When the carrier first tried to hand it over; a pick-up point does not count."""
        if self.at_pickup_point_after is not None:
            return None
        return self.ends_after if self.returning_after is None else self.returning_after


def draw(dice: Random) -> Journey:
    """One order's way, by the assumed shares."""
    share = dice.random()
    if share < 0.80:
        days = 1 if share < 0.25 else 2 if share < 0.60 else 3
        return Journey(SimulatedStatus.DELIVERED, days)
    if share < 0.94:
        return Journey(SimulatedStatus.DELIVERED, dice.randint(4, 8), at_pickup_point_after=2)
    return draw_return(dice)


def draw_return(dice: Random) -> Journey:
    """The way of a parcel that comes back: refused (one in three) or stored until day 7."""
    refused = dice.randrange(3) == 0
    returning = dice.randint(2, 4) if refused else 7
    ready = returning + dice.randint(1, 3)
    ends_as, waits = _end_of_return(dice)
    return Journey(
        ends_as,
        ends_after=ready + waits,
        at_pickup_point_after=None if refused else 2,
        returning_after=returning,
        ready_after=ready,
    )


def _end_of_return(dice: Random) -> tuple[SimulatedStatus, int]:
    """How it ends at the filing branch, and how many days it lies there before."""
    share = dice.randrange(50)
    if share == 0:
        return SimulatedStatus.LOST, dice.randint(1, 6)
    if share == 1:
        return SimulatedStatus.RETURNED, dice.randint(14, 35)
    return SimulatedStatus.RETURNED, dice.randint(1, 6)


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """One entry of the carrier's history, at a time after (or before) shipping."""

    code: Carrier
    after: timedelta
    flags: tuple[str, ...] = ()


LAST_EVENTS = {
    SimulatedStatus.DELIVERED: (Carrier.DELIVERED, ()),
    SimulatedStatus.RETURNED: (Carrier.RETURNED, ()),
    SimulatedStatus.LOST: (Carrier.LOST, ("lost",)),
}


def carrier_events(journey: Journey) -> list[CarrierEvent]:
    """The carrier's whole history of a parcel, oldest first, including what is yet to happen."""
    return sorted(_carrier_events(journey), key=lambda event: event.after)


def _carrier_events(journey: Journey) -> Iterator[CarrierEvent]:
    yield CarrierEvent(Carrier.CREATED, -timedelta(hours=3))
    yield CarrierEvent(Carrier.RECEIVED, timedelta(hours=4))
    yield CarrierEvent(Carrier.DELIVERING, timedelta(hours=16))
    if journey.at_pickup_point_after is not None:
        yield CarrierEvent(Carrier.READY_FOR_PICKUP, journey.at_pickup_point_after * DAY)
    if journey.returning_after is not None:
        yield CarrierEvent(Carrier.RETURNING, journey.returning_after * DAY)
    if journey.ends_as in LAST_EVENTS:
        code, flags = LAST_EVENTS[journey.ends_as]
        yield CarrierEvent(code, journey.ends_after * DAY, flags)
