"""Database engines, transactions, and the database's errors turned into ours."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError, StatementError

from notifier.errors import StoreBusy, StoreError

BUSY_SECONDS = 5.0
CONNECT_SECONDS = 10  # without a limit, libpq waits as long as the system does: minutes
RETRY_SECONDS = 0.02

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
# SQLite reports a full quota, and a journal index that cannot grow, as I/O errors.
_NO_SPACE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
# PostgreSQL's documentation, appendix A.
_BUSY_STATES = (
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "53300",  # too_many_connections
    "55P03",  # lock_not_available
    "57P03",  # cannot_connect_now
)
_HINTS = {
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a backup of it",
    sqlite3.SQLITE_NOTADB: (
        "it is not a store of this program; name another file in store.path, or restore a backup"
    ),
    sqlite3.SQLITE_FULL: "the disk is full; nothing was recorded, make space",
    sqlite3.SQLITE_READONLY: (
        "it cannot be written; check the owner of the file and its folder, and the disk"
    ),
    sqlite3.SQLITE_READONLY_ROLLBACK: (
        "a process was killed while it created this store; the next `notifier run` repairs it"
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened; check that this user may read the file and write to its folder, and "
        "that the disk is not read-only"
    ),
    sqlite3.SQLITE_IOERR: "the disk reports an error; check it before anything else",
}


def sqlite_file(url: str | URL) -> Path | None:
    """Return the file of a SQLite URL; None for another database, and for one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def display_name(url: str) -> str:
    """Return the store's name for people: a path, or a URL without its password."""
    file = sqlite_file(url)
    return str(file) if file else make_url(url).render_as_string(hide_password=True)


def writing_engine(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Return an engine that may write."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, busy_seconds, writes=True)
    # At this level an update that waited for another one checks its condition again. The claims
    # rely on that; a stricter level would raise an error.
    return _postgresql(parsed, busy_seconds, isolation_level="READ COMMITTED")


def reading_engine(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """Return an engine that cannot write; a SQLite file must exist, see also `read_only_uri`."""
    file = sqlite_file(url)
    if file is not None:
        parsed = URL.create("sqlite", database=read_only_uri(file), query={"uri": "true"})
        return _sqlite(parsed, busy_seconds, writes=False)
    return _postgresql(make_url(url), busy_seconds, execution_options={"postgresql_readonly": True})


def read_only_uri(file: Path) -> str:
    """Return the URI for reading a SQLite file. Raise StoreError if that needs write access."""
    # A reader needs the index of the journal, and creates it in the folder if it is missing
    # (sqlite.org/wal.html, "Read-Only Databases"). With an empty journal the file alone suffices.
    resolved = file.resolve()
    uri = f"{resolved.as_uri()}?mode=ro"
    journal, index = (resolved.with_name(f"{resolved.name}{end}") for end in ("-wal", "-shm"))
    if os.access(resolved.parent, os.W_OK) or (journal.exists() and index.exists()):
        return uri
    if journal.exists() and journal.stat().st_size:
        raise StoreError(
            f"{file} cannot be read without write access to its folder, because its newest rows "
            f"are still in {journal.name}; run this command as the owner of the store, or copy "
            f"{file.name} and {journal.name} to a folder that you can write to, and name the copy "
            "in store.path"
        )
    return f"{uri}&immutable=1"


@contextmanager
def transaction(engine: Engine, *, writes: bool) -> Iterator[Connection]:
    """Run one transaction, committed unless an error is raised."""
    # Whether it writes is declared at its beginning. If a SQLite transaction reads first and writes
    # later, and another process has written meanwhile, it fails at once, without waiting for a lock
    # (sqlite.org/isolation.html).
    with engine.connect() as connection:
        connection.info["writes"] = writes
        with connection.begin():
            yield connection


def empty_journal(engine: Engine) -> None:
    """Empty SQLite's journal, which still holds rows that are overwritten in the file."""
    if engine.dialect.name != "sqlite":
        return
    # A raw connection: the "begin" hook would open a transaction, and no checkpoint works in one.
    raw = engine.raw_connection()
    try:
        # Only TRUNCATE empties the file; the other modes leave old pages in it.
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()


@contextmanager
def translate_errors(name: str) -> Iterator[None]:
    """Turn errors of the database and its file into StoreError or StoreBusy, naming the store."""
    try:
        yield
    except DBAPIError as error:
        raise _store_error(name, error.orig) from error
    except sqlite3.Error as error:
        raise _store_error(name, error) from error
    except OSError as error:
        raise StoreError(
            f"{name} cannot be used ({error.strerror}); check store.path, and the owner of the "
            "file and its folder"
        ) from error
    except ModuleNotFoundError as error:
        raise StoreError(
            f"store.url needs the driver {error.name}: pip install "
            "'ready-to-return-notifier[postgres]'"
        ) from error
    except ArgumentError:
        # The cause is dropped, since it may quote the URL with its password.
        raise StoreError("store.url is not a database URL; see docs/store.md") from None
    except StatementError as error:
        raise StoreError(f"{name}: {error.orig}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{name}: {error}") from error


def is_busy(error: BaseException | None) -> bool:
    """Return whether another process holds a lock, so that a later attempt may succeed."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _primary(code) in _BUSY
    return getattr(error, "sqlstate", None) in _BUSY_STATES


def needs_space(error: StoreError) -> bool:
    """Return whether the disk was full, or failed in a way that may mean the same."""
    cause = getattr(error.__cause__, "orig", error.__cause__)
    return _primary(getattr(cause, "sqlite_errorcode", None) or 0) in _NO_SPACE


def _store_error(name: str, error: BaseException | None) -> StoreError:
    if is_busy(error):
        return StoreBusy(f"{name} is in use by another process; try again in a moment")
    code = getattr(error, "sqlite_errorcode", None) or 0
    hint = _HINTS.get(code) or _HINTS.get(_primary(code))
    return StoreError(f"{name}: {hint or str(error).strip() or type(error).__name__}")


def _primary(code: int) -> int:
    """Return the primary part of an extended result code (sqlite.org/rescode.html)."""
    return code & 0xFF


def _sqlite(url: URL, busy_seconds: float, *, writes: bool) -> Engine:
    # Parameters hold orders and mails, so error messages must not show them.
    engine = create_engine(url, connect_args={"timeout": busy_seconds}, hide_parameters=True)

    # With isolation_level None the driver starts no transactions; the "begin" hook does
    # (SQLAlchemy's documentation of pysqlite).
    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys=ON").close()  # off by default in SQLite
        if writes:
            _enable_wal(connection, busy_seconds)
            # With a journal, NORMAL loses the last commits at a power failure: a message that was
            # sent would be sent again.
            connection.execute("PRAGMA synchronous=FULL").close()
            # Otherwise erased mails stay readable in the file.
            connection.execute("PRAGMA secure_delete=ON").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info["writes"] else "BEGIN")

    return engine


def _enable_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch to write-ahead logging."""
    # SQLite's own time-out does not cover two processes that switch a new store at once.
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= deadline:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


def _postgresql(url: URL, busy_seconds: float, **options: Any) -> Engine:
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
    # The server may have been restarted since the last transaction: pre_ping connects again then.
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, **options)
    timeout = f"{round(busy_seconds * 1000)}ms"

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        # A function, since SET accepts no parameters. Committed, since a rollback would undo it.
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", (timeout,))
        connection.commit()

    return engine
