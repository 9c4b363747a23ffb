"""One thread that alone talks to the database, and transactions that the loop awaits.

Measured with `synchronous=FULL`: a plain engine on one thread makes three times the commits a
second of an async engine over aiosqlite. One thread is also all that SQLite can use for writing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

from sqlalchemy import Connection, Engine

from notifier.boundaries import Boundary, boundary
from notifier.errors import StoreError
from notifier.store import ballast
from notifier.store.engine import sqlite_file, transaction
from notifier.store.foreign import needs_room, translated

T = TypeVar("T")


class StoreThread:
    """Runs a function of a connection as one transaction; first `open`, at last `close`."""

    _engine: Engine

    def __init__(self, name: str, *, read_only: bool) -> None:
        self._name = name
        self._read_only = read_only
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._opened = ExitStack()

    async def open(self, opening: Callable[[], Engine]) -> None:
        """Open the engine on the thread; `close` finds it even if nobody waits any more."""

        def keep() -> None:
            with translated(self._name):
                self._engine = opening()
            self._opened.callback(self._engine.dispose)

        await self._run(keep)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads."""
        return await self._run(lambda: self._transact(work, writes=False))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that is committed, on disk, when this returns."""
        if self._read_only:
            raise StoreError(f"{self._name} was opened for reading only")
        return await self._run(lambda: self._transact(work, writes=True))

    async def write_at_any_cost(self, work: Callable[[Connection], T]) -> T:
        """As `write`; when the disk is full, the ballast is given up, and it is tried once more.

        For what has happened already and must not be forgotten.
        """
        try:
            return await self.write(work)
        except StoreError as error:
            if not needs_room(error):
                raise
            await self.between(_give_up_ballast)
            return await self.write(work)

    async def between(self, work: Callable[[Engine], T]) -> T:
        """Run something that must not meet a transaction."""

        def alone() -> T:
            with translated(self._name):
                return work(self._engine)

        return await self._run(alone)

    async def close(self) -> None:
        """Close every connection and end the thread."""
        try:
            await self._run(self._opened.close)
        finally:
            self._executor.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _transact(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        with translated(self._name), transaction(self._engine, writes=writes) as connection:
            done = work(connection)
            if writes:
                boundary(Boundary.COMMITTING)
        if writes:
            boundary(Boundary.COMMITTED)
        return done


def _give_up_ballast(engine: Engine) -> None:
    if file := sqlite_file(engine.url):
        ballast.give_up(file)
