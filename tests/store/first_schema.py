"""The tables of version 0001, which the first version of this program created.

Written out, since tables.py changes and these must not.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    insert,
)

from notifier.store.migrations import APPLICATION_ID
from notifier.store.tables import Instant

_Id = BigInteger().with_variant(Integer(), "sqlite")


def create_first_schema(connection: Connection) -> None:
    """Create a store as the first version of this program left it, without rows."""
    _metadata.create_all(connection)
    connection.execute(insert(_metadata.tables["alembic_version"]).values(version_num="0001"))
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")


_metadata = MetaData()
Table(
    "alembic_version",
    _metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
Table(
    "runs",
    _metadata,
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
Table(
    "messages",
    _metadata,
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
Index(
    "ix_messages_state_next_try_at",
    *(
        _metadata.tables["messages"].c[name]
        for name in (
            "state",
            "next_try_at",
        )
    ),
)
Table(
    "snapshots",
    _metadata,
    Column("run_id", _Id, nullable=False),
    Column("order_id", BigInteger, autoincrement=False, nullable=False),
    Column("first_seen", Date, nullable=False),
    Column("record", Text, nullable=False),
    ForeignKeyConstraint(["run_id"], ["runs.id"], "fk_snapshots_run_id", ondelete="CASCADE"),
    PrimaryKeyConstraint("run_id", "order_id", name="pk_snapshots"),
)
Table(
    "attempts",
    _metadata,
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
Index("ix_attempts_message_id", _metadata.tables["attempts"].c.message_id)
Table(
    "audit",
    _metadata,
    Column("id", _Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text),
    PrimaryKeyConstraint("id", name="pk_audit"),
)
