"""Hand out the orders whose details are read, so that a broken one does not block the others."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

MOST_ATTEMPTS = 3
"""Of one order: an outage may last, and an order that never answers costs all of them."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One order to be read."""

    id: int
    number: int
    """Which attempt at this order it is, from 1."""
    failures_before: int
    """How many failures were known when it began."""


class WorkQueue:
    """The orders to be read, for workers that read at the same time.

    A failure may be the order's own or the marketplace's. So after one the next order comes from
    the other end of the queue, one at a time, until an order is answered. Those that failed are
    retried after all others, if any was answered at all.
    """

    def __init__(self, ids: Iterable[int]) -> None:
        self.failed_in_a_row = 0
        """Failures since the last answer; simultaneous ones count once."""
        self._untried = deque((id_, 1) for id_ in ids)
        self._to_retry: deque[tuple[int, int]] = deque()
        self._failures = 0
        self._any_answered = False
        self._backwards = False
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def next(self) -> AsyncIterator[Attempt | None]:
        """Give the next attempt, None at the end; while orders fail, to one worker at a time."""
        async with self._alone if self.failed_in_a_row else nullcontext():
            yield self._take()

    def _take(self) -> Attempt | None:
        if self._untried:
            id_, number = self._untried.pop() if self._backwards else self._untried.popleft()
        elif self._to_retry and self._any_answered:
            id_, number = self._to_retry.popleft()
        else:
            return None
        return Attempt(id_, number, self._failures)

    def answered(self, *, readably: bool) -> None:
        """Note that an order was answered."""
        self._any_answered = True
        self.failed_in_a_row = 0
        self._backwards = not readably

    def failed(self, attempt: Attempt, *, for_good: bool) -> None:
        """Note that an order was not answered; `for_good` if a retry is of no use."""
        self._backwards = True
        if attempt.failures_before == self._failures:
            self._failures += 1
            self.failed_in_a_row += 1
        if not for_good and attempt.number < MOST_ATTEMPTS:
            self._to_retry.append((attempt.id, attempt.number + 1))
