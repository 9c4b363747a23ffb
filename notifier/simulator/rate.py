"""How many calls an account has left. One figure for all of `/v1/orders`, in fixed windows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random

SECONDS_OF_A_DAY = 86_400
GENEROUS = 1_000_000
"""The figure of a world in which calls are not scarce."""


@dataclass(slots=True)
class RateLimit:
    """Calls of one account in windows that begin at multiples of their length since 1970.

    `others` is what the seller's other integrations call in a window, a fifth more or less,
    evenly from its beginning to its end.
    """

    limit: int = GENEROUS
    window_seconds: int = SECONDS_OF_A_DAY
    others: int = 0
    _window: int = -1
    _used: int = 0
    _others: int = 0

    def take(self, now: datetime, count: int = 1) -> bool:
        """Count calls; False when there are not so many left, which then counts nothing."""
        if count > self.remaining(now):
            return False
        self._used += count
        return True

    def remaining(self, now: datetime) -> int:
        """Calls left in this window."""
        self._enter(now)
        elapsed = now.timestamp() % self.window_seconds / self.window_seconds
        return max(0, self.limit - self._used - int(self._others * elapsed))

    def refused_others(self, now: datetime) -> int:
        """How many calls of the other integrations find none left by the end of this window, if
        nobody takes one more. Above 0, somebody has spent what the seller needs."""
        self._enter(now)
        return max(0, self._used + self._others - self.limit)

    def reset_seconds(self, now: datetime) -> int:
        """Seconds to the next window, at least 1."""
        return max(1, round(self.window_seconds - now.timestamp() % self.window_seconds))

    def headers(self, now: datetime) -> dict[str, str]:
        """As every answer tells it."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining(now)),
            "X-RateLimit-Reset": str(self.reset_seconds(now)),
        }

    def _enter(self, now: datetime) -> None:
        window = int(now.timestamp() // self.window_seconds)
        if window != self._window:
            self._window, self._used = window, 0
            self._others = round(self.others * Random(window).uniform(0.8, 1.2))
