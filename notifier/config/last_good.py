"""The last good configuration, kept for the days on which the file is broken.

It is a byte copy of the file, so it may hold secrets: only its owner may read it, and a copy that
others could read or change is never used. The time of its last change is when the file was last
found good. Environment variables and files of secrets are not in it; today's apply.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from notifier.config.build import likely_store, store_file
from notifier.config.file import Content, is_there, read_small, write_private

SUFFIX = ".last-good"
# Age at which the time of a copy is renewed. Once a minute, as the daemon checks, would wear out
# the disk.
REFRESH_SECONDS = 3600

logger = logging.getLogger(__name__)


def keep(path: Path, data: bytes, *, environ: Mapping[str, str], good_at: datetime) -> None:
    """Keep the bytes of a good file at `path`; if that is not possible, only log a warning."""
    # At both places, because a file that breaks later may no longer show where its store is.
    kept = [_keep_at(place, data, good_at.timestamp()) for place in _places(path, environ)]
    if not any(kept):
        logger.warning(
            "%s: cannot keep a copy as the last good configuration; the folder of the store "
            "is not writable",
            path,
            extra={"event": "no_copy"},
        )


def recall(path: Path, *, environ: Mapping[str, str]) -> tuple[bytes, datetime] | None:
    """Return the newest copy of the file at `path`, and when it was last found good (aware)."""
    copies = [copy for place in _places(path, environ) if (copy := _read(place))]
    if not copies:
        return None
    # Two copies differ when the store's place was changed since; the newer one is in force.
    newest = max(copies, key=lambda copy: copy.status.st_mtime)
    return newest.data, datetime.fromtimestamp(newest.status.st_mtime, UTC)


def _places(path: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Beside the store, and beside the default store: a broken file may hide where the store is.

    A hash in the name distinguishes the copies of several files that share one store folder.
    """
    # fsencode, because a path on Linux need not be valid UTF-8.
    digest = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:8]
    stores = [store_file(None, path.absolute().parent, environ)]
    url = likely_store(path, environ).url
    if url.startswith("sqlite:///"):
        stores.insert(0, Path(url.removeprefix("sqlite:///")))
    return tuple(dict.fromkeys(file.parent / f"{path.name}.{digest}{SUFFIX}" for file in stores))


def _keep_at(place: Path, data: bytes, good_at: float) -> bool:
    before = _read(place)
    try:
        if before is None or before.data != data:
            write_private(place, data, replace=True)
        elif abs(good_at - before.status.st_mtime) < REFRESH_SECONDS:
            return True
        # The time of the file is the record of when it was good: a byte copy has no room for one.
        os.utime(place, (good_at, good_at))
    except OSError:
        return False
    return True


def _read(place: Path) -> Content | None:
    """Read a copy; None, with a warning if there is one that cannot be trusted."""
    if not is_there(place):
        return None
    try:
        copy = read_small(place)
        _refuse_open_to_others(copy.status)
    except ValueError as error:
        logger.warning("%s is not used: it %s", place, error, extra={"event": "copy_ignored"})
        return None
    return copy


def _refuse_open_to_others(status: os.stat_result) -> None:
    # The copy decides who gets the mail, so a file that another user planted must not count.
    if status.st_uid != os.geteuid():
        raise ValueError(f"belongs to uid {status.st_uid} and not to this user")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError("is open to other users of this machine")
