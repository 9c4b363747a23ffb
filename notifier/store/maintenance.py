"""Care of the store: whose file it is, whether it is whole, and what is erased when.

A file of zero bytes opens as a new, empty database. So a mark beside the file says that there was
a store: where the mark is and the store is not, something was lost, and nobody starts from zero.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Select, and_, delete, func, or_, select

from notifier.domain.ledger import MessageState, RunState
from notifier.errors import StoreError
from notifier.store.engine import uri_to_read
from notifier.store.identity import mark_file
from notifier.store.tables import bodies, messages, runs, snapshots

APPLICATION_ID = 0x52545200 + 0x6E  # "RTR" and an n; `file` shows it, and other programs differ

RESTORE = "restore a backup of it: docs/store.md says how"

_FROZEN = (RunState.COMPLETE, RunState.INCOMPLETE)
_WAITING = tuple(state for state in MessageState if state.waiting)
_DAYS_KEPT = 2


def refuse_lost_or_foreign(file: Path, busy_seconds: float) -> None:
    """Refuse a file that is none of ours, before anything is opened. Raises StoreError."""
    if file.is_dir():
        raise StoreError(f"{file} is a folder; name a file in store.path")
    marked = mark_file(file).exists()  # first: another process may be making the store right now
    head = _read_head(file, busy_seconds) if _size(file) else None
    if marked and (head is None or not head.tables):
        raise StoreError(_lost(file))
    if head is None:
        return
    # A process that was killed while it made the store leaves an empty one.
    if head.application_id != APPLICATION_ID and (head.application_id or head.tables):
        raise StoreError(
            f"{file} is not a store of this program; name another file in store.path, or restore "
            "a backup"
        )
    # Pages are written whole. SQLite takes a last one that is cut off for one that ends in zeros.
    if _size(file) % head.page_size and not _size(file.with_name(f"{file.name}-wal")):
        raise StoreError(f"{file} is damaged (it was cut off); {RESTORE}")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _lost(file: Path) -> str:
    gone, mark = "is empty" if file.exists() else "is gone", mark_file(file).name
    return (
        f"{file} {gone}, but {mark} beside it says that there was a store; restore a backup "
        f"(docs/store.md). To start from zero on purpose, remove {mark}: then nothing is known "
        "of what was sent and since when parcels wait"
    )


def sign(connection: Connection) -> None:
    """Write into a SQLite file that it is ours."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")


def quick_check(connection: Connection, name: str) -> None:
    """Raise StoreError when SQLite finds damage."""
    if connection.dialect.name == "sqlite":
        _check("PRAGMA quick_check(1)", connection, name)


def integrity_check(connection: Connection, name: str) -> None:
    """Raise StoreError when SQLite finds damage, or an index or a reference that leads nowhere."""
    _check("PRAGMA integrity_check(1)", connection, name)
    astray = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if astray is not None:
        raise StoreError(f"{name} is damaged (a row of {astray[0]} belongs to none); {RESTORE}")


def _check(pragma: str, connection: Connection, name: str) -> None:
    found = connection.exec_driver_sql(pragma).scalar()
    if found != "ok":
        raise StoreError(f"{name} is damaged ({found}); {RESTORE}")


def erase(connection: Connection, before: datetime) -> int:
    """Erase bodies settled before an instant, and snapshots nobody compares with any more.

    The snapshots of each account's two newest frozen days stay, however old: the next digest is
    compared with the last, and a further edition of the last with the one before. Rows and counts
    stay too, for ledger and trend. Gives how many rows were touched.
    """
    # What nobody delivered, because its account is no longer configured, is never settled.
    left_lying = and_(messages.c.state.in_(_WAITING), messages.c.give_up_at < before)
    over = or_(messages.c.settled_at < before, left_lying)
    old_body = bodies.c.message_id.in_(select(messages.c.id).where(over))
    erased = connection.execute(delete(bodies).where(old_body))
    old_run = and_(runs.c.state.in_(_FROZEN), runs.c.finished_at < before)
    old_snapshot = and_(
        snapshots.c.run_id.in_(select(runs.c.id).where(old_run)),
        snapshots.c.run_id.not_in(_newest()),
    )
    return erased.rowcount + connection.execute(delete(snapshots).where(old_snapshot)).rowcount


def _newest() -> Select[tuple[int]]:
    """Ids of the runs of each account's newest frozen days, all of their editions."""
    age = func.dense_rank().over(partition_by=runs.c.account_id, order_by=runs.c.day.desc())
    frozen = select(runs.c.id, age.label("age")).where(runs.c.state.in_(_FROZEN)).subquery()
    return select(frozen.c.id).where(frozen.c.age <= _DAYS_KEPT)


@dataclass(frozen=True, slots=True)
class _Head:
    """What a SQLite file says of itself."""

    application_id: int
    tables: int
    page_size: int


def _read_head(file: Path, busy_seconds: float) -> _Head:
    """Ask SQLite, because the answer may still be in its journal."""
    with closing(sqlite3.connect(uri_to_read(file), uri=True, timeout=busy_seconds)) as opened:
        (application_id,) = opened.execute("PRAGMA application_id").fetchone()
        (tables,) = opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (page_size,) = opened.execute("PRAGMA page_size").fetchone()
    return _Head(application_id, tables, page_size)
