"""`notifier doctor`: examine everything a run needs, and change nothing."""

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

import click

from notifier import config
from notifier.cli.context import Invocation, pass_invocation
from notifier.config.build import likely_store
from notifier.config.file import decoded, is_there, read_small
from notifier.config.secrets import SECRET_FILE_OPTIONS
from notifier.config.warnings import find_warnings
from notifier.domain.clock import BUILT_AT
from notifier.domain.findings import Finding, exit_code, ok, problem, warning
from notifier.domain.reading import Failed, Incomplete, Reading
from notifier.domain.settings import Account, FileAccess, Settings
from notifier.errors import ConfigError, ExitCode, NotifierError
from notifier.http import HttpClient
from notifier.sources.file import OrderFile
from notifier.store.examination import examine

# Looked up if no configuration names a zone; the default of `timezone`.
ANY_ZONE = "Europe/Prague"


@click.command
@click.option("--integrity", is_flag=True, help="Read every page of a SQLite store.")
@pass_invocation
def command(invocation: Invocation, *, integrity: bool) -> int:
    """Examine configuration, clock, files and store; explain what is wrong.

    Prints one line per finding: ok, warning or problem, what was found, and what to do. Changes
    nothing, and works even if the configuration or the store is broken. The exit code is that of
    the gravest problem.
    """
    findings = []
    # Printed one by one, because reading every page of a large store takes long.
    for finding in _examine_all(invocation, integrity=integrity):
        invocation.echo(str(finding))
        findings.append(finding)
    return exit_code(findings)


def _examine_all(invocation: Invocation, *, integrity: bool) -> Iterator[Finding]:
    path = config.locate(invocation.config_file, invocation.environ)
    now = invocation.now()
    settings, found = _configuration(path, invocation)
    yield from found
    yield from _permissions(path)
    if settings:
        yield from _order_files(settings.accounts.values(), now)
    yield from _clock(now)
    yield from _time_zones(_zones(settings))
    location = settings.store if settings else likely_store(path, invocation.environ)
    yield from examine(location, now, thoroughly=integrity)


def _configuration(
    path: Path, invocation: Invocation
) -> tuple[Settings | None, tuple[Finding, ...]]:
    try:
        settings = config.load(path, environ=invocation.environ)
    except ConfigError as error:
        return None, tuple(problem(str(one), code=ExitCode.CONFIG) for one in error.problems)
    warnings = (warning(sentence) for sentence in find_warnings(settings, invocation.now()))
    return settings, (ok(f"{path}: no mistakes"), *warnings)


def _permissions(config_file: Path) -> Iterator[Finding]:
    """Check who may change the configuration, or read the secret files that it names."""
    secrets = [config_file.absolute().parent / name for name in _secret_files(config_file)]
    found = [*_config_file(config_file), *(one for file in secrets for one in _secret_file(file))]
    yield from found
    if not found and is_there(config_file):
        and_secrets = ", or read its secret files" if secrets else ""
        yield ok(f"no other user may change {config_file}{and_secrets}")


def _config_file(file: Path) -> Iterator[Finding]:
    try:
        mode = file.stat().st_mode
    except OSError:
        # Already reported when it was loaded.
        return
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        what = f"other users may change {file}, and so who gets the mail"
        yield warning(what, f"chmod go-w {file}")


def _secret_file(file: Path) -> Iterator[Finding]:
    try:
        status = file.stat()
    except OSError:
        # Already reported when the configuration was loaded.
        return
    if status.st_mode & (stat.S_IWGRP | stat.S_IRWXO):
        yield warning(f"other users may read or change {file}", f"chmod 600 {file}")
    # Root can read every file anyway, so its ownership is no risk.
    if status.st_uid not in (0, os.geteuid()):
        yield warning(
            f"{file} belongs to uid {status.st_uid}", "make this user or root its owner (chown)"
        )


def _secret_files(config_file: Path) -> Iterator[str]:
    """Yield the names of secret files, even from a configuration that has mistakes."""
    try:
        tree = tomllib.loads(decoded(read_small(config_file).data, str(config_file)))
    except (ConfigError, ValueError, RecursionError):
        return
    yield from _secret_files_in(tree)


def _secret_files_in(table: Mapping[str, object]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _secret_files_in(value)
        elif key in SECRET_FILE_OPTIONS and isinstance(value, str):
            yield value


def _order_files(accounts: Iterable[Account], now: datetime) -> Iterator[Finding]:
    """Read the order files of this machine as a run would; web addresses are not fetched."""
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
        counts = f"{reading.candidates} orders, {len(reading.orders)} waiting"
        yield ok(f"{account.name}: {file} can be read: {counts}")
    yield from (warning(f"{account.name}: {doubt}") for doubt in doubts)
    yield from _open_to_all(file)


async def _read(access: FileAccess, now: datetime) -> tuple[Reading, tuple[str, ...]]:
    async with HttpClient() as http:
        source = OrderFile(access, http, clock=lambda: now, warns=False)
        return await source.read(()), tuple(source.diagnostics.warnings())


def _open_to_all(file: Path) -> Iterator[Finding]:
    # A user who can change the list can hide a parcel. The file may be gone since it was read.
    with contextlib.suppress(OSError):
        if file.stat().st_mode & stat.S_IWOTH:
            yield warning(f"every user of this machine may change {file}", f"chmod o-w {file}")


def _clock(now: datetime) -> Iterator[Finding]:
    """Check that the clock can be right; a run also compares it with the marketplace's."""
    what = f"the clock says {now:%Y-%m-%d %H:%M} UTC"
    if now < BUILT_AT:
        what += ", which is before this program was built"
        yield problem(what, "set the clock (timedatectl)", code=ExitCode.FAILED)
    else:
        yield ok(what)


def _time_zones(names: Iterable[str]) -> Iterator[Finding]:
    has_system_data = any(Path(folder).is_dir() for folder in TZPATH)
    source = "the system's data" if has_system_data else "the package tzdata"
    for name in names:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            remedy = "install the system's tzdata, or pip install tzdata"
            yield problem(f"time zone {name} is not available", remedy, code=ExitCode.CONFIG)
        else:
            yield ok(f"time zone {name} is available, from {source}")


def _zones(settings: Settings | None) -> list[str]:
    if settings is None:
        return [ANY_ZONE]
    return sorted({account.schedule.timezone for account in settings.accounts.values()})
