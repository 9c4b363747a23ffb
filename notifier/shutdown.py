"""The request to stop the process: nothing new begins, and running work ends soon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from notifier.errors import Stopped

AT_ONCE = timedelta(0)
# `asyncio.wait_for` of Python 3.11 loses a cancellation that arrives together with the result, so
# a block that has not ended is cancelled again.
REPEAT_SECONDS = 0.5


class Stop:
    """A request to stop, which cannot be withdrawn. It belongs to one event loop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._limits: set[_Limit] = set()

    @property
    def requested(self) -> bool:
        """Whether the process is to stop."""
        return self._event.is_set()

    def request(self) -> None:
        """End every block in `limit` within its grace. A second request changes nothing."""
        if not self.requested:
            self._event.set()
            for limit in self._limits:
                limit.begin()

    async def wait(self) -> None:
        """Wait for the request."""
        await self._event.wait()

    def check(self) -> None:
        """Raise Stopped after the request; call it before something new begins."""
        if self.requested:
            raise Stopped("asked to stop before this was done; the next run goes on")

    @asynccontextmanager
    async def limit(self, grace: timedelta = AT_ONCE) -> AsyncIterator[None]:
        """End the block with Stopped, at the latest `grace` after the request.

        A block without grace does not begin after the request.
        """
        # With a grace the block may still begin: what follows the final dot of a message must be
        # awaited even after the request.
        if not grace:
            self.check()
        limit = _Limit(grace)
        self._limits.add(limit)
        if self.requested:
            limit.begin()
        try:
            yield
        except asyncio.CancelledError:
            # Any other cancellation, such as that of an outer timeout, must stay what it is.
            if limit.end():
                self.check()
            raise
        finally:
            self._limits.discard(limit)
            limit.end()


class _Limit:
    """Cancels the task that created it, as `asyncio.timeout` does."""

    def __init__(self, grace: timedelta) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine always runs in one
        self._task = task
        self._grace = grace
        self._cancellations = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Cancel the task after the grace, and again until it ends."""
        self._cancel_in(self._grace.total_seconds())

    def end(self) -> bool:
        """Undo the cancellations; return whether they were the only reason to cancel the task."""
        if self._timer is not None:
            self._timer.cancel()
        cancelled_here = self._cancellations > 0
        # Each `cancel` needs its `uncancel`, or an outer `asyncio.timeout` takes ours for its own.
        for _ in range(self._cancellations):
            self._task.uncancel()
        self._cancellations = 0
        return cancelled_here and self._task.cancelling() == 0

    def _cancel_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._cancel)

    def _cancel(self) -> None:
        self._cancellations += 1
        self._task.cancel()
        self._cancel_in(REPEAT_SECONDS)
