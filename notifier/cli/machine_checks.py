"""What a run needs of the machine: files that are ours, a clock, and time zones."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

from notifier.config.file import decoded, is_there, read_small
from notifier.domain.clock import BUILT_AT
from notifier.domain.findings import Finding, ok, problem, warning
from notifier.domain.reading import Failed, Incomplete, Reading
from notifier.domain.settings import Account, FileAccess
from notifier.errors import ConfigError, ExitCode, NotifierError
from notifier.http import HttpClient
from notifier.sources.file import OrderFile

FILES_OF_SECRETS = ("password_file", "client_id_file", "location_file")


def files(config: Path) -> Iterator[Finding]:
    """Who may change the configuration, and read the files of secrets that it names."""
    secrets = [config.absolute().parent / name for name in _named(config)]
    found = [*_config_file(config), *(one for file in secrets for one in _secret_file(file))]
    yield from found
    if not found and is_there(config):
        and_secrets = ", or read the files of secrets it names" if secrets else ""
        yield ok(f"nobody else may change {config}{and_secrets}")


def order_files(accounts: Iterable[Account], now: datetime) -> Iterator[Finding]:
    """Whether the lists on this machine can be read, as a run would; an address is not asked."""
    for account in accounts:
        if isinstance(account.access, FileAccess) and isinstance(account.access.location, Path):
            yield from _order_file(account, account.access, account.access.location, now)


def _order_file(
    account: Account, access: FileAccess, file: Path, now: datetime
) -> Iterator[Finding]:
    try:
        reading, doubts = asyncio.run(_read(access, now))
    except NotifierError as error:
        yield problem(str(error), code=error.exit_code)
        return
    if isinstance(reading, Failed):
        yield problem(f"{account.name}: {reading.why}", code=reading.error.exit_code)
        return
    if isinstance(reading, Incomplete):
        yield problem(f"{account.name}: {reading.why}", code=ExitCode.FAILED)
    else:
        counts = f"{reading.candidates} orders, {len(reading.orders)} of them wait"
        yield ok(f"{account.name}: {file} can be read: {counts}")
    yield from (warning(f"{account.name}: {doubt}") for doubt in doubts)
    yield from _open_to_all(file)


async def _read(access: FileAccess, now: datetime) -> tuple[Reading, tuple[str, ...]]:
    async with HttpClient() as http:
        source = OrderFile(access, http, clock=lambda: now, warns=False)
        return await source.read(()), tuple(source.diagnostics.warnings())


def _open_to_all(file: Path) -> Iterator[Finding]:
    """Who may change the list may hide a parcel."""
    with contextlib.suppress(OSError):  # it may have gone since
        if file.stat().st_mode & stat.S_IWOTH:
            yield warning(f"every user of this machine may change {file}", f"chmod o-w {file}")


def clock(now: datetime) -> Iterator[Finding]:
    """Whether the clock can be right; what the marketplace's says is asked by a run."""
    told = f"the clock says {now:%Y-%m-%d %H:%M} UTC"
    if now < BUILT_AT:
        what = f"{told}, which is before this program was made"
        yield problem(what, "set it (timedatectl)", code=ExitCode.FAILED)
    else:
        yield ok(told)


def time_zones(names: Iterable[str]) -> Iterator[Finding]:
    """Whether there are data of these zones, and whose."""
    system = any(Path(folder).is_dir() for folder in TZPATH)
    whose = "the system's" if system else "those of the package tzdata"
    for name in names:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            remedy = "install the system's tzdata, or pip install tzdata"
            yield problem(f"there are no data of the zone {name}", remedy, code=ExitCode.CONFIG)
        else:
            yield ok(f"the time zone {name} is known, from {whose}")


def _config_file(config: Path) -> Iterator[Finding]:
    try:
        mode = config.stat().st_mode
    except OSError:
        return  # what is wrong with it was told by whoever read it
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        what = f"others may change {config}, and with it who gets mail"
        yield warning(what, f"chmod go-w {config}")


def _secret_file(file: Path) -> Iterator[Finding]:
    try:
        found = file.stat()
    except OSError:
        return
    if found.st_mode & (stat.S_IWGRP | stat.S_IRWXO):
        yield warning(f"others may read or change {file}", f"chmod 600 {file}")
    if found.st_uid not in (0, os.geteuid()):
        yield warning(f"{file} belongs to uid {found.st_uid}", "it should be this user's or root's")


def _named(config: Path) -> Iterator[str]:
    """The files of secrets that a configuration names, also one that cannot be used."""
    try:
        tree = tomllib.loads(decoded(read_small(config).data, str(config)))
    except (ConfigError, ValueError, RecursionError):
        return
    yield from _named_in(tree)


def _named_in(table: Mapping[str, object]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _named_in(value)
        elif key in FILES_OF_SECRETS and isinstance(value, str):
            yield value
