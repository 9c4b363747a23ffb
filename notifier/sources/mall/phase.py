"""When the present window of a limit ends, learnt from how what is left goes up again.

Answers tell that in whole seconds, rounded as nobody has documented; of a window of one second
that is nothing. But between two calls, of which the later one is told that more is left, a new
window began. Where that was seen twice, no window lasts longer than from one to the other; and
once the length is sure, all windows begin at the same moment of it, which each of them narrows.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import Enum

from notifier.sources.mall.tally import Begun

_MOST_HEARD = 64
_DRIFT = 1e-4
"""So many seconds a second two clocks may go apart."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """An answer: its call, how many calls had ended with it, and what it left."""

    call: Begun
    ended: int
    left: int


class Of(Enum):
    """Which window an answer is of."""

    LAST = "last"
    PRESENT = "present"
    NEW = "new"


class Phase:
    """What answers give away of windows whose length is in whole seconds, by our own clock."""

    def __init__(self) -> None:
        self.longest = math.inf
        """No window lasts longer, in seconds; infinity where nobody knows."""
        self._told = 1.0
        """The most seconds that an answer told to be left of a window."""
        self._apart = 0.0
        """Two windows that seem to follow each other began more than so many seconds apart."""
        self._renewal = (-math.inf, math.inf)
        """Between these two a window began."""
        self.ends_by = math.inf
        """The present window is over by then; infinity where nobody knows."""
        self._heard: deque[_Heard] = deque(maxlen=_MOST_HEARD)

    def begin(self, now: float) -> None:
        """A window has begun by now."""
        self.ends_by = now + self.longest
        if self._is_sure:
            after, by = self._renewal
            self.ends_by = by + math.ceil((now - after) / self.longest) * self.longest

    def hear(self, call: Begun, ended: int, left: int, lasts: float, now: float) -> Of:
        """Of which window an answer seems to be.

        It is the `ended`-th to end, and tells what is `left` of a window that `lasts` so many
        seconds more. Only answers to calls made ever later may be told.
        """
        of = Of.PRESENT
        self._told = max(self._told, lasts)
        before = self._last_before(call)
        if before and left > before.left:
            self._learn(before.call.at, now)
            self.begin(now)
            of = Of.NEW
        elif call.at < self.ends_by <= now and now - call.at < self.longest / 2:
            return Of.LAST
        elif now >= self.ends_by or self.ends_by == math.inf:
            self.begin(now)
        self._heard.append(_Heard(call, ended, left))
        return of

    @property
    def _is_sure(self) -> bool:
        """Whether a window lasts exactly `longest`: two began nearly so far apart, or it was told.

        Two that have another between them look like that, too; but then those are seen, or hardly
        a call is made.
        """
        return self._told == self.longest or self._apart > self.longest - 1

    def _learn(self, after: float, by: float) -> None:
        """Between these two a window began."""
        known_after, known_by = self._renewal
        if after >= known_by:  # so it is not the same one seen twice
            longest = max(1, math.floor(by - known_after))
            if longest < self.longest:  # what was held together before did not belong together
                self.longest, self._apart, self._renewal = longest, 0.0, (after, by)
            if longest == self.longest:
                self._apart = max(self._apart, after - known_by)
        self._renewal = self._narrowed(after, by) if self._is_sure else (after, by)

    def _narrowed(self, after: float, by: float) -> tuple[float, float]:
        """What is known of that moment by this window and the ones before."""
        known_after, known_by = self._renewal
        passed = round((after + by - known_after - known_by) / 2 / self.longest) * self.longest
        drift = passed * _DRIFT
        both = max(after, known_after + passed - drift), min(by, known_by + passed + drift)
        is_one = by - after + known_by - known_after < self.longest and both[0] <= both[1]
        return both if is_one else (after, by)

    def _last_before(self, call: Begun) -> _Heard | None:
        """The latest of the answers that had come when a call began."""
        return next((one for one in reversed(self._heard) if one.ended <= call.ended), None)
