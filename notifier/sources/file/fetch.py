"""Get the bytes of a file, from a path or an address, and the time when it was written."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from notifier.domain.settings import FileAccess
from notifier.errors import FileRefused, FileUnavailable
from notifier.http import HttpClient, NoAnswer, http_date

# Room for the 100,000 rows that `parsing.py` allows. They take about 250 MB when parsed, and a run
# has to stay below 256 MB.
MOST_BYTES = 32 * 2**20
# A failed run is started again ten minutes later anyway.
MOST_TRIES = 3

PAUSE_SECONDS = 2.0
# A younger file may still be growing, and one that ends between two rows looks complete. So it is
# read twice and compared.
JUST_WRITTEN = timedelta(seconds=10)

_OPTION = "location in [accounts.ID.file]"

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole file; `written_at` is None if the server does not state it."""

    data: bytes = field(repr=False)
    written_at: datetime | None
    server_time: datetime | None = None
    calls: int = 0


def display_name(access: FileAccess) -> str:
    """Return the file's name for messages; of an address only the host, as it may be a secret."""
    if isinstance(access.location, Path):
        return str(access.location)
    return f"the file at {urlsplit(access.location.value).hostname}"


async def fetch_path(path: Path, now: datetime, *, limit: timedelta, sleep: Sleep) -> Fetched:
    """Read a file of this machine; raises FileRefused or FileUnavailable."""
    try:
        # In a thread, because a network share may hang for longer than `limit`.
        async with asyncio.timeout(limit.total_seconds()):
            fetched = await asyncio.to_thread(_read, path)
            if fetched.written_at and abs(now - fetched.written_at) < JUST_WRITTEN:
                await sleep(PAUSE_SECONDS)
                if await asyncio.to_thread(_read, path) != fetched:
                    raise FileUnavailable(
                        f"{path} is being written now; it is read again in a few minutes"
                    )
    except TimeoutError:
        raise FileUnavailable(
            f"{path} could not be read within {limit.total_seconds():g} seconds; check its disk or "
            "network share"
        ) from None
    return fetched


def _read(path: Path) -> Fetched:
    try:
        # Without O_NONBLOCK, opening a named pipe waits for its writer.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as f:
            before = os.fstat(f.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise FileRefused(f"{path} is a device or pipe; name an ordinary file")
            # One byte more shows that the file is too large; its stated size may be out of date by
            # now.
            data = f.read(MOST_BYTES + 1)
            after = os.fstat(f.fileno())
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(data) > MOST_BYTES:
        raise FileRefused(
            f"{path} is larger than {MOST_BYTES // 2**20} MiB; export only the orders that may "
            "wait, and no pictures"
        )
    # An export that writes in place, without renaming, would leave half of a list here.
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise FileUnavailable(
            f"{path} was written while it was read; it is read again in a few minutes"
        )
    return Fetched(data, datetime.fromtimestamp(after.st_mtime, UTC))


def _unreadable(path: Path, error: OSError) -> FileRefused | FileUnavailable:
    match error:
        case FileNotFoundError():
            return FileUnavailable(f"{path} does not exist; check the export")
        case IsADirectoryError():
            return FileRefused(f"{path} is a folder; name a file in it")
        case PermissionError():
            return FileRefused(f"{path} may not be read by this user; change its owner or mode")
    return FileUnavailable(f"{path} cannot be read ({error.strerror}); check its disk")


async def fetch_url(
    url: str, http: HttpClient, name: str, *, limit: timedelta, sleep: Sleep
) -> Fetched:
    """Get a file from an address, with retries; raises FileRefused or FileUnavailable."""
    for calls in range(1, MOST_TRIES):
        try:
            return await _get(url, http, name, limit, calls)
        except FileUnavailable:
            await sleep(calls * PAUSE_SECONDS)
    return await _get(url, http, name, limit, MOST_TRIES)


async def _get(url: str, http: HttpClient, name: str, limit: timedelta, calls: int) -> Fetched:
    try:
        answer = await http.get(url, timeout=limit, most_bytes=MOST_BYTES, option=_OPTION)
    except NoAnswer as error:
        kind = FileUnavailable if error.retryable else FileRefused
        raise kind(f"{name} cannot be fetched: {error}") from None
    _check_status(answer.status, name)
    server_time, written_at = (
        http_date(answer.headers.get(header, "")) for header in ("date", "last-modified")
    )
    return Fetched(answer.body, written_at, server_time, calls)


def _check_status(status: int, name: str) -> None:
    match status:
        case 200:
            return
        case 401 | 403:
            raise FileRefused(f"access to {name} is denied ({status}); check the address")
        case 404 | 410:
            raise FileRefused(f"{name} does not exist ({status}); check the address")
        # The other errors of the request do not pass by themselves; these three do (RFC 9110,
        # 15.5.9; RFC 8470, 5.2; RFC 6585, 4).
        case _ if 400 <= status < 500 and status not in (408, 425, 429):
            raise FileRefused(f"the request for {name} is rejected ({status}); check the address")
    raise FileUnavailable(f"{name} cannot be fetched now ({status}); it is tried again")
