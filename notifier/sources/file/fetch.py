"""How the bytes of a file come here, from a path or from the web, and how old they are."""

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
from notifier.http import HttpAnswer, HttpClient, NoAnswer, http_date

MOST_BYTES = 32 * 2**20
MOST_TRIES = 3
"""Of one address; a failed run is begun again anyway, ten minutes later."""

OPTION = "location in [accounts.ID.file]"
PAUSE_SECONDS = 2.0
JUST_WRITTEN = timedelta(seconds=10)
"""A file younger than this may still grow: it is looked at twice."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole file. `written_at` is None where nobody tells."""

    data: bytes = field(repr=False)
    written_at: datetime | None
    server_time: datetime | None = None
    calls: int = 0


def name_of(access: FileAccess) -> str:
    """What messages call the file. An address may be a secret: of it only the host is told."""
    if isinstance(access.location, Path):
        return str(access.location)
    return f"the file at {urlsplit(access.location.value).hostname}"


async def from_path(path: Path, now: datetime, *, limit: timedelta, sleep: Sleep) -> Fetched:
    """Read a file of this machine; raises FileRefused or FileUnavailable."""
    try:
        async with asyncio.timeout(limit.total_seconds()):
            fetched = await asyncio.to_thread(_read, path)
            if fetched.written_at and abs(now - fetched.written_at) < JUST_WRITTEN:
                await sleep(PAUSE_SECONDS)
                again = await asyncio.to_thread(_read, path)
                if again != fetched:
                    raise FileUnavailable(
                        f"{path} is being written at this moment; it is read again in some minutes"
                    )
    except TimeoutError:
        raise FileUnavailable(
            f"{path} could not be read within {limit.total_seconds():g} seconds; look at the disk "
            "or share it is on"
        ) from None
    return fetched


def _read(path: Path) -> Fetched:
    try:
        # Opened without waiting, so that a named pipe cannot hold us up.
        with open(path, "rb", opener=_without_waiting) as opened:
            before = os.fstat(opened.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise FileRefused(f"{path} is a device or pipe; name an ordinary file")
            data = opened.read(MOST_BYTES + 1)
            after = os.fstat(opened.fileno())
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(data) > MOST_BYTES:
        raise FileRefused(f"{path} is {_too_large()}")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise FileUnavailable(
            f"{path} was written while it was read; it is read again in some minutes"
        )
    return Fetched(data, datetime.fromtimestamp(after.st_mtime, UTC))


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _unreadable(path: Path, error: OSError) -> FileRefused | FileUnavailable:
    match error:
        case FileNotFoundError():
            return FileUnavailable(f"{path} is not there; see what has become of the export")
        case IsADirectoryError():
            return FileRefused(f"{path} is a folder; name a file in it")
        case PermissionError():
            return FileRefused(f"{path} may not be read by this user; change its owner or mode")
    return FileUnavailable(f"{path} cannot be read ({error.strerror}); look at its disk")


def _too_large() -> str:
    return (
        f"larger than {MOST_BYTES // 2**20} MiB; export only the orders that may wait, and no "
        "pictures"
    )


async def from_web(
    url: str, http: HttpClient, name: str, *, limit: timedelta, sleep: Sleep
) -> Fetched:
    """Ask for an address until it answers; raises FileRefused or FileUnavailable."""
    for calls in range(1, MOST_TRIES):
        try:
            return await _ask(url, http, name, limit, calls)
        except FileUnavailable:
            await sleep(calls * PAUSE_SECONDS)
    return await _ask(url, http, name, limit, MOST_TRIES)


async def _ask(url: str, http: HttpClient, name: str, limit: timedelta, calls: int) -> Fetched:
    try:
        answer = await http.get(url, timeout=limit, most_bytes=MOST_BYTES, option=OPTION)
    except NoAnswer as error:
        if error.retryable:
            raise FileUnavailable(f"{name} cannot be had: {error}") from None
        raise FileRefused(f"{name} cannot be had: {error}") from None
    _refuse(answer.status, name)
    told = _instant(answer, "date")
    modified = _instant(answer, "last-modified")
    return Fetched(answer.body, modified, told, calls)


def _refuse(status: int, name: str) -> None:
    match status:
        case 200:
            return
        case 401 | 403:
            raise FileRefused(f"{name} is refused to us ({status}); compare the address with yours")
        case 404 | 410:
            raise FileRefused(f"{name} is not there ({status}); compare the address with yours")
        case _ if 400 <= status < 500 and status not in (408, 425, 429):
            raise FileRefused(f"{name} is not given to us ({status}); try the address yourself")
    raise FileUnavailable(f"{name} cannot be had now ({status}); it is asked for again")


def _instant(answer: HttpAnswer, header: str) -> datetime | None:
    return http_date(answer.headers.get(header, ""))
