"""The one thread that uses the database; the event loop awaits its transactions."""

# Measured with `synchronous=FULL`: a plain engine on one thread makes three times as many commits
# a second as an async engine over aiosqlite. SQLite could not write from two threads anyway.

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

from sqlalchemy import Connection, Engine

from notifier.errors import StoreError
from notifier.store.disk import delete_ballast
from notifier.store.engine import needs_space, sqlite_file, transaction, translate_errors

T = TypeVar("T")


class StoreThread:
    """Runs functions of a connection as transactions, between `open` and `close`."""

    _engine: Engine

    def __init__(self, name: str, *, read_only: bool) -> None:
        self._name = name
        self._read_only = read_only
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._opened = ExitStack()

    async def open(self, opening: Callable[[], Engine]) -> None:
        """Open the engine on the thread, so that `close` disposes it even after a cancellation."""

        # Registered on the thread, which opens the engine even if the await is cancelled.
        def open_and_keep() -> None:
            with translate_errors(self._name):
                self._engine = opening()
            self._opened.callback(self._engine.dispose)

        await self._run(open_and_keep)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that only reads."""
        return await self._run(lambda: self._transact(work, writes=False))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that is committed, on the disk, when this returns."""
        if self._read_only:
            raise StoreError(f"{self._name} was opened for reading only")
        return await self._run(lambda: self._transact(work, writes=True))

    async def write_at_any_cost(self, work: Callable[[Connection], T]) -> T:
        """Run `work` as `write` does; if the disk is full, delete the ballast and try once more.

        Meant for something that has happened already, such as the reply to a sent message.
        """
        try:
            return await self.write(work)
        except StoreError as error:
            if not needs_space(error):
                raise
            await self.outside_transaction(_delete_ballast)
            return await self.write(work)

    async def outside_transaction(self, work: Callable[[Engine], T]) -> T:
        """Run `work` while no transaction is open."""

        def run() -> T:
            with translate_errors(self._name):
                return work(self._engine)

        return await self._run(run)

    async def close(self) -> None:
        """Close every connection and end the thread."""
        # On the thread, and so after everything that still runs there.
        try:
            await self._run(self._opened.close)
        finally:
            self._executor.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _transact(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        with translate_errors(self._name), transaction(self._engine, writes=writes) as connection:
            return work(connection)


def _delete_ballast(engine: Engine) -> None:
    if file := sqlite_file(engine.url):
        delete_ballast(file)
