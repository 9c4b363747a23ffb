"""One wish to stop, for all a process does: nothing new begins, and what runs comes to an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from notifier.errors import Stopped

AT_ONCE = timedelta(0)
AGAIN_SECONDS = 0.5
"""Until a block that did not notice is told again: `asyncio.wait_for` of Python 3.11 loses a
cancellation that comes together with the result."""


class Stop:
    """Asked for once, and then for ever. Belongs to one event loop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._limits: set[_Limit] = set()

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()

    def ask(self) -> None:
        """Stop: every block in `limit` ends within its grace. A second time changes nothing."""
        if not self.asked:
            self._event.set()
            for limit in self._limits:
                limit.begin()

    async def wait(self) -> None:
        """Come back when somebody asks."""
        await self._event.wait()

    def check(self) -> None:
        """Raise Stopped when somebody asked: for the places where something new would begin."""
        if self.asked:
            raise Stopped("asked to stop before this was done; the next run goes on")

    @asynccontextmanager
    async def limit(self, grace: timedelta = AT_ONCE) -> AsyncIterator[None]:
        """End the block with Stopped, at the latest `grace` after somebody asks.

        A block without any grace is not even begun once somebody has.
        """
        if not grace:
            self.check()
        limit = _Limit(grace)
        self._limits.add(limit)
        if self.asked:
            limit.begin()
        try:
            yield
        except asyncio.CancelledError:
            if limit.end():
                self.check()
            raise
        finally:
            self._limits.discard(limit)
            limit.end()


class _Limit:
    """Cancels the task that made it, as `asyncio.timeout` does."""

    def __init__(self, grace: timedelta) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine always runs in one
        self._task = task
        self._grace = grace
        self._cancelled = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Cancel the task once its grace is over, and again until it ends."""
        self._in(self._grace.total_seconds())

    def end(self) -> bool:
        """Take all of it back; whether it is why the task is cancelled, and the only reason."""
        if self._timer is not None:
            self._timer.cancel()
        mine = self._cancelled > 0
        for _ in range(self._cancelled):
            self._task.uncancel()
        self._cancelled = 0
        return mine and self._task.cancelling() == 0

    def _in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._cancel)

    def _cancel(self) -> None:
        self._cancelled += 1
        self._task.cancel()
        self._in(AGAIN_SECONDS)
