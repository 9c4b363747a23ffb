"""A token bucket: how many requests somebody may make at once, and how many for long."""

from __future__ import annotations

from collections.abc import Callable

CAPACITY = 30
"""Tokens in a full bucket: requests that may come at once."""
SECONDS_PER_TOKEN = 2.0


class TokenBucket:
    """The tokens of one account. `monotonic` gives the seconds of a clock that nobody can set."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._tokens = float(CAPACITY)
        self._filled_at = monotonic()

    def take(self) -> bool:
        """Take one token; False when the bucket is empty."""
        now = self._monotonic()
        self._tokens = min(CAPACITY, self._tokens + (now - self._filled_at) / SECONDS_PER_TOKEN)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
