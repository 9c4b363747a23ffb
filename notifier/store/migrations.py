"""The version of the schema, and the functions that bring an older store up to date.

To add a column: change tables.py, from which a new store is created, and append a function here
that changes an existing store in the same way. A test compares both. Never change a function later:
it must leave the schema of its own version, even after tables.py has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Column, Connection, Engine, select

from notifier.errors import StoreError
from notifier.store import disk
from notifier.store.engine import sqlite_file, transaction
from notifier.store.tables import Instant, metadata

if TYPE_CHECKING:
    from alembic.operations import Operations

APPLICATION_ID = 0x52545200 + 0x6E
"""The number in a SQLite file that names its program: "RTR" and an n; `file` shows it."""

_version = sa.Table(  # with Alembic's names, so that its tools find it
    "alembic_version",
    sa.MetaData(),
    Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def bring_up_to_date(engine: Engine, name: str) -> None:
    """Create the tables, or apply the missing migrations, in one transaction: all or nothing."""
    # A store that is up to date opens without the lock of a transaction that writes.
    with transaction(engine, writes=False) as connection:
        version = schema_version(connection)
    refuse_newer(version, name)
    if version == HEAD:
        return
    if version is not None and (file := sqlite_file(engine.url)):
        disk.back_up_before_migration(file, HEAD)
    with transaction(engine, writes=True) as connection:
        if connection.dialect.name == "postgresql":
            # One process at a time. SQLite allows only one transaction that writes anyway.
            connection.execute(select(sa.func.pg_advisory_xact_lock(APPLICATION_ID)))
        version = schema_version(connection)  # another process may have migrated meanwhile
        refuse_newer(version, name)
        if version != HEAD:
            _create(connection) if version is None else _migrate(connection, version)


def schema_version(connection: Connection) -> str | None:
    """Return the version of the schema; None for a store without tables."""
    if not sa.inspect(connection).has_table(_version.name):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()


def refuse_newer(version: str | None, name: str) -> None:
    """Raise StoreError for a schema that this program does not know."""
    # Versions have four digits, so that text sorts them.
    if version is not None and version > HEAD:
        raise StoreError(
            f"{name} was written by a newer version of this program (schema {version}, this one "
            f"knows {HEAD}); install that version again"
        )


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    _version.create(connection)
    connection.execute(sa.insert(_version).values(version_num=HEAD))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")


def _migrate(connection: Connection, version: str) -> None:
    # Loaded only here, so that a store that is up to date opens without Alembic.
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from alembic.operations import Operations  # noqa: PLC0415

    operations = Operations(MigrationContext.configure(connection))
    for number, upgrade in MIGRATIONS.items():
        if number > version:
            upgrade(operations)
    connection.execute(sa.update(_version).values(version_num=HEAD))


def _create_alarms_and_marks(op: Operations) -> None:
    op.create_table(
        "alarms",
        Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        Column("cause", sa.Text, nullable=False),
        Column("what", sa.Text, nullable=False),
        Column("remedy", sa.Text, nullable=False),
        Column("begun_at", Instant, nullable=False),
        Column("ended_at", Instant),
        sa.PrimaryKeyConstraint("id", name="pk_alarms"),
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_alarms_open",
        "alarms",
        ["cause"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "marks",
        Column("name", sa.Text, nullable=False),
        Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_marks"),
    )


def _move_bodies(op: Operations) -> None:
    op.create_table(
        "bodies",
        Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        Column("content", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], "fk_bodies_message_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", name="pk_bodies"),
    )
    op.execute(
        "INSERT INTO bodies (message_id, content) "
        "SELECT id, content FROM messages WHERE content IS NOT NULL"
    )
    op.drop_column("messages", "content")


def _create_sightings_and_hints(op: Operations) -> None:
    op.create_table(
        "sightings",
        Column("account_id", sa.Text, nullable=False),
        Column("order_id", sa.BigInteger, autoincrement=False, nullable=False),
        Column("shipped_on", sa.Date),
        Column("read_on", sa.Date),
        Column("waits", sa.Boolean, nullable=False),
        Column("comes_back", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "order_id", name="pk_sightings"),
    )
    op.create_table(
        "hints",
        Column("account_id", sa.Text, nullable=False),
        Column("order_id", sa.BigInteger, autoincrement=False, nullable=False),
        Column("heard_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "order_id", name="pk_hints"),
    )


def _add_looked_at(op: Operations) -> None:
    op.add_column("hints", Column("looked_at", Instant))


MIGRATIONS: dict[str, Callable[[Operations], None]] = {
    "0002": _create_alarms_and_marks,
    "0003": _move_bodies,
    "0004": _create_sightings_and_hints,
    "0005": _add_looked_at,
}
HEAD = max(MIGRATIONS)
