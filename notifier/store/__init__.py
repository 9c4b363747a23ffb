"""The store: run ledger, snapshots, outbox. `docs/store.md` tells operators about it.

Open it with `open_store`; everything else hangs on what that gives.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import ArgumentError

from notifier.errors import StoreError
from notifier.parts import StoreLocation
from notifier.store import care, schema
from notifier.store.engine import (
    BUSY_SECONDS,
    reading_engine,
    shown,
    sqlite_file,
    transaction,
    writing_engine,
)
from notifier.store.foreign import translated
from notifier.store.outbox import Outbox
from notifier.store.runs import Runs
from notifier.store.tables import metadata
from notifier.store.thread import StoreThread

__all__ = ["Outbox", "Runs", "Store", "open_store"]


class Store:
    """An open store."""

    def __init__(self, thread: StoreThread, engine: Engine) -> None:
        self._thread = thread
        self._engine = engine
        self.runs = Runs(thread)
        self.outbox = Outbox(thread)

    async def erase(self, before: datetime) -> int:
        """Erase what was settled before an instant and may contain names; see `care.erase`."""
        touched = await self._thread.write(lambda connection: care.erase(connection, before))
        if touched and self._engine.dialect.name == "sqlite":
            # What was overwritten in the file still stands in its journal until that is emptied.
            await self._thread.call(lambda: _checkpoint(self._engine))
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
    name = shown(location.url)
    file = sqlite_file(location.url)
    with translated(name):
        engine = _open(location.url, file, busy_seconds, read_only=read_only)
    thread = StoreThread(engine, name, read_only=read_only)
    try:
        await thread.call(lambda: _prepare(engine, name, file, read_only=read_only))
        yield Store(thread, engine)
    finally:
        await thread.close()


def _open(url: str, file: Path | None, busy_seconds: float, *, read_only: bool) -> Engine:
    try:
        if file is not None:
            schema.check_file(file)
        if not read_only:
            if file is not None:
                _make_room(file)
            return writing_engine(url, busy_seconds=busy_seconds)
        if file is not None and not file.exists():
            return writing_engine("sqlite://")  # empty, in memory
        return reading_engine(url, busy_seconds=busy_seconds)
    except ArgumentError:
        raise StoreError("store.url is not a database URL; see docs/store.md") from None
    except ModuleNotFoundError as error:
        raise StoreError(
            f"store.url needs the driver {error.name}: pip install 'ready-to-return-notifier"
            "[postgres]'"
        ) from None


def _make_room(file: Path) -> None:
    """Make the folder and the file as ours alone: SQLite would follow the umask."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as error:
        raise StoreError(
            f"{file} cannot be written ({error.strerror}); check store.path and who owns it"
        ) from None


def _prepare(engine: Engine, name: str, file: Path | None, *, read_only: bool) -> None:
    with translated(name):
        if not read_only:
            schema.bring_up_to_date(engine, name)
            with transaction(engine, writes=False) as connection:
                schema.quick_check(connection, name)
            if file is not None:
                schema.installed_mark(file).touch(mode=0o600)
        elif file is not None and not file.exists():
            with transaction(engine, writes=True) as connection:
                metadata.create_all(connection)
        else:
            with transaction(engine, writes=False) as connection:
                _refuse_other_schema(connection, name)


def _refuse_other_schema(connection: Connection, name: str) -> None:
    version = schema.schema_version(connection)
    schema.refuse_newer(version, name)
    if version != schema.HEAD:
        raise StoreError(
            f"{name} is from an older version of this program; the next `notifier run` brings it "
            "up to date"
        )


def _checkpoint(engine: Engine) -> None:
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()
