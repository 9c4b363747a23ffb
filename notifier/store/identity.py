"""The identity of a SQLite store: the machine it belongs to, and how new its state is.

A restored backup and a cloned machine both hold messages that may have been sent already. So the
store holds a hash of its machine, and counts its generations. The mark, a file beside it called
`notifier.db.installed`, holds the store's id and its newest generation. If a store does not match
its machine and its mark, nothing writes to it until a person runs `notifier adopt`.

The mark is written after the store, so it is never ahead of an intact store. Stores in PostgreSQL
have no mark, and belong to no machine.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, Integer, Text, cast, inspect, select, update
from sqlalchemy.exc import DBAPIError

from notifier.errors import StoreMoved
from notifier.store.disk import write_atomically
from notifier.store.engine import sqlite_file, transaction
from notifier.store.meta import write_value
from notifier.store.tables import marks

MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))

# Names in the table `marks`, and in the JSON of the mark.
_STORE, _MACHINE, _GENERATION = "store", "machine", "generation"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity as the store, or its mark, records it."""

    store: str
    """A random id."""
    machine: str | None
    """A hash; None on a machine without an id."""
    generation: int


UNREADABLE = Identity("", None, 0)
"""The result of reading a damaged mark."""


def this_machine(name: str | None, files: Sequence[Path] = MACHINE_ID_FILES) -> str | None:
    """Return a hash of this machine's configured name, or else of its machine id."""
    # A hash, since the id itself is confidential (machine-id(5)).
    if name is not None:
        return _hash("name", name)
    for file in files:
        try:
            machine_id = file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        # systemd writes "uninitialized" during the first boot (machine-id(5)).
        if machine_id and machine_id != "uninitialized":
            return _hash("machine-id", machine_id)
    return None


def _hash(kind: str, value: str) -> str:
    return hashlib.sha256(f"notifier {kind} {value}".encode()).hexdigest()


def compare(stored: Identity | None, mark: Identity | None, machine: str | None) -> str | None:
    """Return why this machine must not write to a store; None if it may.

    `stored` is None for a store without an identity, `mark` is None without a mark.
    """
    if mark == UNREADABLE:
        return "has a mark file (.installed) that cannot be read"
    if mark and stored and mark.store != stored.store:
        return "is not the store that was last used here"
    if mark and (stored is None or mark.generation > stored.generation):
        return "is older than the store last used here, as a restored backup is"
    # In generation 0, the process that created the store may have died before it wrote the mark.
    if stored and stored.generation and not mark:
        return "was copied here without its mark file (.installed)"
    if stored and stored.machine != machine:
        return "belongs to another machine, or store.identity was changed"
    return None


def mismatch(engine: Engine, file: Path, machine: str | None) -> str | None:
    """Return why this machine must not write to the store; None if it may."""
    # Twice: while another process creates the store or its mark, they seem not to match.
    return _mismatch_now(engine, file, machine) and _mismatch_now(engine, file, machine)


def _mismatch_now(engine: Engine, file: Path, machine: str | None) -> str | None:
    # The mark is read before the store. In the other order, a digest recorded in between would make
    # the mark seem ahead of the store.
    mark = read_mark(file)
    with transaction(engine, writes=False) as connection:
        return compare(read_identity(connection), mark, machine)


def refuse_moved(engine: Engine, file: Path, machine: str | None) -> None:
    """Raise StoreMoved if this machine must not write to the store."""
    if why := mismatch(engine, file, machine):
        raise StoreMoved(explain(file, why))


def explain(file: Path, why: str) -> str:
    """Return the mismatch as a sentence with the way out."""
    return (
        f"{file} {why}: its pending messages may have been sent already, so nothing is sent. If "
        "this machine shall send from now on, and no other does: notifier adopt"
    )


def install(engine: Engine, machine: str | None) -> None:
    """Give a new store its identity, and update the mark."""
    if sqlite_file(engine.url) is None:
        return
    with transaction(engine, writes=False) as connection:
        known = read_identity(connection)
    if known is None:
        with transaction(engine, writes=True) as connection:
            if read_identity(connection) is None:  # another process may have done it meanwhile
                _write(connection, Identity(secrets.token_hex(16), machine, 0))
    update_mark(engine)


def take_over(engine: Engine, machine: str | None) -> None:
    """Bind the store to this machine, and make its state the newest generation."""
    file = sqlite_file(engine.url)
    if file is None:
        return
    mark = read_mark(file)
    with transaction(engine, writes=True) as connection:
        known = read_identity(connection) or Identity(secrets.token_hex(16), None, 0)
        # Above the mark, too: it may belong to a later state, which is refused from now on.
        newest = max(known.generation, mark.generation if mark else 0) + 1
        _write(connection, Identity(known.store, machine, newest))
    _write_mark(engine, overwrite=True)


def advance(connection: Connection) -> None:
    """Start a new generation, in the transaction that changes the store."""
    number = cast(cast(marks.c.value, Integer) + 1, Text)
    connection.execute(update(marks).where(marks.c.name == _GENERATION).values(value=number))


def update_mark(engine: Engine) -> None:
    """Write the store's generation into the mark; only log a failure."""
    # An old mark detects fewer backups, but never refuses an intact store.
    try:
        _write_mark(engine)
    except (OSError, DBAPIError) as error:
        logger.warning("the mark of the store cannot be written: %s", error)


def _write_mark(engine: Engine, *, overwrite: bool = False) -> None:
    file = sqlite_file(engine.url)
    if file is None:
        return
    with transaction(engine, writes=False) as connection:
        known = read_identity(connection)
    mark = read_mark(file)
    if known and (overwrite or mark is None or mark.generation < known.generation):
        with write_atomically(mark_file(file)) as part:
            part.write_text(json.dumps(asdict(known)) + "\n", encoding="ascii")


def mark_file(file: Path) -> Path:
    """Return the path of the mark beside a store."""
    return file.with_name(f"{file.name}.installed")


def read_mark(file: Path) -> Identity | None:
    """Read the mark of a store; return UNREADABLE for an invalid one, None without one."""
    # The first version of this program wrote an empty mark, which counts as none.
    try:
        text = mark_file(file).read_text(encoding="ascii")
        return _identity(json.loads(text)) if text else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return UNREADABLE


def read_identity(connection: Connection) -> Identity | None:
    """Read the identity from the store; return None before it has one."""
    if not inspect(connection).has_table(marks.name):
        return None
    rows = connection.execute(select(marks.c.name, marks.c.value))
    values = {row.name: row.value for row in rows}
    return _identity(values) if _STORE in values else None


def _identity(values: Mapping[str, object]) -> Identity:
    store, machine = values[_STORE], values.get(_MACHINE)
    if not isinstance(store, str) or not isinstance(machine, str | None):
        raise TypeError("an identity is text")
    return Identity(store, machine or None, int(str(values[_GENERATION])))


def _write(connection: Connection, identity: Identity) -> None:
    write_value(connection, _STORE, identity.store)
    write_value(connection, _MACHINE, identity.machine or "")
    write_value(connection, _GENERATION, str(identity.generation))
