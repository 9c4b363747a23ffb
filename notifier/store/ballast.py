"""Room on the disk: none is begun without it, and a little is kept for what must be recorded.

The ballast is a file that takes up space for nothing. When the disk is full at the one moment at
which something must be written down, the outcome of a message that was sent, it is given up.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from notifier.errors import StoreError
from notifier.store.durable import written

logger = logging.getLogger(__name__)

MEBIBYTE = 1024 * 1024
SIZE = MEBIBYTE
LEAST_ROOM = 4 * MEBIBYTE
"""Bytes that must be free before anything is begun: a day's messages, a journal, and more."""

LEAST_FILES = 8


def ballast_file(file: Path) -> Path:
    """The ballast beside the store."""
    return file.with_name(f"{file.name}.ballast")


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write there."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def refuse_full_disk(file: Path) -> None:
    """Raise StoreError where what is sent could perhaps not be recorded."""
    free = free_bytes(file.parent)
    if not _has_inodes(file.parent):
        raise StoreError(
            f"the disk of {file} can take no more files (df -i); nothing is sent until it can"
        )
    if free < LEAST_ROOM:
        raise StoreError(
            f"the disk of {file} is full ({free // 1024} KiB free, at least "
            f"{LEAST_ROOM // 1024} KiB are needed); nothing is sent until there is room"
        )


def _has_inodes(folder: Path) -> bool:
    """Whether the journal and all can be made; some file systems need none and count none."""
    disk = os.statvfs(folder)
    return disk.f_files == 0 or disk.f_favail >= LEAST_FILES


def take_on(file: Path) -> None:
    """Make the ballast, if there is none and there is room for it."""
    ballast = ballast_file(file)
    if ballast.exists() or free_bytes(file.parent) < LEAST_ROOM:
        return
    try:
        with written(ballast) as part:
            # Zeros would take no room on a file system that compresses.
            part.write_bytes(os.urandom(SIZE))
    except OSError as error:
        logger.warning("%s cannot be made: %s", ballast, error.strerror)


def give_up(file: Path) -> None:
    """Make room."""
    logger.error("the disk of %s is full: the ballast is given up; make room", file)
    ballast_file(file).unlink(missing_ok=True)
