"""One thread that alone talks to the database, and transactions that the loop awaits.

Measured with `synchronous=FULL`: a plain engine on one thread makes three times the commits a
second of an async engine over aiosqlite. One thread is also all that SQLite can use for writing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine

from notifier.errors import StoreError
from notifier.store.engine import transaction
from notifier.store.foreign import translated

T = TypeVar("T")


class StoreThread:
    """Runs a function of a connection as one transaction; `close` ends the thread."""

    def __init__(self, engine: Engine, name: str, *, read_only: bool) -> None:
        self._engine = engine
        self._name = name
        self._read_only = read_only
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads."""
        return await self._run(lambda: self._transact(work, writes=False))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that is committed, on disk, when this returns."""
        if self._read_only:
            raise StoreError(f"{self._name} was opened for reading only")
        return await self._run(lambda: self._transact(work, writes=True))

    async def call(self, work: Callable[[], T]) -> T:
        """Run something else that must not meet a transaction."""
        return await self._run(work)

    async def close(self) -> None:
        """Close every connection and end the thread."""
        await self._run(self._engine.dispose)
        self._executor.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _transact(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        with translated(self._name), transaction(self._engine, writes=writes) as connection:
            return work(connection)
