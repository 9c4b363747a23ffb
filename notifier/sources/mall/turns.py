"""Whose detail is read next: what matters most, and no order stands before all the others."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

MOST_TURNS = 3
"""Of one order: an outage may last, and an order that fails for ever costs all of them."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One order to be asked for."""

    id: int
    failures: int
    """How many failures were known when it began."""
    number: int = 1
    """Which turn of this order it is."""


class Turns:
    """Gives the orders of a queue to workers that read at the same time.

    Where an order is not answered for, that may be its own fault or the marketplace's. So the next
    ones are taken from the other end of the queue, one at a time, until one is answered. Those that
    failed have further turns after all others, if any was answered at all.
    """

    def __init__(self, ids: Iterable[int]) -> None:
        self.failed_in_a_row = 0
        """How often in a row; those that were asked for at the same time have failed once."""
        self._rest = deque(ids)
        self._failed: deque[Turn] = deque()
        self._failures = 0
        self._any_answered = False
        self._backwards = False
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def next(self) -> AsyncIterator[Turn | None]:
        """The next turn, while it lasts; None where there is none."""
        async with self._alone if self.failed_in_a_row else nullcontext():
            yield self._take()

    def _take(self) -> Turn | None:
        if self._rest:
            id_ = self._rest.pop() if self._backwards else self._rest.popleft()
            return Turn(id_, self._failures)
        if self._failed and self._any_answered:
            before = self._failed.popleft()
            return Turn(before.id, self._failures, before.number + 1)
        return None

    def answered(self, *, readably: bool) -> None:
        """One was answered."""
        self._any_answered = True
        self.failed_in_a_row = 0
        self._backwards = not readably

    def failed(self, turn: Turn, *, for_good: bool) -> None:
        """One was not answered; `for_good` if asking again is of no use."""
        self._backwards = True
        if turn.failures == self._failures:
            self._failures += 1
            self.failed_in_a_row += 1
        if not for_good and turn.number < MOST_TURNS:
            self._failed.append(turn)
