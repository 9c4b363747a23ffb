"""Bring a store to the schema of this program; refuse one that is newer."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, inspect, select, text

from notifier.errors import StoreError
from notifier.store import backup
from notifier.store.engine import sqlite_file, transaction
from notifier.store.maintenance import APPLICATION_ID, sign

HEAD = "0005"
"""The newest migration; a test holds it to Alembic's own idea of it.

Known without Alembic, so that a store that is up to date is opened without loading that.
"""


def bring_up_to_date(engine: Engine, name: str) -> None:
    """Apply the migrations that are missing, in one transaction."""
    with transaction(engine, writes=False) as connection:
        version = schema_version(connection)
    refuse_newer(version, name)
    if version == HEAD:
        return
    if version is not None and (file := sqlite_file(engine.url)):
        backup.before_migration(file, HEAD)
    with transaction(engine, writes=True) as connection:
        _alone(connection)
        version = schema_version(connection)  # somebody else may have been here meanwhile
        refuse_newer(version, name)
        if version != HEAD:
            _migrate(connection)
            sign(connection)


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


def _alone(connection: Connection) -> None:
    """Let nobody else migrate meanwhile. On SQLite, whoever writes is alone already."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(APPLICATION_ID)))


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - only when there is something to do
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "notifier:store/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
