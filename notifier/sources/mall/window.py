"""The limit of calls as the answers tell it: the pace it sets, and what is left of a day.

A window of up to a minute sets the pace; a longer one is an allowance that the seller's other
systems share. Seconds are those of the event loop.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

from notifier.sources.mall import pace
from notifier.sources.mall.phase import Of, Phase
from notifier.sources.mall.tally import Begun, Tally

LONGEST_PACED = timedelta(minutes=1)

_SHARE = 0.97
"""Of what is allowed: calls do not arrive in the rhythm in which they were made."""
_SPARED = 0.25
"""Of a window of one second, and less of longer ones, until its end is learnt: where it is used up
before, nobody knows how long to wait."""
_BRISK = 1.2
"""So many times as fast as the limit once its end is learnt: then nothing is lost by waiting for
it, and others find calls left for most of a window."""
_ROUNDED = 1.0
"""How much longer a window may last than its whole seconds say."""
_LATE = 0.05
"""So many seconds of what was slept too long are caught up."""
_FASTEST = 2
"""So many times as fast as the limit we go, to use what is left at the end of a window."""


class Window:
    """What is allowed now."""

    def __init__(self, daily_limit: int | None = None) -> None:
        self.quota: int | None = None
        """Calls left of a day; None as long as no answer told."""
        self.daily_limit = daily_limit
        """Calls of a whole day; None as above."""
        self._tally = Tally()
        self._day_left: int | None = None
        self._day_ends_at = 0.0
        self._ends_at = 0.0
        self._longest_told = 0.0
        self._phase = Phase()
        self._limit: int | None = None
        self._next_at = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way."""
        return self._tally.under_way > 0

    def day_lasts(self, now: float) -> float | None:
        """Seconds until the calls of a day are counted anew: 0 where that was not told.

        None where no answer told of a day.
        """
        return None if self._day_left is None else max(0.0, self._day_ends_at - now)

    def opens_at(self, now: float) -> float:
        """When the next call may begin: by the pace, or at the end of a window that is used up."""
        if self._limit is None:
            return now
        if now >= self._ends_at:
            self._renew(now)
        return max(now, self._next_at if self._tally.left > 0 else self._ends_at)

    def begin(self, now: float) -> Begun:
        """A call begins."""
        self._next_at = max(self._next_at, now - _LATE) + self._pause(now)
        self.quota = None if self.quota is None else self.quota - 1
        return self._tally.begin(now)

    def end(self, call: Begun, headers: Mapping[str, str] | None, now: float) -> None:
        """It is over; `headers` are those of its answer, None where there was none."""
        left = pace.calls_left(headers) if headers else None
        self._tally.end(left)
        if headers is None or left is None:
            return
        lasts, limit = pace.window_left(headers), pace.calls_allowed(headers)
        # The last minute of a day looks like a short window; who has seen the day knows better.
        of_a_day = self._day_ends_at or (limit is not None and limit == self.daily_limit)
        if lasts is None or lasts > LONGEST_PACED or of_a_day:
            self._note_day(left, None if lasts is None else lasts.total_seconds() + now)
            self.daily_limit = limit or self.daily_limit
        else:
            self._limit = limit or max(self._limit or 0, left + 1)
            self._note(call, left, lasts.total_seconds(), now)

    def _note_day(self, left: int, ends_at: float | None) -> None:
        """Within a day the lowest figure is the newest; that it is another shows in its end."""
        known = self._day_left
        is_new = known is None or (ends_at or 0.0) > self._day_ends_at + LONGEST_PACED.seconds
        self._day_left = left if known is None or is_new else min(left, known)
        self._day_ends_at = max(self._day_ends_at, ends_at or 0.0)
        self.quota = self._day_left - self._tally.under_way

    def _note(self, call: Begun, left: int, lasts: float, now: float) -> None:
        if not self._tally.is_news(call):
            self._tally.hear_late(left)
            return
        match self._phase.hear(call, self._tally.ended, left, lasts, now):
            case Of.LAST:
                return
            case Of.NEW:
                self._tally.hear_of_new(call, left)
            case Of.PRESENT:
                self._tally.hear(call, left)
        self._ends_at = min(now + lasts + _ROUNDED, self._phase.ends_by)
        self._longest_told = max(self._longest_told, lasts)

    def _renew(self, now: float) -> None:
        """A new window begins, though no answer has told of it."""
        self._phase.begin(now)
        self._tally.renew(self._limit or 0, now)
        self._ends_at = min(now + self._longest_told + _ROUNDED, self._phase.ends_by)

    def _pause(self, now: float) -> float:
        """From one call to the next: even, or faster while more is left than that would use."""
        if not self._limit:
            return 0.0
        if self._phase.longest < math.inf:
            # Where few calls are allowed, what is left hardly ever goes up, and little is learnt.
            longest = min(self._phase.longest, self._longest_told + _ROUNDED)
            return longest / (_BRISK * self._limit)
        surely = max(self._limit - self._tally.under_way, self._limit / 2)
        share = min(_SHARE, 1 - _SPARED / max(1.0, self._longest_told))
        even = self._longest_told / (share * surely)
        if now >= self._ends_at or self._tally.left <= 0:
            return even
        exact = (self._ends_at - now) / (_SHARE * self._tally.left)
        return min(even, max(exact, even / _FASTEST))
