"""How often somebody may come: a token bucket."""

from __future__ import annotations

from collections.abc import Callable

MOST = 30
"""Turns that may be taken at once."""
SECONDS_EACH = 2.0
"""Until there is one more."""


class Turns:
    """Turns of one visitor; `monotonic` gives seconds of a clock that nobody can set."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._left = float(MOST)
        self._counted_at = monotonic()

    def take(self) -> bool:
        """Take one; False when there is none."""
        now = self._monotonic()
        self._left = min(MOST, self._left + (now - self._counted_at) / SECONDS_EACH)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
