"""What one reading of a source gave: everything, a part with the reason, or nothing.

Only `Complete` without orders may be shown as "nothing to collect".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from notifier.domain.orders import Order
from notifier.errors import NotifierError

MANY = 20
"""From so many to none in a day is more likely a failure than true: it is looked at twice."""


class Departure(StrEnum):
    """How an order left the list of those that wait."""

    RETURNED = "returned"
    """The seller has collected it: the marketplace sets this status after the pick-up."""
    DELIVERED = "delivered"
    LOST = "lost"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    """Still shipped, but no longer marked as ready."""
    GONE = "gone"
    """The marketplace does not know it any more, or in a status we do not know."""


@dataclass(frozen=True, slots=True)
class Complete:
    """Every order was read. `orders` are those that wait for the seller, by id."""

    read_at: datetime
    orders: tuple[Order, ...]
    departed: Mapping[int, Departure] = field(default_factory=dict)
    """Of the orders known to wait before: how those went that wait no longer."""
    candidates: int = 0
    """How many orders might have waited, and so were read one by one."""
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Something could not be read: what is here is true, but there may be more."""

    read_at: datetime
    orders: tuple[Order, ...]
    why: str
    """One sentence for a person, without a secret in it."""
    unread: tuple[int, ...] = ()
    """Ids of orders that may wait, but could not be read; empty when not even that is known."""
    departed: Mapping[int, Departure] = field(default_factory=dict)
    candidates: int = 0
    calls: int = 0
    numbers: Mapping[int, str] = field(default_factory=dict)
    """What people call those of `unread` whose number is another one than their id."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing that could be used was read."""

    read_at: datetime
    error: NotifierError
    calls: int = 0

    @property
    def why(self) -> str:
        """One sentence for a person, without a secret in it."""
        return str(self.error)


Reading = Complete | Incomplete | Failed


class Source(Protocol):
    """Where orders come from: the marketplace, or whatever stands in for it."""

    server_time: datetime | None
    """What time it was for the source at its first answer to the last question, if it told."""

    async def ask_time(self) -> datetime | None:
        """What time it is for the source; None when it cannot be asked, or does not tell."""
        ...

    async def read(self, known: Collection[int]) -> Reading:
        """Read what waits now. `known` are the ids that waited last time; it never raises for
        a failure of the neighbour, but answers `Failed`."""
        ...
