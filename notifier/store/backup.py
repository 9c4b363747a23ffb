"""Copies of a SQLite store, made while it is used: one a day, and one before each migration."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

from notifier.store.ballast import LEAST_ROOM, free_bytes
from notifier.store.durable import PART, written

KEPT = 7
"""Days, and copies."""

_DAY = re.compile(r"\.backup-(\d{4}-\d{2}-\d{2})")

logger = logging.getLogger(__name__)


def back_up(file: Path, day: date) -> bool:
    """Make the copy of this day, unless there is one, and drop old ones; whether it was made.

    A copy that cannot be made is a warning: it never stops a run.
    """
    made = not daily(file, day).exists() and _try(file, daily(file, day))
    for old in outdated(file, day):
        old.unlink(missing_ok=True)
    return made


def before_migration(file: Path, schema: str) -> None:
    """Make a copy of the store as it is before a migration to `schema`."""
    _try(file, file.with_name(f"{file.name}.before-{schema}"))


def daily(file: Path, day: date) -> Path:
    """The copy of one day."""
    return file.with_name(f"{file.name}.backup-{day.isoformat()}")


def daily_backups(file: Path) -> dict[date, Path]:
    """The daily copies beside the store, oldest first."""
    found = ((_day_of(path, file), path) for path in file.parent.glob(f"{file.name}.backup-*"))
    return dict(sorted((day, path) for day, path in found if day is not None))


def outdated(file: Path, day: date) -> Iterator[Path]:
    """Copies that hold texts longer than they should, and what a process that died left behind.

    A copy of a day to come was made by a wrong clock; it would never grow old.
    """
    copies = daily_backups(file)
    kept = [one for one in copies if one <= day][-KEPT:]
    yield from (path for one, path in copies.items() if one not in kept)
    for pattern, days in ((f"{file.name}.before-*", KEPT), (f"{file.name}*{PART}*", 0)):
        for path in file.parent.glob(pattern):
            if (day - _changed_on(path)).days > days:
                yield path


def _try(file: Path, copy: Path) -> bool:
    try:
        _refuse_without_room(file)
        with written(copy) as part:
            _copy(file, part)
    except (OSError, sqlite3.Error) as error:
        logger.warning("%s cannot be made: %s", copy, error, extra={"event": "no_backup"})
        return False
    return True


def _refuse_without_room(file: Path) -> None:
    if free_bytes(file.parent) < LEAST_ROOM + file.stat().st_size:
        raise OSError("the disk is too full for it")


def _copy(file: Path, part: Path) -> None:
    """Copy through SQLite: what was written last may still be in the journal."""
    with (
        closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as store,
        closing(sqlite3.connect(part)) as copy,
    ):
        store.backup(copy)
        # A file of its own, without a journal that could get lost or mixed up.
        copy.execute("PRAGMA journal_mode=DELETE").close()


def _day_of(path: Path, file: Path) -> date | None:
    found = _DAY.fullmatch(path.name.removeprefix(file.name))
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _changed_on(path: Path) -> date:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
