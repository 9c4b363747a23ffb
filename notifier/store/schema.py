"""Bring a store to the schema of this program; refuse one that is foreign, broken or newer.

A file of zero bytes opens as a new, empty database. So a mark beside the file says that there was
a store: where the mark is and the store is not, something was lost, and nobody starts from zero.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Engine, func, inspect, select, text

from notifier.errors import StoreError
from notifier.store.engine import APPLICATION_ID, transaction

HEAD = "0001"
"""The newest migration; a test holds it to Alembic's own idea of it."""


def check_file(file: Path) -> None:
    """Refuse a file that is none of ours, before anything is opened. Raises StoreError."""
    mark = installed_mark(file)
    size = file.stat().st_size if file.exists() else 0
    if size == 0 and mark.exists():
        gone = "is empty" if file.exists() else "is gone"
        raise StoreError(
            f"{file} {gone}, but {mark.name} beside it says that there was a store; restore a "
            f"backup. To start from zero on purpose, remove {mark.name}: everything that waits "
            "is then new once more"
        )
    if size and not _is_ours(file):
        raise StoreError(
            f"{file} is not a store of this program; name another file in store.path, or restore "
            "a backup"
        )


def installed_mark(file: Path) -> Path:
    """The mark beside the store."""
    return file.with_name(f"{file.name}.installed")


def _is_ours(file: Path) -> bool:
    """Whether it carries our application id, or nothing at all: a process killed while it made
    the store leaves an empty one. SQLite is asked, because the answer may still be in its journal.
    """
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            (application_id,) = opened.execute("PRAGMA application_id").fetchone()
            (tables,) = opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_NOTADB:
            return False
        raise StoreError(
            f"{file} cannot be read ({error}); check who owns it, or restore a backup"
        ) from None
    return bool(application_id == APPLICATION_ID or (application_id == 0 and tables == 0))


def bring_up_to_date(engine: Engine, name: str) -> None:
    """Apply the migrations that are missing, in one transaction."""
    with transaction(engine, writes=False) as connection:
        if schema_version(connection) == HEAD:
            return
    with transaction(engine, writes=True) as connection:
        _alone(connection)
        version = schema_version(connection)
        refuse_newer(version, name)
        if version != HEAD:
            _migrate(connection)


def _alone(connection: Connection) -> None:
    """Let nobody else migrate meanwhile. On SQLite, whoever writes is alone already."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(APPLICATION_ID)))


def schema_version(connection: Connection) -> str | None:
    """The migration the store is at; None where there is none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return version


def refuse_newer(version: str | None, name: str) -> None:
    """Raise StoreError for a schema this program does not know."""
    if version is not None and version > HEAD:
        raise StoreError(
            f"{name} was written by a newer version of this program (schema {version}, this one "
            f"knows {HEAD}); install that version again"
        )


def quick_check(connection: Connection, name: str) -> None:
    """Raise StoreError when SQLite finds damage."""
    if connection.dialect.name != "sqlite":
        return
    try:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise StoreError(f"{name} is damaged ({found}); restore a backup of it")


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - only when there is something to do
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "notifier:store/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
