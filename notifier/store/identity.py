"""Whose store it is: this machine's, and the newest state of it there was.

A restored backup and a cloned machine both hold messages that somebody has already sent. So the
store knows the machine it belongs to, as a hash, and counts its generations; a mark beside it, the
file `notifier.db.installed`, knows the store and the newest generation. A store that does not go
with its machine and its mark is not written to until a person says `notifier adopt`.

The mark is written after the store, so of a sound pair it is never ahead. Stores in PostgreSQL
have no mark, and belong to no one machine.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, Integer, Text, cast, insert, inspect, select, update
from sqlalchemy.exc import DBAPIError

from notifier.errors import StoreMoved
from notifier.store.durable import written
from notifier.store.engine import sqlite_file, transaction
from notifier.store.tables import marks

MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
STORE, MACHINE, GENERATION = "store", "machine", "generation"
"""Names among the store's marks."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a store, or the mark beside it, says of itself."""

    store: str
    """A random id."""
    machine: str | None
    """A hash; None on a machine that has no id."""
    generation: int


UNREADABLE = Identity("", None, 0)
"""A mark that cannot be read."""


def this_machine(named: str | None, files: Sequence[Path] = MACHINE_ID_FILES) -> str | None:
    """A hash that stands for this machine: of the name it was given, or else of its own id.

    The id itself is confidential: machine-id(5).
    """
    if named is not None:
        return _hash("name", named)
    for file in files:
        try:
            found = file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if found and found != "uninitialized":
            return _hash("machine-id", found)
    return None


def _hash(kind: str, value: str) -> str:
    return hashlib.sha256(f"notifier {kind} {value}".encode()).hexdigest()


def why_not_ours(stored: Identity | None, mark: Identity | None, machine: str | None) -> str | None:
    """Why a store must not be written to by this machine; None when it may.

    `stored` is None for a store that has no identity yet, `mark` where there is no mark.
    """
    return next(_doubts(stored, mark, machine), None)


def _doubts(stored: Identity | None, mark: Identity | None, machine: str | None) -> Iterator[str]:
    if mark == UNREADABLE:
        yield "has a mark beside it (.installed) that cannot be read"
    elif mark and stored and mark.store != stored.store:
        yield "is not the one that was here last"
    elif mark and (stored is None or mark.generation > stored.generation):
        yield "is older than the one that was here last, as a restored backup is"
    elif stored and stored.generation and not mark:
        yield "came here without the mark (.installed) that was beside it"
    if stored and stored.machine != machine:
        yield "belongs to another machine, or store.identity was changed"


def finding(engine: Engine, file: Path, machine: str | None) -> str | None:
    """Why the store must not be written to by this machine; None when it may."""
    # Twice, because another process may be making the store or its mark right now.
    return _finding(engine, file, machine) and _finding(engine, file, machine)


def _finding(engine: Engine, file: Path, machine: str | None) -> str | None:
    mark = read_mark(file)  # first: what is read first of a sound pair is never ahead
    with transaction(engine, writes=False) as connection:
        return why_not_ours(read_identity(connection), mark, machine)


def refuse_moved(engine: Engine, file: Path, machine: str | None) -> None:
    """Raise StoreMoved for a store that this machine must not write to."""
    if why := finding(engine, file, machine):
        raise StoreMoved(explained(file, why))


def explained(file: Path, why: str) -> str:
    """The finding as a sentence with the way out."""
    return (
        f"{file} {why}: what waits in it may have been sent by now, so nothing is sent. If this "
        "machine is to send from now on, and no other does: notifier adopt"
    )


def install(engine: Engine, machine: str | None) -> None:
    """Give a new store its identity, and bring the mark up to it."""
    if sqlite_file(engine.url) is None:
        return
    with transaction(engine, writes=False) as connection:
        known = read_identity(connection)
    if known is None:
        with transaction(engine, writes=True) as connection:
            if read_identity(connection) is None:  # somebody else may have been here meanwhile
                _write(connection, Identity(secrets.token_hex(16), machine, 0))
    publish(engine)


def take_over(engine: Engine, machine: str | None) -> None:
    """Make the store this machine's, and this state of it the newest."""
    file = sqlite_file(engine.url)
    if file is None:
        return
    mark = read_mark(file)
    with transaction(engine, writes=True) as connection:
        known = read_identity(connection) or Identity(secrets.token_hex(16), None, 0)
        newest = max(known.generation, mark.generation if mark else 0) + 1
        _write(connection, Identity(known.store, machine, newest))
    _bring_up(engine, anyway=True)


def advance(connection: Connection) -> None:
    """Begin a new generation, as a part of the transaction that makes the store different."""
    number = cast(cast(marks.c.value, Integer) + 1, Text)
    connection.execute(update(marks).where(marks.c.name == GENERATION).values(value=number))


def publish(engine: Engine) -> None:
    """Bring the mark up to the store.

    That it cannot be written is no reason to stop: a mark that lags behind refuses less.
    """
    try:
        _bring_up(engine)
    except (OSError, DBAPIError) as error:
        logger.warning("the mark of the store cannot be written: %s", error)


def _bring_up(engine: Engine, *, anyway: bool = False) -> None:
    file = sqlite_file(engine.url)
    if file is None:
        return
    with transaction(engine, writes=False) as connection:
        known = read_identity(connection)
    mark = read_mark(file)
    if known and (anyway or mark is None or mark.generation < known.generation):
        with written(mark_file(file)) as part:
            part.write_text(json.dumps(asdict(known)) + "\n", encoding="ascii")


def mark_file(file: Path) -> Path:
    """The mark beside the store."""
    return file.with_name(f"{file.name}.installed")


def read_mark(file: Path) -> Identity | None:
    """What the mark beside the store says; UNREADABLE if it makes no sense, None without one.

    An empty one says nothing, either: that is how the first version left it.
    """
    try:
        text = mark_file(file).read_text(encoding="ascii")
        return _identity(json.loads(text)) if text else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return UNREADABLE


def read_identity(connection: Connection) -> Identity | None:
    """What the store says of itself; None before it was given an identity."""
    if not inspect(connection).has_table(marks.name):
        return None
    names = select(marks.c.name, marks.c.value)
    said = {row.name: row.value for row in connection.execute(names)}
    return _identity(said) if STORE in said else None


def _identity(said: Mapping[str, object]) -> Identity:
    machine = said.get(MACHINE)
    if not isinstance(said[STORE], str) or not isinstance(machine, str | None):
        raise TypeError("an identity is text")
    return Identity(str(said[STORE]), machine or None, int(str(said[GENERATION])))


def _write(connection: Connection, identity: Identity) -> None:
    rows = {
        STORE: identity.store,
        MACHINE: identity.machine or "",
        GENERATION: str(identity.generation),
    }
    for name, value in rows.items():
        there = update(marks).where(marks.c.name == name).values(value=value)
        if connection.execute(there).rowcount == 0:
            connection.execute(insert(marks).values(name=name, value=value))
