"""What decides a call's fate: the rate limit and the planned failures; and the counts of calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import NamedTuple

SECONDS_OF_A_DAY = 86_400
UNLIMITED = 1_000_000
"""Number of calls in a window that no reading exceeds."""


class Call(NamedTuple):
    """One received call. `query` is without the client_id."""

    method: str
    path: str
    query: str


@dataclass(slots=True)
class DayOfCalls:
    """Counts of one day (UTC, like the windows of a daily limit)."""

    made: int = 0
    """The notifier's calls, including refused ones."""
    refused: int = 0
    """The notifier's calls answered with 429."""
    refused_others: int = 0
    """Calls of the seller's other integrations that the notifier left no room for."""


@dataclass(slots=True)
class CallLimit:
    """The calls of one account, all paths together, in fixed windows.

    Windows begin at multiples of their length since 1970. `others` is the number of calls that the
    seller's other integrations make in a window, a fifth more or less, evenly spread over it.
    """

    limit: int = UNLIMITED
    window_seconds: int = SECONDS_OF_A_DAY
    others: int = 0
    _window: int = -1
    _used: int = 0
    _others: int = 0

    def take(self, now: datetime, count: int = 1) -> bool:
        """Count calls. Return False, and count none, when fewer are left."""
        if count > self.remaining(now):
            return False
        self._used += count
        return True

    def remaining(self, now: datetime) -> int:
        """Return the calls left in the present window."""
        self._enter(now)
        # Others are counted as far as the window has passed, because they call evenly.
        elapsed = now.timestamp() % self.window_seconds / self.window_seconds
        return max(0, self.limit - self._used - int(self._others * elapsed))

    def refused_others(self, now: datetime) -> int:
        """Return how many calls of others will find none left by the end of the window."""
        self._enter(now)
        return max(0, self._used + self._others - self.limit)

    def reset_seconds(self, now: datetime) -> int:
        """Return the seconds to the next window, at least 1."""
        return max(1, round(self.window_seconds - now.timestamp() % self.window_seconds))

    def headers(self, now: datetime) -> dict[str, str]:
        """Return the rate headers of every answer."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining(now)),
            "X-RateLimit-Reset": str(self.reset_seconds(now)),
        }

    def _enter(self, now: datetime) -> None:
        window = int(now.timestamp() // self.window_seconds)
        if window != self._window:
            self._window, self._used = window, 0
            # Seeded by the window, so that all worlds see the same load in it.
            self._others = round(self.others * Random(window).uniform(0.8, 1.2))


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong answer. Without a body it is the marketplace's envelope for that status."""

    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(slots=True)
class Faults:
    """The planned failures: of the next calls, of a share, of all, or of single details."""

    details: dict[int, Fault] = field(default_factory=dict)
    """Failures of the details of single orders, by id."""
    always: Fault | None = None
    _next: deque[Fault] = field(default_factory=deque)
    _share: float = 0.0
    _dice: Random = field(default_factory=lambda: Random(0))

    def fail_next(self, fault: Fault, count: int = 1) -> None:
        """Let a number of calls fail, after those already planned."""
        self._next.extend([fault] * count)

    def fail_share(self, share: float, seed: int) -> None:
        """Let a share (0 to 1) of all calls fail with 502 or 503; a seed repeats the sequence."""
        self._share, self._dice = share, Random(f"faults/{seed}")

    def stop(self) -> None:
        """Let calls succeed again; details that fail keep failing."""
        self._next.clear()
        self.always = None
        self._share = 0.0

    def take(self) -> Fault | None:
        """Return the failure of the present call, if it fails."""
        if self._next:
            return self._next.popleft()
        if self._share and self._dice.random() < self._share:
            return Fault(self._dice.choice((502, 503)))
        return self.always
