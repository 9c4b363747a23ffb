"""Rows of the outbox: the query for them, their conversion, and adding one to a transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, exists, insert, or_, select

from notifier.domain.ledger import FrozenMessage, MessageKind, MessageState, OutboxMessage, Run
from notifier.store.tables import Row, bodies, messages, runs

_NEW_MESSAGE = insert(messages).returning(messages.c.id)


def enqueue(
    connection: Connection,
    message: FrozenMessage,
    kind: MessageKind,
    *,
    run: Run | None = None,
    at: datetime,
    give_up_at: datetime,
) -> None:
    """Add a message as a part of a transaction. Raise IntegrityError if it exists already."""
    row = {
        "run_id": run.id if run else None,
        "kind": kind,
        "message_id": message.message_id,
        "recipient": message.recipient,
        "envelope_from": message.envelope_from,
        "language": message.language,
        "subject": message.subject,
        "size": len(message.content),
        "state": MessageState.QUEUED,
        "attempts": 0,
        "created_at": at,
        "give_up_at": give_up_at,
    }
    number = connection.execute(_NEW_MESSAGE, row).scalar_one()
    connection.execute(insert(bodies), {"message_id": number, "content": message.content})


def of_accounts(account_ids: Collection[str] | None) -> ColumnElement[bool]:
    """Match messages of these accounts, and those of no account; all messages for None."""
    if account_ids is None:
        return messages.c.id.is_not(None)
    chosen = select(runs.c.id).where(runs.c.account_id.in_(tuple(account_ids)))
    return or_(messages.c.run_id.is_(None), messages.c.run_id.in_(chosen))


def select_messages() -> Select[Row]:
    """Select messages with the account, day and edition of their run."""
    columns = (messages, runs.c.account_id, runs.c.day, runs.c.edition)
    return select(*columns).outerjoin(runs, runs.c.id == messages.c.run_id)


HAS_BODY = exists().where(bodies.c.message_id == messages.c.id)
WITH_BODY = (
    select_messages()
    .add_columns(bodies.c.content)
    .outerjoin(bodies, bodies.c.message_id == messages.c.id)
)


def to_message(row: Row, content: bytes | None = None) -> OutboxMessage:
    """Return a row as a value."""
    return OutboxMessage(
        id=row.id,
        kind=MessageKind(row.kind),
        account_id=row.account_id or "",
        # Alarms and reviews belong to no run, and so to no account and day.
        day=row.day or row.created_at.date(),
        edition=row.edition or 0,
        message_id=row.message_id,
        recipient=row.recipient,
        envelope_from=row.envelope_from,
        subject=row.subject,
        state=MessageState(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        size=row.size,
        next_try_at=row.next_try_at,
        give_up_at=row.give_up_at,
        settled_at=row.settled_at,
        receipt=row.receipt,
        content=content,
    )
