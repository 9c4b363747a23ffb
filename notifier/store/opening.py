"""Open a database engine on a store, after checks that it is ours, undamaged and up to date.

SQLite opens a file of zero bytes as a new, empty database. The mark beside the store (identity.py)
detects that: if the mark exists and the store is gone or empty, the store was lost, and is refused.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine

from notifier.errors import StoreError
from notifier.store import disk, identity, migrations
from notifier.store.engine import (
    BUSY_SECONDS,
    read_only_uri,
    reading_engine,
    sqlite_file,
    transaction,
    writing_engine,
)
from notifier.store.tables import metadata

_RESTORE = "restore a backup of it as in docs/store.md"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """The store to open."""

    url: str
    name: str
    """The store's name for people."""
    machine: str | None
    """The hash of this machine, as `identity.this_machine` returns it."""
    adopting: bool = False
    """Whether a store of another machine is opened too."""
    busy_seconds: float = BUSY_SECONDS

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for another database."""
        return sqlite_file(self.url)


def open_for_writing(target: Target) -> Engine:
    """Return an engine that may write; create the store if there never was one."""
    file = target.file
    if file is not None:
        refuse_lost_or_foreign(file, target.busy_seconds, may_write=True)
        # Created here with private modes, since SQLite would follow the umask.
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        disk.refuse_full_disk(file)
    with _disposed_on_error(writing_engine(target.url, busy_seconds=target.busy_seconds)) as engine:
        # All checks come before the first change, so that a refused store stays as it is.
        with transaction(engine, writes=False) as connection:
            quick_check(connection, target.name)
            migrations.refuse_newer(migrations.schema_version(connection), target.name)
        if file is not None and not target.adopting:
            identity.refuse_moved(engine, file, target.machine)
        migrations.bring_up_to_date(engine, target.name)
        # `notifier adopt` binds the store last: if it dies before, the store must still be refused.
        if file is not None and not target.adopting:
            identity.install(engine, target.machine)
        if file is not None:
            disk.create_ballast(file)
    return engine


def open_for_reading(target: Target) -> Engine:
    """Return an engine that cannot write; an empty store in memory if none exists yet."""
    file = target.file
    if file is not None:
        refuse_lost_or_foreign(file, target.busy_seconds)
        if not file.exists():
            return _empty_store()
    with _disposed_on_error(reading_engine(target.url, busy_seconds=target.busy_seconds)) as engine:
        with transaction(engine, writes=False) as connection:
            version = migrations.schema_version(connection)
        migrations.refuse_newer(version, target.name)
        if version is not None and version != migrations.HEAD:
            raise StoreError(
                f"{target.name} is from an older version of this program; the next `notifier run` "
                "brings it up to date"
            )
        # Only a warning: reading sends nothing, and an operator must see the store to decide.
        if file is not None and (why := identity.mismatch(engine, file, target.machine)):
            logger.warning("%s", identity.explain(file, why), extra={"event": "store_moved"})
    if version is None:
        engine.dispose()
        return _empty_store()
    return engine


def mismatch(target: Target) -> str | None:
    """Return why this machine must not write to a SQLite store; None if it may."""
    file = target.file
    if file is None:
        return None
    refuse_lost_or_foreign(file, target.busy_seconds)
    if not file.exists():
        raise StoreError(f"there is no store at {file} yet; the next `notifier run` creates it")
    with _disposed_on_error(reading_engine(target.url, busy_seconds=target.busy_seconds)) as engine:
        why = identity.mismatch(engine, file, target.machine)
    engine.dispose()
    return why


def refuse_lost_or_foreign(file: Path, busy_seconds: float, *, may_write: bool = False) -> None:
    """Raise StoreError for a file that is not a store of ours, before an engine opens it.

    With `may_write`, SQLite may undo what a killed process left half written.
    """
    if file.is_dir():
        raise StoreError(f"{file} is a folder; name a file in store.path")
    # The mark is read first: another process may be creating the store at this moment.
    marked = identity.mark_file(file).exists()
    size = file.stat().st_size if file.exists() else 0
    header = _read_header(file, busy_seconds, may_write=may_write) if size else None
    if marked and (header is None or not header.tables):
        raise StoreError(_describe_loss(file))
    if header is None:
        return
    # A file without tables is ours too: a process may be killed while it creates the store.
    ours = header.application_id == migrations.APPLICATION_ID
    if not ours and (header.application_id or header.tables):
        raise StoreError(
            f"{file} is not a store of this program; name another file in store.path, or restore "
            "a backup"
        )
    # SQLite reads a page that was cut off as if it ended in zeros. The journal may hold it whole.
    journal = file.with_name(f"{file.name}-wal")
    if size % header.page_size and not (journal.exists() and journal.stat().st_size):
        raise StoreError(f"{file} is damaged (it was cut off); {_RESTORE}")


def quick_check(connection: Connection, name: str) -> None:
    """Raise StoreError if SQLite finds damage in its quick check."""
    if connection.dialect.name == "sqlite":
        _check("PRAGMA quick_check(1)", connection, name)


def integrity_check(connection: Connection, name: str) -> None:
    """Raise StoreError for any damage, including indexes and references between rows."""
    _check("PRAGMA integrity_check(1)", connection, name)
    # SQLite's integrity check does not cover references between rows.
    orphan = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if orphan is not None:
        raise StoreError(
            f"{name} is damaged (a row of {orphan[0]} refers to a missing row); {_RESTORE}"
        )


def _check(pragma: str, connection: Connection, name: str) -> None:
    result = connection.exec_driver_sql(pragma).scalar()
    if result != "ok":
        raise StoreError(f"{name} is damaged ({result}); {_RESTORE}")


@dataclass(frozen=True, slots=True)
class _FileHeader:
    application_id: int
    tables: int
    page_size: int


def _read_header(file: Path, busy_seconds: float, *, may_write: bool) -> _FileHeader:
    """Read it through SQLite, since the newest version may be only in the journal."""
    # Until a new store has its write-ahead journal it has a rollback journal. A process that was
    # killed meanwhile leaves that behind, and SQLite reads nothing before it is rolled back.
    half_made = file.with_name(f"{file.name}-journal").exists()
    uri = f"{file.resolve().as_uri()}?mode=rw" if may_write and half_made else read_only_uri(file)
    with closing(sqlite3.connect(uri, uri=True, timeout=busy_seconds)) as opened:
        (application_id,) = opened.execute("PRAGMA application_id").fetchone()
        (tables,) = opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (page_size,) = opened.execute("PRAGMA page_size").fetchone()
    return _FileHeader(application_id, tables, page_size)


def _describe_loss(file: Path) -> str:
    state, mark = "is empty" if file.exists() else "is gone", identity.mark_file(file).name
    return (
        f"{file} {state}, but {mark} beside it proves that there was a store; restore a backup "
        f"(docs/store.md). To start from zero on purpose, remove {mark}: then the record of sent "
        "messages, and since when parcels wait, is lost"
    )


def _empty_store() -> Engine:
    engine = writing_engine("sqlite://")
    with transaction(engine, writes=True) as connection:
        metadata.create_all(connection)
    return engine


@contextmanager
def _disposed_on_error(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    except BaseException:
        engine.dispose()
        raise
