"""The world's own time, and how it is written in answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

Instants = Callable[[], datetime]


@dataclass(slots=True)
class Clock:
    """Time of one world: it stands still unless `source` runs, and can be moved on by days.

    With `stays`, moving on makes everything in the world older instead of its clock later. That
    is for a notifier on this machine's clock, which rightly refuses a marketplace whose `Date`
    is days away from its own.
    """

    source: Instants
    stays: bool = False
    _moved: timedelta = field(default_factory=timedelta)

    def move_on(self, days: int) -> None:
        """Let days pass."""
        self._moved += timedelta(days=days)

    @property
    def now(self) -> datetime:
        """The time this world tells, in UTC."""
        return self.shown(self.reached)

    @property
    def reached(self) -> datetime:
        """The time the orders have lived to; it differs from `now` only where `now` stays."""
        return self.source().astimezone(UTC) + self._moved

    def shown(self, lived: datetime) -> datetime:
        """An instant of an order's life, as this world tells it."""
        return lived - self._moved if self.stays else lived


def still(start: datetime) -> Instants:
    """A clock that stands at one instant."""

    def source() -> datetime:
        return start

    return source


@dataclass(frozen=True, slots=True)
class Stamps:
    """Writes instants as the marketplace does: local time of one zone, without an offset."""

    zone: tzinfo
    shown: Callable[[datetime], datetime]

    def moment(self, instant: datetime) -> str:
        """`Y-m-d H:i:s`."""
        return self._local(instant).isoformat(sep=" ")[:19]

    def day(self, instant: datetime) -> str:
        """`Y-m-d`."""
        return self._local(instant).date().isoformat()

    def _local(self, instant: datetime) -> datetime:
        return self.shown(instant).astimezone(self.zone)
