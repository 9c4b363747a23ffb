"""Examine a store for `notifier doctor`: it changes nothing, and continues after a failed check.

Each examination is a generator of findings. If it fails, the failure is a finding too.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, and_, func, select

from notifier.domain.findings import Finding, ok, problem, warning
from notifier.domain.ledger import MessageState, RunState
from notifier.domain.settings import StoreLocation
from notifier.errors import ExitCode, NotifierError
from notifier.store import disk, identity, migrations, opening
from notifier.store.engine import (
    display_name,
    reading_engine,
    sqlite_file,
    transaction,
    translate_errors,
)
from notifier.store.tables import messages, runs

LOW_SPACE = 16 * disk.MIN_FREE_BYTES
# Without a reader in the way, SQLite uses a journal of 1,000 pages (4 MiB) again from its start.
LARGE_JOURNAL = 16 * disk.MEBIBYTE
OLD_BACKUP = timedelta(days=2)
RECENTLY = timedelta(days=7)

_SUFFIXES = ("", "-wal", "-shm", ".installed", ".ballast")
_CLAIMED = (MessageState.SENDING, MessageState.DOT)
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def examine(
    location: StoreLocation, now: datetime, *, thoroughly: bool = False
) -> Iterator[Finding]:
    """Yield findings about a store in any state. `thoroughly` reads every page of it."""
    try:
        with translate_errors("store.url"):
            name, file = display_name(location.url), sqlite_file(location.url)
    except NotifierError as error:
        yield problem(str(error), code=error.exit_code)
        return
    if file is not None:
        yield from _survive(name, partial(_examine_file, file, now))
        # SQLite would show an empty file as a database without tables.
        if not _has_content(file):
            return
    content = partial(_examine_content, location, name, now, thoroughly=thoroughly)
    yield from _survive(name, content)


def _has_content(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except OSError:  # already found by `_examine_file`
        return False


def _survive(name: str, examination: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from examination()
    except NotifierError as error:
        text = str(error)
        yield warning(text) if error.temporary else problem(text, code=error.exit_code)
    except Exception as error:  # noqa: BLE001 - the next examination must still run
        text = f"{name} cannot be examined: {type(error).__name__}: {error}"
        yield problem(text, code=ExitCode.STORE)


def _examine_file(file: Path, now: datetime) -> Iterator[Finding]:
    with translate_errors(str(file)):
        opening.refuse_lost_or_foreign(file, busy_seconds=1)
        if not file.exists():
            yield ok(f"there is no store at {file} yet; the next notifier run creates it")
            return
        yield _space(file)
        yield from _access(file)
        yield _journal(file)
        yield _ballast(file)
        yield _backups(file, now)


def _space(file: Path) -> Finding:
    disk.refuse_full_disk(file)
    free = disk.free_bytes(file.parent)
    text = f"{free // disk.MEBIBYTE} MiB are free in {file.parent}"
    return ok(text) if free >= LOW_SPACE else warning(text, "make space soon")


def _access(file: Path) -> Iterator[Finding]:
    findings = (*_unwritable(file), *_open_to_others(file), *_foreign_owners(file))
    yield from findings
    if not findings:
        yield ok(f"only its owner, {_user(file.stat().st_uid)}, may read and change {file}")


def _unwritable(file: Path) -> Iterator[Finding]:
    for path in (file.parent, file):
        if not os.access(path, os.R_OK | os.W_OK):
            # SQLite creates its journal in the folder, so the file alone is not enough.
            yield problem(
                f"{path} cannot be written by {_user(os.geteuid())}",
                f"run as {_user(file.stat().st_uid)}, or change the owner with chown",
                code=ExitCode.STORE,
            )


def _open_to_others(file: Path) -> Iterator[Finding]:
    if file.parent.stat().st_mode & _WRITABLE_BY_OTHERS:
        yield warning(f"others may change {file.parent}", f"chmod go-w {file.parent}")
    for path in (*_files(file), *disk.daily_backups(file).values()):
        if path.stat().st_mode & _OPEN_TO_OTHERS:
            yield warning(f"others may read {path}", f"chmod 600 {path}")


def _foreign_owners(file: Path) -> Iterator[Finding]:
    owner = file.stat().st_uid
    for path in _files(file):
        if path.stat().st_uid != owner:
            text = f"{path} belongs to {_user(path.stat().st_uid)}, the store to {_user(owner)}"
            yield warning(text, f"chown {_user(owner)} {path}")


def _files(file: Path) -> Iterator[Path]:
    return filter(Path.exists, (file.with_name(f"{file.name}{suffix}") for suffix in _SUFFIXES))


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _journal(file: Path) -> Finding:
    journal = file.with_name(f"{file.name}-wal")
    size = journal.stat().st_size if journal.exists() else 0
    text = f"the journal has {size // 1024} KiB"
    if size < LARGE_JOURNAL:
        return ok(text)
    # A reader that never ends keeps SQLite from shortening the journal.
    return warning(f"{text}: {journal}", "look for a process that hangs while it reads the store")


def _ballast(file: Path) -> Finding:
    if disk.ballast_file(file).exists():
        return ok("the ballast exists")
    return warning(
        "there is no ballast: on a full disk an outcome might not be recorded",
        "make space; the next notifier run creates it",
    )


def _backups(file: Path, now: datetime) -> Finding:
    days = list(disk.daily_backups(file))
    if not days:
        return warning("there is no backup yet", "notifier run makes one a day")
    text = f"backups: {len(days)}, the newest of {days[-1]}"
    if now.date() - days[-1] < OLD_BACKUP:
        return ok(text)
    return warning(text, "notifier run makes one a day; look for its warnings")


def _examine_content(
    location: StoreLocation, name: str, now: datetime, *, thoroughly: bool
) -> Iterator[Finding]:
    with translate_errors(name):
        engine = reading_engine(location.url, busy_seconds=1)
        try:
            with transaction(engine, writes=False) as connection:
                yield _soundness(connection, name, thoroughly=thoroughly)
                version = migrations.schema_version(connection)
                yield _schema(version, name)
            file = sqlite_file(location.url)
            if file is not None:
                machine = identity.this_machine(location.identity)
                yield _ownership(file, identity.mismatch(engine, file, machine))
            if version is not None:
                with transaction(engine, writes=False) as connection:
                    yield from _outbox(connection, now)
                    yield from _ledger(connection, now)
        finally:
            engine.dispose()


def _soundness(connection: Connection, name: str, *, thoroughly: bool) -> Finding:
    if connection.dialect.name != "sqlite":
        return ok(f"{name} answers")
    if not thoroughly:
        opening.quick_check(connection, name)
        return ok(f"{name} passed the quick check (--integrity reads every page)")
    opening.integrity_check(connection, name)
    return ok(f"{name} is undamaged")


def _schema(version: str | None, name: str) -> Finding:
    migrations.refuse_newer(version, name)
    if version is None:
        return ok(f"{name} has no tables yet; the next notifier run creates them")
    if version != migrations.HEAD:
        return warning(
            f"{name} has schema {version}, this program {migrations.HEAD}",
            "the next notifier run brings it up to date",
        )
    return ok(f"its schema is {version}, the current one")


def _ownership(file: Path, why: str | None) -> Finding:
    if why is None:
        return ok("it belongs to this machine, and is the newest state known here")
    return problem(identity.explain(file, why), code=ExitCode.CONFIG)


def _outbox(connection: Connection, now: datetime) -> Iterator[Finding]:
    held = _count(connection, messages.c.state == MessageState.HELD)
    unknown = _count(connection, messages.c.state == MessageState.UNKNOWN)
    recent = and_(messages.c.state == MessageState.FAILED, messages.c.settled_at > now - RECENTLY)
    failed = _count(connection, recent)
    dead = and_(messages.c.state.in_(_CLAIMED), messages.c.leased_until <= now)
    left_behind = _count(connection, dead)
    if held:
        yield problem(
            f"messages held until a person decides: {held}",
            "notifier outbox, then notifier outbox retry or discard NUMBER",
            code=ExitCode.FAILED,
        )
    if unknown:
        text = f"messages whose delivery is unknown: {unknown}"
        yield warning(text, "they are sent again; see notifier outbox")
    if failed:
        text = f"messages that failed in the last {RECENTLY.days} days: {failed}"
        yield warning(text, "see notifier outbox")
    if left_behind:
        text = f"messages left behind by a process that died: {left_behind}"
        yield warning(text, "the next notifier run delivers them")
    if not (held or unknown or failed or left_behind):
        yield ok("no message is held, unknown, failed or left behind")


def _ledger(connection: Connection, now: datetime) -> Iterator[Finding]:
    dead = and_(runs.c.state == RunState.RUNNING, runs.c.leased_until <= now)
    stuck = select(runs.c.account_id, runs.c.day).where(dead).order_by(runs.c.day)
    stuck_runs = connection.execute(stuck).all()
    for run in stuck_runs:
        yield warning(
            f"the run of {run.account_id} for {run.day} was left behind by a process that died",
            "the next notifier run begins it again, or skips it if it is too late",
        )
    if not stuck_runs:
        yield ok("no run is stuck")


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(messages).where(which)
    number: int = connection.execute(query).scalar_one()
    return number
