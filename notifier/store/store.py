"""The store as a whole, and how it is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from notifier.parts import StoreLocation
from notifier.store import care, opening
from notifier.store.audit import Audit
from notifier.store.engine import BUSY_SECONDS, empty_journal, shown
from notifier.store.foreign import translated
from notifier.store.marks import Marks
from notifier.store.outbox import Outbox
from notifier.store.runs import Runs
from notifier.store.thread import StoreThread


class Store:
    """An open store."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread
        self.runs = Runs(thread)
        self.outbox = Outbox(thread)
        self.audit = Audit(thread)
        self.marks = Marks(thread)

    async def erase(self, before: datetime) -> int:
        """Erase what was settled before an instant and may contain names; see `care.erase`."""
        touched = await self._thread.write(lambda connection: care.erase(connection, before))
        # Also when nothing was touched: the last time may have ended before it came to this.
        await self._thread.between(empty_journal)
        return touched


@asynccontextmanager
async def open_store(
    location: StoreLocation, *, read_only: bool = False, busy_seconds: float = BUSY_SECONDS
) -> AsyncIterator[Store]:
    """Open the store, bring it up to date, and check it; `read_only` does nothing but read.

    Opened for reading, a store that does not exist yet reads as an empty one. Raises StoreError
    for one that is lost, foreign, damaged or newer than this program, StoreBusy when another
    process holds it for longer than `busy_seconds`.
    """
    with translated("store.url"):
        name = shown(location.url)
    ready = opening.to_read if read_only else opening.to_write
    thread = StoreThread(name, read_only=read_only)
    try:
        await thread.open(lambda: ready(location.url, name, busy_seconds))
        yield Store(thread)
    finally:
        await thread.close()
