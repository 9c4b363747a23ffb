"""Engines: one set of pragmas for SQLite, and transactions that say at once that they write."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

from notifier.errors import StoreError
from notifier.store.foreign import is_busy

BUSY_SECONDS = 5.0
CONNECT_SECONDS = 10
PAUSE_SECONDS = 0.02


def sqlite_file(url: str | URL) -> Path | None:
    """The file of a SQLite URL; None for any other database, and for one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def shown(url: str) -> str:
    """The store as a person knows it: a path, or a URL without its password."""
    file = sqlite_file(url)
    return str(file) if file else make_url(url).render_as_string(hide_password=True)


def writing_engine(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine that may write."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, busy_seconds, writes=True)
    return _postgresql(parsed, busy_seconds, isolation_level="READ COMMITTED")


def reading_engine(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine that cannot write; a SQLite file must exist. Raises what `uri_to_read` does."""
    file = sqlite_file(url)
    if file is not None:
        parsed = URL.create("sqlite", database=uri_to_read(file), query={"uri": "true"})
        return _sqlite(parsed, busy_seconds, writes=False)
    return _postgresql(make_url(url), busy_seconds, execution_options={"postgresql_readonly": True})


def uri_to_read(file: Path) -> str:
    """A SQLite file for reading alone, also where nothing at all may be written.

    Even a reader needs the index of the journal, and makes it in the folder where it is not there
    (sqlite.org/wal.html, "Read-Only Databases"). Where it may not, and nothing is in the journal,
    all there is stands in the file. Raises StoreError where it does not.
    """
    resolved = file.resolve()
    uri = f"{resolved.as_uri()}?mode=ro"
    journal, index = (resolved.with_name(f"{resolved.name}{end}") for end in ("-wal", "-shm"))
    if os.access(resolved.parent, os.W_OK) or (journal.exists() and index.exists()):
        return uri
    if journal.exists() and journal.stat().st_size:
        raise StoreError(
            f"{file} cannot be read by who may not write to its folder, because its newest rows "
            f"are still in {journal.name}; call this as the user it belongs to, or copy "
            f"{file.name} and {journal.name} to where you may write, and name the copy in "
            "store.path"
        )
    return f"{uri}&immutable=1"


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """One transaction, committed unless something is raised.

    On SQLite one that may write must say so when it begins: one that read first and then wants
    to write can find itself refused half-way.
    """
    with engine.connect() as connection:
        connection.info["writes"] = writes
        with connection.begin():
            yield connection


def empty_journal(engine: Engine) -> None:
    """Make SQLite's journal empty: what was overwritten in the file still stands in it."""
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()


def _sqlite(url: URL, busy_seconds: float, *, writes: bool) -> Engine:
    """SQLAlchemy's way to leave transactions to us (its documentation of pysqlite)."""
    # Parameters are orders and mails: nobody's error message.
    engine = create_engine(url, connect_args={"timeout": busy_seconds}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON").close()
        if writes:
            _keep_a_journal(connection, busy_seconds)
            connection.execute("PRAGMA synchronous=FULL").close()
            connection.execute("PRAGMA secure_delete=ON").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info["writes"] else "BEGIN")

    return engine


def _keep_a_journal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch to write-ahead logging. SQLite does not wait when two new stores do so at once."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= deadline:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _postgresql(url: URL, busy_seconds: float, **options: Any) -> Engine:
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, **options)
    timeout = f"{round(busy_seconds * 1000)}ms"

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", (timeout,))
        connection.commit()

    return engine
