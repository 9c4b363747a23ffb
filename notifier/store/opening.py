"""Open an engine on a store that was found to be ours, whole, and of this program's schema."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from notifier.errors import StoreError
from notifier.store import ballast, identity, maintenance, schema
from notifier.store.engine import (
    BUSY_SECONDS,
    reading_engine,
    sqlite_file,
    transaction,
    writing_engine,
)
from notifier.store.tables import metadata

IN_MEMORY = "sqlite://"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is opened, and for whom."""

    url: str
    name: str
    """The store as a person knows it."""
    machine: str | None
    """A hash that stands for this machine: `identity.this_machine`."""
    adopting: bool = False
    """Whether a store that belongs to another machine is opened as well."""
    busy_seconds: float = BUSY_SECONDS

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for any other store."""
        return sqlite_file(self.url)


def to_write(terms: Terms) -> Engine:
    """An engine that may write to the store, which is made if there never was one."""
    file = terms.file
    if file is not None:
        maintenance.refuse_lost_or_foreign(file, terms.busy_seconds)
        _make_room(file)
        ballast.refuse_full_disk(file)
    with _kept_if_sound(writing_engine(terms.url, busy_seconds=terms.busy_seconds)) as engine:
        _refuse_unsound(engine, terms)
        schema.bring_up_to_date(engine, terms.name)
        if file is not None and not terms.adopting:
            identity.install(engine, terms.machine)
        if file is not None:
            ballast.take_on(file)
    return engine


def to_read(terms: Terms) -> Engine:
    """An engine that cannot write; on an empty store in memory where there is none yet."""
    file = terms.file
    if file is not None:
        maintenance.refuse_lost_or_foreign(file, terms.busy_seconds)
        if not file.exists():
            return _nothing_yet()
    with _kept_if_sound(reading_engine(terms.url, busy_seconds=terms.busy_seconds)) as engine:
        with transaction(engine, writes=False) as connection:
            version = schema.schema_version(connection)
        schema.refuse_newer(version, terms.name)
        if version is not None and version != schema.HEAD:
            raise StoreError(
                f"{terms.name} is from an older version of this program; the next `notifier run` "
                "brings it up to date"
            )
        if file is not None and (why := identity.finding(engine, file, terms.machine)):
            logger.warning("%s", identity.explained(file, why), extra={"event": "store_moved"})
    if version is None:
        engine.dispose()
        return _nothing_yet()
    return engine


def why_not_ours(terms: Terms) -> str | None:
    """Why the SQLite store must not be written to by this machine; None when it may."""
    file = terms.file
    if file is None:
        return None
    maintenance.refuse_lost_or_foreign(file, terms.busy_seconds)
    if not file.exists():
        raise StoreError(f"there is no store at {file} yet; the next `notifier run` makes one")
    with _kept_if_sound(reading_engine(terms.url, busy_seconds=terms.busy_seconds)) as engine:
        why = identity.finding(engine, file, terms.machine)
    engine.dispose()
    return why


def _refuse_unsound(engine: Engine, terms: Terms) -> None:
    """Refuse what is damaged, newer than this program, or not ours, before anything is changed."""
    with transaction(engine, writes=False) as connection:
        maintenance.quick_check(connection, terms.name)
        schema.refuse_newer(schema.schema_version(connection), terms.name)
    if terms.file is not None and not terms.adopting:
        identity.refuse_moved(engine, terms.file, terms.machine)


def _nothing_yet() -> Engine:
    engine = writing_engine(IN_MEMORY)
    with transaction(engine, writes=True) as connection:
        metadata.create_all(connection)
    return engine


def _make_room(file: Path) -> None:
    """Make the folder and the file as ours alone: SQLite would follow the umask."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)


@contextmanager
def _kept_if_sound(engine: Engine) -> Iterator[Engine]:
    try:
        yield engine
    except BaseException:
        engine.dispose()
        raise
