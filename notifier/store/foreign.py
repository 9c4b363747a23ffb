"""What the database's errors mean to us: the only place that knows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from notifier.errors import StoreBusy, StoreError

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_HINTS = {
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a backup of it",
    sqlite3.SQLITE_NOTADB: "it is not a database; check store.path, or restore a backup",
    sqlite3.SQLITE_FULL: "the disk is full; nothing was recorded, make room",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the owner of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its folder exists and is ours",
    sqlite3.SQLITE_IOERR: "the disk reports an error; check it before anything else",
}


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn errors of the database into StoreError or StoreBusy that name the store."""
    try:
        yield
    except DBAPIError as error:
        raise _ours(name, error.orig) from error
    except SQLAlchemyError as error:
        raise StoreError(f"{name}: {error}") from error


def _ours(name: str, error: BaseException | None) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        primary = code & 0xFF  # the rest says more of the same: sqlite.org/rescode.html
        if primary in _BUSY:
            return StoreBusy(f"{name} is in use by another process; try again in a moment")
        if primary in _HINTS:
            return StoreError(f"{name}: {_HINTS[primary]}")
    return StoreError(f"{name}: {str(error).strip() or type(error).__name__}")
