"""The limit of calls as the answers tell it: the pace it sets, and what is left of a day.

A window of up to a minute sets the pace; a longer one is an allowance that the seller's other
systems share. Calls under way are counted, since no answer could count them yet. Seconds are those
of the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from notifier.marketplace import pace

LONGEST_PACED = timedelta(minutes=1)

_SHARE = 0.97
"""Of what is allowed: calls do not arrive in the rhythm in which they were made."""
_ROUNDED = 0.5
"""How much longer a window may last than its whole seconds say."""
_LATE = 0.1
"""So much of what was slept too long is caught up."""
_FASTEST = 2
"""So many times as fast as the limit we go, to use what is left at the end of a window."""


class Window:
    """What is allowed now."""

    def __init__(self) -> None:
        self.allowance: int | None = None
        """Calls left of a day; None as long as no answer told."""
        self.daily_limit: int | None = None
        """Calls of a whole day; None as above."""
        self._under_way = 0
        self._most_under_way = 0
        self._day_left: int | None = None
        self._day_ends_at = 0.0
        self._left: int | None = None
        self._ends_at = 0.0
        self._length = 0.0
        self._limit: int | None = None
        self._next_at = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way."""
        return self._under_way > 0

    def wait(self, now: float) -> float:
        """Seconds until the next call, whose turn is taken by asking."""
        if self._left is not None and self._left <= 0 and now < self._ends_at:
            return self._ends_at + _ROUNDED - now
        at = max(self._next_at, now - _LATE)
        self._next_at = at + self._pause(now)
        return max(0.0, at - now)

    def begin(self) -> None:
        """A call begins."""
        self._under_way += 1
        self._most_under_way = max(self._most_under_way, self._under_way)
        self.allowance = None if self.allowance is None else self.allowance - 1
        self._left = None if self._left is None else self._left - 1

    def end(self, headers: Mapping[str, str] | None, now: float) -> None:
        """It is over; `headers` are those of its answer, None where there was none."""
        self._under_way -= 1
        left = pace.calls_left(headers) if headers else None
        if headers is None or left is None:
            return
        lasts = pace.window_left(headers)
        if lasts is None or lasts > LONGEST_PACED:
            self._note_day(left, None if lasts is None else lasts.total_seconds() + now)
            self.daily_limit = pace.calls_allowed(headers) or self.daily_limit
        else:
            self._limit = pace.calls_allowed(headers) or self._limit
            self._note(left - self._under_way, lasts.total_seconds(), now)

    def _note_day(self, left: int, ends_at: float | None) -> None:
        """The same of a day; that it is a new one shows in its end."""
        known = self._day_left
        is_new = known is None or (ends_at or 0.0) > self._day_ends_at + LONGEST_PACED.seconds
        self._day_left = left if known is None or is_new else min(left, known)
        self._day_ends_at = max(self._day_ends_at, ends_at or 0.0)
        self.allowance = self._day_left - self._under_way

    def _note(self, left: int, lasts: float, now: float) -> None:
        """Answers overtake each other: within a window the lowest figure is the newest."""
        if self._is_new(left, lasts, now):
            self._left, self._ends_at = left, now + lasts
        else:
            self._left = min(left, self._left or 0)
            self._ends_at = max(self._ends_at, now + lasts)
        self._length = max(self._length, lasts)

    def _is_new(self, left: int, lasts: float, now: float) -> bool:
        """Whether an answer tells of another window than the last one did.

        The old one may seem to last, because seconds are rounded. But the new one ends later by
        more than that, or has more calls left than any answer could be late by.
        """
        if self._left is None or now >= self._ends_at:
            return True
        ends_later = now + lasts > self._ends_at + 2 * _ROUNDED
        return ends_later or left > self._left + self._most_under_way

    def _pause(self, now: float) -> float:
        """From one call to the next: even, or faster while more is left than that would use."""
        if self._left is None or not self._limit:
            return 0.0
        even = self._length / (_SHARE * self._limit)
        if now >= self._ends_at or self._left <= 0:
            return even
        exact = (self._ends_at - now) / (_SHARE * self._left)
        return min(even, max(exact, even / _FASTEST))
