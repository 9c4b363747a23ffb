"""The tables, the same on SQLite and PostgreSQL. docs/store.md explains each of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from notifier.i18n.foreign_text import storable

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware datetime in UTC; a naive one is refused. SQLite stores no zone, so it is added."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC for the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone must not reach the store")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Foreign text. Characters that no database takes (NUL, lone surrogates) are replaced.

    Otherwise the reply of a server could not be stored, and so the outcome would be lost.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Return text that is valid UTF-8."""
        return None if value is None else storable(value)


def _id() -> Column[int]:
    # SQLite numbers rows by itself only in a column of type INTEGER.
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


_OPEN = text("ended_at IS NULL")

runs = Table(
    "runs",
    metadata,
    _id(),
    Column("account_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("holder", Text),
    Column("leased_until", Instant),
    Column("reason", Words),
    Column("why", Words),
    Column("waiting", Integer),
    Column("new", Integer),
    Column("collected", Integer),
    UniqueConstraint("account_id", "day", "edition"),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("first_seen", Date, nullable=False),
    Column("record", Text, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    _id(),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE")),
    Column("kind", Text, nullable=False),
    Column("message_id", Text, nullable=False, unique=True),
    Column("recipient", Text, nullable=False),
    Column("envelope_from", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("subject", Words, nullable=False),
    Column("size", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("created_at", Instant, nullable=False),
    Column("next_try_at", Instant),
    Column("give_up_at", Instant),
    Column("settled_at", Instant),
    Column("holder", Text),
    Column("leased_until", Instant),
    Column("receipt", Words),
    UniqueConstraint("run_id", "kind", "recipient"),
    Index(None, "state", "next_try_at"),
)

# Apart from `messages`, since SQLite writes the whole row whenever one column changes.
bodies = Table(
    "bodies",
    metadata,
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    _id(),
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", Text, nullable=False),
    Column("phase", Text),
    Column("reply", Words),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", Instant, nullable=False),
    Column("who", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("detail", Words),
)

# What an account knew of its listed orders at the last reading: `OrderState`.
sightings = Table(
    "sightings",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("shipped_on", Date),
    Column("read_on", Date),
    Column("waits", Boolean, nullable=False),
    Column("comes_back", Boolean, nullable=False),
)

hints = Table(
    "hints",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("order_id", BigInteger, primary_key=True, autoincrement=False),
    Column("heard_at", Instant, nullable=False),
    Column("looked_at", Instant),
)

alarms = Table(
    "alarms",
    metadata,
    _id(),
    Column("cause", Text, nullable=False),
    Column("what", Words, nullable=False),
    Column("remedy", Words, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("uq_alarms_open", "cause", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)

# Named values: `Meta`, and the store's `Identity`.
marks = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

Row = Any
"""A row of a query; its columns are attributes."""
