"""What the database's errors mean to us: the only place that knows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError, StatementError

from notifier.errors import StoreBusy, StoreError

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
"""A full quota, and a journal's index that cannot grow, are told as errors of the disk."""
_BUSY_STATES = (
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "53300",  # too_many_connections
    "55P03",  # lock_not_available
    "57P03",  # cannot_connect_now
)
"""Of PostgreSQL: its documentation, appendix A."""
_HINTS = {
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a backup of it",
    sqlite3.SQLITE_NOTADB: (
        "it is not a store of this program; name another file in store.path, or restore a backup"
    ),
    sqlite3.SQLITE_FULL: "the disk is full; nothing was recorded, make room",
    sqlite3.SQLITE_READONLY: (
        "it cannot be written; check the owner of the file and its folder, and the disk"
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened; check that this user may read the file and write to its folder, and "
        "that the disk is not read-only"
    ),
    sqlite3.SQLITE_IOERR: "the disk reports an error; check it before anything else",
}


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn errors of the database, and of its file, into StoreError or StoreBusy that name it."""
    try:
        yield
    except DBAPIError as error:
        raise _ours(name, error.orig) from error
    except sqlite3.Error as error:
        raise _ours(name, error) from error
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
        # Not even as a cause: it may quote the URL, and that may hold a password.
        raise StoreError("store.url is not a database URL; see docs/store.md") from None
    except StatementError as error:
        raise StoreError(f"{name}: {error.orig}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{name}: {error}") from error


def is_busy(error: BaseException | None) -> bool:
    """Whether somebody else is in the way, and only for now."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _primary(code) in _BUSY
    return getattr(error, "sqlstate", None) in _BUSY_STATES


def needs_room(error: StoreError) -> bool:
    """Whether the disk was full, or failed in a way that may be for want of room."""
    cause = getattr(error.__cause__, "orig", error.__cause__)
    return _primary(getattr(cause, "sqlite_errorcode", None) or 0) in _NO_ROOM


def _ours(name: str, error: BaseException | None) -> StoreError:
    if is_busy(error):
        return StoreBusy(f"{name} is in use by another process; try again in a moment")
    hint = _HINTS.get(_primary(getattr(error, "sqlite_errorcode", None) or 0))
    return StoreError(f"{name}: {hint or str(error).strip() or type(error).__name__}")


def _primary(code: int) -> int:
    """Without what says more of the same (sqlite.org/rescode.html)."""
    return code & 0xFF
