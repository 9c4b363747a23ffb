"""The tables, the same on SQLite and PostgreSQL. docs/store.md explains each of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column

from notifier.i18n.foreign_text import storable

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(sa.TypeDecorator[datetime]):
    """An aware datetime in UTC; a naive one is refused."""

    # SQLite stores no zone: it is removed for the database, and added again after it.

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return UTC for the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone must not reach the store")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(sa.TypeDecorator[str]):
    """Foreign text, without the characters that a database may refuse: NUL, lone surrogates."""

    # Otherwise one odd reply of a server could not be stored, and its outcome would be lost.

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        """Return text that is valid UTF-8."""
        return None if value is None else storable(value)


def _id() -> Column[int]:
    # SQLite numbers rows by itself only in a column of type INTEGER.
    return Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


# One open alarm for each cause, even if two processes notice it at once.
_OPEN = sa.text("ended_at IS NULL")

runs = sa.Table(
    "runs",
    metadata,
    _id(),
    Column("account_id", sa.Text, nullable=False),
    Column("day", sa.Date, nullable=False),
    Column("edition", sa.Integer, nullable=False),
    Column("state", sa.Text, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("holder", sa.Text),
    Column("leased_until", Instant),
    Column("reason", Words),
    Column("why", Words),
    Column("waiting", sa.Integer),
    Column("new", sa.Integer),
    Column("collected", sa.Integer),
    # At most one digest a day, even if several processes begin it at the same time.
    sa.UniqueConstraint("account_id", "day", "edition"),
)

snapshots = sa.Table(
    "snapshots",
    metadata,
    Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("order_id", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("first_seen", sa.Date, nullable=False),
    Column("record", sa.Text, nullable=False),
)

messages = sa.Table(
    "messages",
    metadata,
    _id(),
    Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE")),
    Column("kind", sa.Text, nullable=False),
    Column("message_id", sa.Text, nullable=False, unique=True),
    Column("recipient", sa.Text, nullable=False),
    Column("envelope_from", sa.Text, nullable=False),
    Column("language", sa.Text, nullable=False),
    Column("subject", Words, nullable=False),
    Column("size", sa.Integer, nullable=False),
    Column("state", sa.Text, nullable=False),
    Column("attempts", sa.Integer, nullable=False, default=0),
    Column("created_at", Instant, nullable=False),
    Column("next_try_at", Instant),
    Column("give_up_at", Instant),
    Column("settled_at", Instant),
    Column("holder", sa.Text),
    Column("leased_until", Instant),
    Column("receipt", Words),
    # No run can send two copies to one recipient.
    sa.UniqueConstraint("run_id", "kind", "recipient"),
    sa.Index(None, "state", "next_try_at"),
)

# Apart from `messages`, since SQLite writes the whole row whenever one column changes.
bodies = sa.Table(
    "bodies",
    metadata,
    Column("message_id", sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("content", sa.LargeBinary, nullable=False),
)

attempts = sa.Table(
    "attempts",
    metadata,
    _id(),
    Column(
        "message_id", sa.ForeignKey("messages.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", sa.Text, nullable=False),
    Column("phase", sa.Text),
    Column("reply", Words),
)

audit = sa.Table(
    "audit",
    metadata,
    _id(),
    Column("at", Instant, nullable=False),
    Column("who", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("detail", Words),
)

# The listed orders of an account as of its last reading: `OrderState`.
sightings = sa.Table(
    "sightings",
    metadata,
    Column("account_id", sa.Text, primary_key=True),
    Column("order_id", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("shipped_on", sa.Date),
    Column("read_on", sa.Date),
    Column("waits", sa.Boolean, nullable=False),
    Column("comes_back", sa.Boolean, nullable=False),
)

hints = sa.Table(
    "hints",
    metadata,
    Column("account_id", sa.Text, primary_key=True),
    Column("order_id", sa.BigInteger, primary_key=True, autoincrement=False),
    Column("heard_at", Instant, nullable=False),
    Column("looked_at", Instant),
)

alarms = sa.Table(
    "alarms",
    metadata,
    _id(),
    Column("cause", sa.Text, nullable=False),
    Column("what", Words, nullable=False),
    Column("remedy", Words, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("ended_at", Instant),
    sa.Index("uq_alarms_open", "cause", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)

# Named values: `Meta`, and the store's `Identity`.
marks = sa.Table(
    "marks",
    metadata,
    Column("name", sa.Text, primary_key=True),
    Column("value", sa.Text, nullable=False),
)

Row = Any
"""A row of a query; its columns are attributes."""
