"""The calls that were made: each of them, and how many on each day."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import NamedTuple


class Call(NamedTuple):
    """One call that was made. `query` is without the client_id."""

    method: str
    path: str
    query: str


@dataclass(frozen=True, slots=True)
class DayOfCalls:
    """One day's calls, days being those of the limit (UTC)."""

    made: int = 0
    """All of ours, refused ones included."""
    refused: int = 0
    """Of those: how many were answered 429 because none was left."""
    refused_others: int = 0
    """Calls of the seller's other integrations that found none left, because of ours."""


@dataclass(slots=True)
class CallLog:
    """All calls of a world."""

    calls: list[Call] = field(default_factory=list)
    by_day: dict[date, DayOfCalls] = field(default_factory=dict)

    @property
    def made(self) -> int:
        """Since the world began."""
        return sum(day.made for day in self.by_day.values())

    def note(self, now: datetime, count: int = 1) -> None:
        """Count calls."""
        day = self._of(now)
        self.by_day[now.astimezone(UTC).date()] = replace(day, made=day.made + count)

    def note_limit(self, now: datetime, *, refused: int, refused_others: int) -> None:
        """Count refused calls, and say what the others are left without."""
        day = self._of(now)
        self.by_day[now.astimezone(UTC).date()] = replace(
            day, refused=day.refused + refused, refused_others=refused_others
        )

    def _of(self, now: datetime) -> DayOfCalls:
        return self.by_day.get(now.astimezone(UTC).date(), DayOfCalls())
