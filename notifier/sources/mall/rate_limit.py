"""Keep to the marketplace's limits: how many calls are left, and when the next one may begin.

A window of up to a minute sets the pace. A longer one is the quota of a day, which the seller's
other systems share. Instants are seconds of the event loop.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from notifier.sources.mall.answers import calls_allowed, calls_left, window_left

# Waiting is worthwhile for a minute. A longer window is a day's quota, whose end no run can await.
LONGEST_PACED = timedelta(minutes=1)

_ROUNDING_SECONDS = 1.0  # whole seconds in the header may be rounded down
_ASKING_SECONDS = 1.0  # between calls that ask what a new window allows, until one is answered


@dataclass(frozen=True, slots=True)
class _Ticket:
    """A call under way, and what was known of a window when it began."""

    number: int
    ended: int
    """How many calls had ended, and so reached the marketplace before this one."""
    lowest: int
    """The lowest `remaining` so far; in the same window this call gets a lower one."""


Call = tuple[_Ticket, _Ticket]
"""A call under way, as counted in the short window and in the day."""


class _Window:
    """How many calls one window still allows, in whatever order calls and answers arrive.

    An answer does not say to which window it belongs. Within one, the lowest `remaining` includes
    every call answered so far, so that only those under way must be subtracted.
    """

    def __init__(self) -> None:
        self.ends_at = math.inf
        """When the window is surely over; infinity if unknown."""
        self.is_known = False
        self._lowest = 0
        self._begun = 0
        self._ended = 0
        self._begun_before = 0
        """How many calls began before this window was known."""
        self._uncounted: list[int] = []
        """Calls, numbered as they ended, that the lowest `remaining` may not include."""

    @property
    def under_way(self) -> int:
        return self._begun - self._ended

    @property
    def left(self) -> int:
        return self._lowest - self.under_way - len(self._uncounted)

    def begin(self) -> _Ticket:
        self._begun += 1
        return _Ticket(self._begun, self._ended, self._lowest)

    def start(self, remaining: int, ends_at: float) -> None:
        """Replace the window before by a new one."""
        self.is_known, self._lowest, self.ends_at = True, remaining, ends_at
        self._begun_before = self._begun

    def forget(self, ends_at: float) -> None:
        """Allow nothing until an answer names a new window, or until `ends_at`."""
        if self.is_known:
            self.start(0, ends_at)
        self.is_known, self.ends_at = False, ends_at

    def end(self, call: _Ticket, remaining: int | None = None, ends_at: float = math.inf) -> None:
        """Count a call as ended; without `remaining` its answer says nothing of this window."""
        self._ended += 1
        # Within a window `remaining` only falls: one that did not fall is of a newer window.
        is_of_this = call.number > self._begun_before
        is_of_newer = remaining is not None and remaining >= call.lowest
        if remaining is None or not (is_of_this or is_of_newer):
            self._uncounted.append(self._ended)
        elif is_of_this and is_of_newer:
            self.start(remaining, ends_at)
            self._uncounted = list(range(call.ended + 1, self._ended))
        else:
            self._lowest = min(self._lowest, remaining)
            self.ends_at = min(self.ends_at, ends_at) if is_of_this else self.ends_at
            self._uncounted = [end for end in self._uncounted if end > call.ended]


class RateLimit:
    """What the headers of the answers so far allow."""

    def __init__(self, day_left: int | None = None, daily_limit: int | None = None) -> None:
        """`day_left` calls of today, and `daily_limit` a day, are known from an earlier run."""
        self.daily_limit = daily_limit
        self.day_is_stated = False
        """Whether an answer named a day."""
        self._window, self._day = _Window(), _Window()
        if day_left is not None:
            self._day.start(day_left, math.inf)

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way."""
        return self._day.under_way > 0

    @property
    def day_left(self) -> int | None:
        """Calls left of the day, those under way subtracted; None if unknown."""
        return self._day.left if self._day.is_known else None

    @property
    def day_ends_at(self) -> float | None:
        """When the day ends; None if unknown."""
        return None if self._day.ends_at == math.inf else self._day.ends_at

    def opens_at(self, now: float) -> float:
        """When the next call may begin: now, or as soon as the window is over."""
        is_open = self._window.left > 0 or self._window.ends_at == math.inf
        return now if is_open else max(now, self._window.ends_at)

    def begin(self, now: float) -> Call:
        """Count a call as under way; the first one after a window asks what the next allows."""
        if self._window.ends_at <= now:
            self._window.forget(now + _ASKING_SECONDS)
        return self._window.begin(), self._day.begin()

    def end(self, call: Call, headers: Mapping[str, str], now: float) -> None:
        """Take in the headers of an answer; they are empty if there was none."""
        in_window, in_day = call
        left, lasts, limit = calls_left(headers), window_left(headers), calls_allowed(headers)
        ends_at = math.inf if lasts is None else now + lasts.total_seconds()
        # The last minute of a day looks like a short window, unless the day was seen before.
        is_day = self.day_ends_at is not None or (limit is not None and limit == self.daily_limit)
        if lasts is not None and lasts <= LONGEST_PACED and not is_day:
            self._window.end(in_window, left, ends_at + _ROUNDING_SECONDS)
            self._day.end(in_day)
            return
        self._window.end(in_window)
        self._day.end(in_day, left, ends_at)
        self.day_is_stated = self.day_is_stated or left is not None
        # An answer without the header does not mean that the limit is gone.
        self.daily_limit = limit or self.daily_limit
