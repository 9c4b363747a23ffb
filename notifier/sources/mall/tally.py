"""How many calls of a window are left at least, whichever of ours the marketplace has counted.

It counts calls in the order in which they reach it, and tells with each how many it leaves; but
calls overtake each other on the way, and so do their answers. Of two calls in one window, the one
that was told more came first. So of all that was told, the least holds for every call answered so
far, and only those under way must be taken off; and those that ended without an answer, or with one
that may be of another window.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_MOST_ENDS = 256


@dataclass(frozen=True, slots=True)
class Begun:
    """A call under way: how many began up to it, how many had ended then, and when that was."""

    number: int
    ended: int
    at: float


@dataclass(frozen=True, slots=True)
class _End:
    """The how many-th end of a call it was, and what the answer told to be left, if any."""

    ordinal: int
    left: int | None


class Tally:
    """What is left of the present window; seconds are those of the event loop."""

    def __init__(self) -> None:
        self._begun = 0
        self._ended = 0
        self._told = 0
        """The least that was told of this window."""
        self._newest = 0
        """The number of the last begun of the calls that told something."""
        self._known = 0
        """So many ends were of calls that an earlier window has counted, or that one told of."""
        self._renewed_at = 0.0
        self._uncounted: set[int] = set()
        """Which ends were of calls that may not be counted in what was told."""
        self._ends: deque[_End] = deque(maxlen=_MOST_ENDS)

    @property
    def under_way(self) -> int:
        """How many calls have begun and not ended."""
        return self._begun - self._ended

    @property
    def ended(self) -> int:
        """How many calls have ended."""
        return self._ended

    @property
    def left(self) -> int:
        """So many more calls are allowed, at least."""
        return self._told - self.under_way - len(self._uncounted)

    def begin(self, now: float) -> Begun:
        """A call begins."""
        self._begun += 1
        return Begun(self._begun, self._ended, now)

    def end(self, left: int | None) -> None:
        """A call ended; its answer told what was left, or nothing did. `hear` tells the rest."""
        self._ended += 1
        if self._newest:
            self._uncounted.add(self._ended)
        self._ends.append(_End(self._ended, left))

    def is_news(self, call: Begun) -> bool:
        """Whether what it was told, as the last that ended, may hold for calls begun later."""
        return call.number > self._newest and call.at >= self._renewed_at

    def hear(self, call: Begun, left: int) -> None:
        """The call that ended last was told what is `left` of the present window."""
        if not self._newest:
            self.hear_of_new(call, left)
        elif left <= self._told:
            self._told = left
            self._uncounted = {end for end in self._uncounted if call.ended < end < self._ended}
        self._uncounted.discard(self._ended)
        self._newest, self._known = call.number, call.ended + 1

    def hear_late(self, left: int) -> None:
        """The call that ended last, no news, was told what is `left` of this window or another."""
        if left > self._told:
            self._uncounted.discard(self._ended)

    def hear_of_new(self, call: Begun, left: int) -> None:
        """The call that ended last was told what is `left` of a new window."""
        self._told, self._newest, self._known = left, call.number, call.ended + 1
        told_more = {end.ordinal for end in self._ends if end.left is not None and end.left > left}
        self._uncounted = set(range(call.ended + 1, self._ended)) - told_more

    def renew(self, limit: int, now: float) -> None:
        """A new window has begun by `now`, though no answer told of it.

        Calls that are not known to have been counted in the old one may count in the new one. What
        had ended at the last renewal does not.
        """
        self._uncounted = set(range(self._known + 1, self._ended + 1))
        self._told, self._known, self._renewed_at = limit, self._ended, now
