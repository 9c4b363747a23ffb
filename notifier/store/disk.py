"""The files beside a SQLite store: atomic writes, free space with its reserve, and backups.

The ballast is a file of random bytes. If the disk is full when the outcome of a sent message must
be recorded, deleting the ballast frees the space for that record.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from notifier.errors import StoreError

MEBIBYTE = 1024 * 1024
# One outcome takes a few pages of 4 KiB in the journal.
BALLAST_BYTES = MEBIBYTE
MIN_FREE_BYTES = 4 * MEBIBYTE  # a day's messages, the journal, and some reserve
MIN_FREE_INODES = 8  # the journal, its index, the mark, the ballast, a backup, temporary files
# Erased data stays in the backups, so they must not be kept for long.
DAYS_KEPT = 7

_UNFINISHED = ".part-"
_BACKUP_DAY = re.compile(r"\.backup-(\d{4}-\d{2}-\d{2})")

logger = logging.getLogger(__name__)


@contextmanager
def write_atomically(file: Path) -> Iterator[Path]:
    """Yield a private temporary file to fill, then put it in the place of `file`, on the disk."""
    part = file.with_name(f"{file.name}{_UNFINISHED}{secrets.token_hex(4)}")
    part.touch(mode=0o600, exist_ok=False)
    try:
        yield part
        # The content before the name, or a power failure could leave an empty file of that name.
        _sync(part)
        part.replace(file)
        # The new name is on the disk only when the folder is.
        _sync(file.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_bytes(folder: Path) -> int:
    """Return the number of bytes that an ordinary user may still write there."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def refuse_full_disk(file: Path) -> None:
    """Raise StoreError if there may be too little space to record a delivery."""
    disk, free = os.statvfs(file.parent), free_bytes(file.parent)
    # Some file systems count no inodes, and report 0 of them.
    if disk.f_files and disk.f_favail < MIN_FREE_INODES:
        raise StoreError(
            f"the disk of {file} has no free inodes (df -i); nothing is sent until there are some"
        )
    if free < MIN_FREE_BYTES:
        raise StoreError(
            f"the disk of {file} is full ({free // 1024} KiB free, at least "
            f"{MIN_FREE_BYTES // 1024} KiB are needed); nothing is sent until there is space"
        )


def ballast_file(file: Path) -> Path:
    """Return the path of the ballast of a store."""
    return file.with_name(f"{file.name}.ballast")


def create_ballast(file: Path) -> None:
    """Create the ballast if it is missing and there is space for it."""
    ballast = ballast_file(file)
    if ballast.exists() or free_bytes(file.parent) < MIN_FREE_BYTES:
        return
    try:
        with write_atomically(ballast) as part:
            # Zeros would take no space on a file system that compresses.
            part.write_bytes(os.urandom(BALLAST_BYTES))
    except OSError as error:
        logger.warning("%s cannot be written: %s", ballast, error.strerror)


def delete_ballast(file: Path) -> None:
    """Free the space of the ballast."""
    logger.error("the disk of %s is full: the ballast was deleted; make space", file)
    ballast_file(file).unlink(missing_ok=True)


def daily_backup(file: Path, day: date) -> Path:
    """Return the path of one day's backup."""
    return file.with_name(f"{file.name}.backup-{day.isoformat()}")


def daily_backups(file: Path) -> dict[date, Path]:
    """Return the daily backups beside the store, oldest first."""
    found = ((_backup_day(path, file), path) for path in file.parent.glob(f"{file.name}.backup-*"))
    return dict(sorted((day, path) for day, path in found if day is not None))


def back_up(file: Path, day: date) -> bool:
    """Make the backup of a day if it is missing, delete old ones; return whether one was made.

    A failure is only logged as a warning.
    """
    # The old ones are deleted even if no new one was made: erased data must leave the backups, too.
    made = not daily_backup(file, day).exists() and _copy(file, daily_backup(file, day))
    for path in outdated_copies(file, day):
        path.unlink(missing_ok=True)
    return made


def back_up_before_migration(file: Path, schema: str) -> None:
    """Copy the store as it is before a migration to version `schema`."""
    _copy(file, file.with_name(f"{file.name}.before-{schema}"))


def outdated_copies(file: Path, day: date) -> Iterator[Path]:
    """Find backups beyond their retention, and unfinished files of killed processes."""
    backups = daily_backups(file)
    # A backup of a future day was made with a wrong clock, and would never become old.
    kept = [made_on for made_on in backups if made_on <= day][-DAYS_KEPT:]
    yield from (path for made_on, path in backups.items() if made_on not in kept)
    # A temporary file of today may be in use by another process.
    for pattern, days in ((f"{file.name}.before-*", DAYS_KEPT), (f"{file.name}*{_UNFINISHED}*", 0)):
        for path in file.parent.glob(pattern):
            changed_on = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
            if (day - changed_on).days > days:
                yield path


def _copy(file: Path, backup: Path) -> bool:
    try:
        if free_bytes(file.parent) < MIN_FREE_BYTES + file.stat().st_size:
            raise OSError("the disk is too full")  # noqa: TRY301 - reported like any other failure
        # Copied through SQLite: a copy of the file alone would miss the rows in the journal.
        with (
            write_atomically(backup) as part,
            closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(part)) as target,
        ):
            source.backup(target)
            # As one file: a journal beside it could be lost or mixed up.
            target.execute("PRAGMA journal_mode=DELETE").close()
    except (OSError, sqlite3.Error) as error:
        logger.warning("%s cannot be written: %s", backup, error, extra={"event": "no_backup"})
        return False
    return True


def _backup_day(path: Path, file: Path) -> date | None:
    name = _BACKUP_DAY.fullmatch(path.name.removeprefix(file.name))
    try:
        return date.fromisoformat(name[1]) if name else None
    except ValueError:
        return None
