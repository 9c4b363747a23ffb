"""The result of reading a source: everything, a part with the reason, or nothing.

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

# A few parcels may well be collected in one go. Twenty in one day are more likely a fault of the
# marketplace, and a second reading costs little.
SUSPICIOUS_DROP = 20
"""Number of orders from which a list that becomes empty within a day is read twice."""


class Departure(StrEnum):
    """How an order left the list of waiting orders."""

    RETURNED = "returned"
    """The seller collected it: the marketplace sets this status after the pick-up."""
    DELIVERED = "delivered"
    LOST = "lost"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    """Still shipped, but no longer marked as ready."""
    GONE = "gone"
    """The marketplace no longer knows it, or its status is unknown to us."""


@dataclass(frozen=True, slots=True)
class Complete:
    """Every order was read."""

    read_at: datetime
    orders: tuple[Order, ...]
    """Those that wait for the seller, by id."""
    departed: Mapping[int, Departure] = field(default_factory=dict)
    """Orders known to wait before that wait no longer, by id."""
    candidates: int = 0
    """Number of orders that might wait, and so were read one by one."""
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A part could not be read: these orders wait, but there may be more."""

    read_at: datetime
    orders: tuple[Order, ...]
    why: str
    """One sentence for a person, without secrets."""
    unread: tuple[int, ...] = ()
    """Ids of orders that may wait, but could not be read; empty if even the ids are unknown."""
    departed: Mapping[int, Departure] = field(default_factory=dict)
    candidates: int = 0
    calls: int = 0
    numbers: Mapping[int, str] = field(default_factory=dict)
    """Numbers shown to people of the `unread` orders whose number is not their id."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing usable was read."""

    read_at: datetime
    error: NotifierError
    calls: int = 0

    @property
    def why(self) -> str:
        """One sentence for a person, without secrets."""
        return str(self.error)


Reading = Complete | Incomplete | Failed


class Source(Protocol):
    """Where orders come from: the marketplace or a file."""

    server_time: datetime | None
    """The source's time in its first answer to the last reading; None if it sent none."""

    async def ask_time(self) -> datetime | None:
        """Return the source's time; None if it cannot be asked, or sends none."""

    async def read(self, known: Collection[int]) -> Reading:
        """Read the waiting orders; `known` are the ids that waited last time.

        A failure of the source is returned as `Failed`, never raised.
        """
