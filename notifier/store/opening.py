"""Open an engine on a store that was found to be ours, whole, and of this program's schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from notifier.errors import StoreError
from notifier.store import care, schema
from notifier.store.engine import reading_engine, sqlite_file, transaction, writing_engine
from notifier.store.tables import metadata

IN_MEMORY = "sqlite://"


def to_write(url: str, name: str, busy_seconds: float) -> Engine:
    """An engine that may write to the store, which is made if there never was one."""
    file = sqlite_file(url)
    if file is not None:
        care.refuse_lost_or_foreign(file, busy_seconds)
        _make_room(file)
    with _kept_if_sound(writing_engine(url, busy_seconds=busy_seconds)) as engine:
        with transaction(engine, writes=False) as connection:
            care.quick_check(connection, name)
        schema.bring_up_to_date(engine, name)
        if file is not None:
            care.mark_installed(file)
    return engine


def to_read(url: str, name: str, busy_seconds: float) -> Engine:
    """An engine that cannot write; on an empty store in memory where there is none yet."""
    file = sqlite_file(url)
    if file is not None:
        care.refuse_lost_or_foreign(file, busy_seconds)
        if not file.exists():
            return _nothing_yet()
    with _kept_if_sound(reading_engine(url, busy_seconds=busy_seconds)) as engine:
        with transaction(engine, writes=False) as connection:
            version = schema.schema_version(connection)
        schema.refuse_newer(version, name)
        if version is not None and version != schema.HEAD:
            raise StoreError(
                f"{name} is from an older version of this program; the next `notifier run` "
                "brings it up to date"
            )
    if version is None:
        engine.dispose()
        return _nothing_yet()
    return engine


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
