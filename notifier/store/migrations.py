"""The history of the schema: one function for each version, applied in order.

To add a column: change tables.py, and append a function here that changes an existing store in the
same way. A test compares both results. Old functions stay as they are, whatever tables.py becomes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Engine,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
)

from notifier.errors import StoreError
from notifier.store import disk
from notifier.store.engine import sqlite_file, transaction
from notifier.store.tables import Instant

if TYPE_CHECKING:
    from alembic.operations import Operations

APPLICATION_ID = 0x52545200 + 0x6E
"""SQLite's number for the program that a file belongs to: "RTR" and an n, shown by `file`."""

_Id = BigInteger().with_variant(Integer(), "sqlite")
_version = Table(  # under Alembic's name and columns, as its own tools would make it
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def bring_up_to_date(engine: Engine, name: str) -> None:
    """Apply the missing migrations in one transaction: all of them or none."""
    with transaction(engine, writes=False) as connection:
        version = schema_version(connection)
    refuse_newer(version, name)
    if version == HEAD:
        return
    if version is not None and (file := sqlite_file(engine.url)):
        disk.back_up_before_migration(file, HEAD)
    with transaction(engine, writes=True) as connection:
        if connection.dialect.name == "postgresql":
            # One process at a time. On SQLite the transaction that writes is alone anyway.
            connection.execute(select(func.pg_advisory_xact_lock(APPLICATION_ID)))
        version = schema_version(connection)  # another process may have migrated meanwhile
        refuse_newer(version, name)
        if version != HEAD:
            migrate(connection, version)


def schema_version(connection: Connection) -> str | None:
    """Return the version of the schema; None for a store without tables."""
    if not inspect(connection).has_table(_version.name):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()


def refuse_newer(version: str | None, name: str) -> None:
    """Raise StoreError for a schema that this program does not know."""
    if version is not None and version > HEAD:
        raise StoreError(
            f"{name} was written by a newer version of this program (schema {version}, this one "
            f"knows {HEAD}); install that version again"
        )


def migrate(connection: Connection, version: str | None, to: str | None = None) -> None:
    """Apply the migrations after `version`, up to version `to` or else all."""
    # Loaded only here, so that a store that is up to date opens without Alembic.
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from alembic.operations import Operations  # noqa: PLC0415

    to = to or HEAD
    operations = Operations(MigrationContext.configure(connection))
    for number, upgrade in MIGRATIONS.items():
        if (version or "") < number <= to:
            upgrade(operations)
    _version.create(connection, checkfirst=True)
    connection.execute(delete(_version))
    connection.execute(insert(_version).values(version_num=to))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")


def _create_ledger_and_outbox(op: Operations) -> None:
    op.create_table(
        "runs",
        Column("id", _Id, nullable=False),
        Column("account_id", Text, nullable=False),
        Column("day", Date, nullable=False),
        Column("edition", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("begun_at", Instant, nullable=False),
        Column("finished_at", Instant),
        Column("holder", Text),
        Column("leased_until", Instant),
        Column("reason", Text),
        Column("why", Text),
        Column("waiting", Integer),
        Column("new", Integer),
        Column("collected", Integer),
        PrimaryKeyConstraint("id", name="pk_runs"),
        UniqueConstraint("account_id", "day", "edition", name="uq_runs_account_id_day_edition"),
    )
    op.create_table(
        "messages",
        Column("id", _Id, nullable=False),
        Column("run_id", _Id),
        Column("kind", Text, nullable=False),
        Column("message_id", Text, nullable=False),
        Column("recipient", Text, nullable=False),
        Column("envelope_from", Text, nullable=False),
        Column("language", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("content", LargeBinary),
        Column("size", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("next_try_at", Instant),
        Column("give_up_at", Instant),
        Column("settled_at", Instant),
        Column("holder", Text),
        Column("leased_until", Instant),
        Column("receipt", Text),
        ForeignKeyConstraint(["run_id"], ["runs.id"], "fk_messages_run_id", ondelete="CASCADE"),
        PrimaryKeyConstraint("id", name="pk_messages"),
        UniqueConstraint("message_id", name="uq_messages_message_id"),
        UniqueConstraint("run_id", "kind", "recipient", name="uq_messages_run_id_kind_recipient"),
    )
    op.create_index("ix_messages_state_next_try_at", "messages", ["state", "next_try_at"])
    op.create_table(
        "snapshots",
        Column("run_id", _Id, nullable=False),
        Column("order_id", BigInteger, autoincrement=False, nullable=False),
        Column("first_seen", Date, nullable=False),
        Column("record", Text, nullable=False),
        ForeignKeyConstraint(["run_id"], ["runs.id"], "fk_snapshots_run_id", ondelete="CASCADE"),
        PrimaryKeyConstraint("run_id", "order_id", name="pk_snapshots"),
    )
    op.create_table(
        "attempts",
        Column("id", _Id, nullable=False),
        Column("message_id", _Id, nullable=False),
        Column("started_at", Instant, nullable=False),
        Column("ended_at", Instant),
        Column("outcome", Text, nullable=False),
        Column("phase", Text),
        Column("reply", Text),
        ForeignKeyConstraint(
            ["message_id"], ["messages.id"], "fk_attempts_message_id", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_message_id", "attempts", ["message_id"])
    op.create_table(
        "audit",
        Column("id", _Id, nullable=False),
        Column("at", Instant, nullable=False),
        Column("who", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("detail", Text),
        PrimaryKeyConstraint("id", name="pk_audit"),
    )


def _create_alarms_and_marks(op: Operations) -> None:
    op.create_table(
        "alarms",
        Column("id", _Id, nullable=False),
        Column("cause", Text, nullable=False),
        Column("what", Text, nullable=False),
        Column("remedy", Text, nullable=False),
        Column("begun_at", Instant, nullable=False),
        Column("ended_at", Instant),
        PrimaryKeyConstraint("id", name="pk_alarms"),
    )
    is_open = text("ended_at IS NULL")
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
        Column("name", Text, nullable=False),
        Column("value", Text, nullable=False),
        PrimaryKeyConstraint("name", name="pk_marks"),
    )


def _move_bodies(op: Operations) -> None:
    op.create_table(
        "bodies",
        Column("message_id", _Id, nullable=False),
        Column("content", LargeBinary, nullable=False),
        ForeignKeyConstraint(
            ["message_id"], ["messages.id"], "fk_bodies_message_id", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("message_id", name="pk_bodies"),
    )
    op.execute(
        "INSERT INTO bodies (message_id, content) "
        "SELECT id, content FROM messages WHERE content IS NOT NULL"
    )
    op.drop_column("messages", "content")


def _create_sightings_and_hints(op: Operations) -> None:
    op.create_table(
        "sightings",
        Column("account_id", Text, nullable=False),
        Column("order_id", BigInteger, autoincrement=False, nullable=False),
        Column("shipped_on", Date),
        Column("read_on", Date),
        Column("waits", Boolean, nullable=False),
        Column("comes_back", Boolean, nullable=False),
        PrimaryKeyConstraint("account_id", "order_id", name="pk_sightings"),
    )
    op.create_table(
        "hints",
        Column("account_id", Text, nullable=False),
        Column("order_id", BigInteger, autoincrement=False, nullable=False),
        Column("heard_at", Instant, nullable=False),
        PrimaryKeyConstraint("account_id", "order_id", name="pk_hints"),
    )


def _add_looked_at(op: Operations) -> None:
    op.add_column("hints", Column("looked_at", Instant))


MIGRATIONS: dict[str, Callable[[Operations], None]] = {
    "0001": _create_ledger_and_outbox,
    "0002": _create_alarms_and_marks,
    "0003": _move_bodies,
    "0004": _create_sightings_and_hints,
    "0005": _add_looked_at,
}
HEAD = max(MIGRATIONS)
