"""Look at a store as a doctor does: at everything, changing nothing, and never giving up half-way.

Each examination is a generator of findings. One that fails is a finding itself.
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
from notifier.store import backup, ballast, identity, maintenance, schema
from notifier.store.engine import reading_engine, shown, sqlite_file, transaction
from notifier.store.foreign import translated
from notifier.store.tables import messages, runs

ROOM_WORTH_A_LOOK = 16 * ballast.LEAST_ROOM
LARGE_JOURNAL = 16 * ballast.MEBIBYTE
OLD_COPY = timedelta(days=2)
RECENTLY = timedelta(days=7)

_OF_THE_STORE = ("", "-wal", "-shm", ".installed", ".ballast")
_IN_HAND = (MessageState.SENDING, MessageState.DOT)
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_CHANGED_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

Examination = Callable[[], Iterator[Finding]]


def examine(
    location: StoreLocation, now: datetime, *, thoroughly: bool = False
) -> Iterator[Finding]:
    """Everything about a store, whatever state it is in. `thoroughly` reads every page of it."""
    try:
        with translated("store.url"):
            name, file = shown(location.url), sqlite_file(location.url)
    except NotifierError as error:
        yield problem(str(error), code=error.exit_code)
        return
    if file is not None:
        yield from survived(name, partial(_file, file, now))
        if not _has_content(file):
            return
    yield from survived(name, partial(_content, location, name, now, thoroughly=thoroughly))


def _has_content(file: Path) -> bool:
    """Whether there is anything in it that may be looked at; why not was found before."""
    try:
        return file.stat().st_size > 0
    except OSError:
        return False


def survived(name: str, examination: Examination) -> Iterator[Finding]:
    """The findings of one examination; that it failed is one more."""
    try:
        yield from examination()
    except NotifierError as error:
        found = f"{error}"
        yield warning(found) if error.temporary else problem(found, code=error.exit_code)
    except Exception as error:  # noqa: BLE001 - the next examination has its turn
        what = f"{name} cannot be examined: {type(error).__name__}: {error}"
        yield problem(what, code=ExitCode.STORE)


def _file(file: Path, now: datetime) -> Iterator[Finding]:
    with translated(str(file)):
        maintenance.refuse_lost_or_foreign(file, busy_seconds=1)
        if not file.exists():
            yield ok(f"there is no store at {file} yet; the next notifier run makes it")
            return
        yield _room(file)
        yield from _owners(file)
        yield _journal(file)
        yield _ballast(file)
        yield _backups(file, now)


def _room(file: Path) -> Finding:
    ballast.refuse_full_disk(file)
    free = ballast.free_bytes(file.parent)
    told = f"{free // ballast.MEBIBYTE} MiB are free in {file.parent}"
    return ok(told) if free >= ROOM_WORTH_A_LOOK else warning(told, "make room soon")


def _owners(file: Path) -> Iterator[Finding]:
    owner, fine = file.stat().st_uid, True
    for finding in (*_writable(file), *_modes(file), *_strangers(file, owner)):
        fine = False
        yield finding
    if fine:
        yield ok(f"{file} belongs to {_user(owner)}, who alone may read and change it")


def _writable(file: Path) -> Iterator[Finding]:
    for path in (file.parent, file):
        if not os.access(path, os.R_OK | os.W_OK):
            yield problem(
                f"{path} cannot be written by {_user(os.geteuid())}",
                f"run as {_user(file.stat().st_uid)}, or change the owner with chown",
                code=ExitCode.STORE,
            )


def _modes(file: Path) -> Iterator[Finding]:
    if file.parent.stat().st_mode & _CHANGED_BY_OTHERS:
        yield warning(f"others may change {file.parent}", f"chmod go-w {file.parent}")
    for path in (*_there(file), *backup.daily_backups(file).values()):
        if path.stat().st_mode & _OPEN_TO_OTHERS:
            yield warning(f"others may read {path}", f"chmod 600 {path}")


def _strangers(file: Path, owner: int) -> Iterator[Finding]:
    for path in _there(file):
        if path.stat().st_uid != owner:
            whose = f"{path} belongs to {_user(path.stat().st_uid)}, the store to {_user(owner)}"
            yield warning(whose, f"chown {_user(owner)} {path}")


def _there(file: Path) -> Iterator[Path]:
    beside = (file.with_name(f"{file.name}{ending}") for ending in _OF_THE_STORE)
    return filter(Path.exists, beside)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _journal(file: Path) -> Finding:
    journal = file.with_name(f"{file.name}-wal")
    size = journal.stat().st_size if journal.exists() else 0
    told = f"the journal has {size // 1024} KiB"
    if size < LARGE_JOURNAL:
        return ok(told)
    return warning(f"{told}: {journal}", "look for a process that reads it and hangs")


def _ballast(file: Path) -> Finding:
    if ballast.ballast_file(file).exists():
        return ok("the ballast is there")
    return warning(
        "there is no ballast: a full disk could keep an outcome from being recorded",
        "make room; the next notifier run makes it",
    )


def _backups(file: Path, now: datetime) -> Finding:
    copies = list(backup.daily_backups(file))
    if not copies:
        return warning("there is no backup yet", "a notifier run makes one a day")
    told = f"backups: {len(copies)}, the newest of {copies[-1]}"
    if now.date() - copies[-1] < OLD_COPY:
        return ok(told)
    return warning(told, "notifier run makes one a day; see what it says")


def _content(
    location: StoreLocation, name: str, now: datetime, *, thoroughly: bool
) -> Iterator[Finding]:
    with translated(name):
        engine = reading_engine(location.url, busy_seconds=1)
        try:
            with transaction(engine, writes=False) as connection:
                yield _whole(connection, name, thoroughly=thoroughly)
                version = schema.schema_version(connection)
                yield _schema(version, name)
            file = sqlite_file(location.url)
            if file is not None:
                machine = identity.this_machine(location.identity)
                yield _owned(file, identity.finding(engine, file, machine))
            if version is not None:
                with transaction(engine, writes=False) as connection:
                    yield from _outbox(connection, now)
                    yield from _ledger(connection, now)
        finally:
            engine.dispose()


def _whole(connection: Connection, name: str, *, thoroughly: bool) -> Finding:
    if connection.dialect.name != "sqlite":
        return ok(f"{name} answers")
    if not thoroughly:
        maintenance.quick_check(connection, name)
        return ok(f"{name} is whole, as far as a quick check tells (--integrity looks closer)")
    maintenance.integrity_check(connection, name)
    return ok(f"{name} is whole")


def _schema(version: str | None, name: str) -> Finding:
    schema.refuse_newer(version, name)
    if version is None:
        return ok(f"{name} has no tables yet; the next notifier run makes them")
    if version != schema.HEAD:
        return warning(
            f"{name} has schema {version}, this program {schema.HEAD}",
            "the next notifier run brings it up to date",
        )
    return ok(f"its schema is {version}, as it should be")


def _owned(file: Path, why: str | None) -> Finding:
    if why is None:
        return ok("it belongs to this machine, and is the newest there was here")
    return problem(identity.explained(file, why), code=ExitCode.CONFIG)


def _outbox(connection: Connection, now: datetime) -> Iterator[Finding]:
    held = _count(connection, messages.c.state == MessageState.HELD)
    unknown = _count(connection, messages.c.state == MessageState.UNKNOWN)
    failing = and_(messages.c.state == MessageState.FAILED, messages.c.settled_at > now - RECENTLY)
    failed = _count(connection, failing)
    left = _count(connection, and_(messages.c.state.in_(_IN_HAND), messages.c.leased_until <= now))
    if held:
        yield problem(
            f"messages held until somebody decides: {held}",
            "notifier outbox, then notifier outbox retry or discard NUMBER",
            code=ExitCode.FAILED,
        )
    if unknown:
        told = f"messages of which nobody knows whether they arrived: {unknown}"
        yield warning(told, "they are sent again; see notifier outbox")
    if failed:
        told = f"messages that failed in the last {RECENTLY.days} days: {failed}"
        yield warning(told, "see notifier outbox")
    if left:
        told = f"messages left behind by a process that died: {left}"
        yield warning(told, "the next notifier run takes them up")
    if not (held or unknown or failed or left):
        yield ok("no message is held, unknown, failed or left behind")


def _ledger(connection: Connection, now: datetime) -> Iterator[Finding]:
    dead = and_(runs.c.state == RunState.RUNNING, runs.c.leased_until <= now)
    stuck = select(runs.c.account_id, runs.c.day).where(dead).order_by(runs.c.day)
    found = connection.execute(stuck).all()
    for run in found:
        yield warning(
            f"the run of {run.account_id} for {run.day} was left behind by a process that died",
            "the next notifier run begins it again, or skips it if it is too late",
        )
    if not found:
        yield ok("no run is stuck")


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(messages).where(which)
    number: int = connection.execute(query).scalar_one()
    return number
