"""Deliver what is in the outbox: claim, send, record; one step at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.errors import MailRefused, MailUnavailable
from notifier.ledger import MessageState, OutboxMessage, Outcome
from notifier.mail.smtp import Delivery, Envelope, MailConnection, Phase
from notifier.retries import next_try
from notifier.store import Store

CLAIM_LEASE = timedelta(minutes=20)
"""Longer than the slowest transaction: the wait for the answer to the dot alone is ten."""

logger = logging.getLogger(__name__)

_STATES = {
    Outcome.ACCEPTED: MessageState.SENT,
    Outcome.DEFERRED: MessageState.DEFERRED,
    Outcome.REJECTED: MessageState.FAILED,
    Outcome.UNKNOWN: MessageState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message and how this attempt to deliver it ended."""

    message: OutboxMessage
    state: MessageState
    reply: str
    next_try_at: datetime | None


async def deliver_waiting(
    store: Store,
    mail: MailConnection,
    *,
    clock: Callable[[], datetime],
    holder: str,
    account_ids: Collection[str],
) -> tuple[Delivered, ...]:
    """Deliver everything that may be tried now, one message after the other.

    A mail server that cannot be used at all ends it: the rest stays queued. That error
    (MailUnavailable, MailRefused) is raised once the message at hand is recorded.
    """
    for message in await store.outbox.give_up(clock(), account_ids=account_ids):
        logger.error(
            "%s was not accepted in time and is given up: %s",
            message.message_id,
            message.receipt,
            extra=_story("given_up", message),
        )
    done = []
    while delivered := await deliver_one(
        store, mail, clock=clock, holder=holder, account_ids=account_ids
    ):
        done.append(delivered)
    return tuple(done)


async def deliver_one(
    store: Store,
    mail: MailConnection,
    *,
    clock: Callable[[], datetime],
    holder: str,
    account_ids: Collection[str],
) -> Delivered | None:
    """Make one attempt at one message; None when there is nothing to do."""
    outbox = store.outbox
    message = await outbox.claim(
        at=clock(), holder=holder, lease=CLAIM_LEASE, account_ids=account_ids
    )
    if message is None:
        return None
    attempt_id = await outbox.begin_attempt(message, at=clock())

    async def mark_dot() -> None:
        await outbox.mark_dot(message, at=clock(), holder=holder)

    try:
        delivery = await mail.send(_envelope(message), before_dot=mark_dot)
    except (MailUnavailable, MailRefused) as error:
        # Nobody looked at this message, so it waits for a working server and no longer.
        delivery = Delivery(Outcome.DEFERRED, Phase.CONNECT, str(error))
        await _record(store, message, attempt_id, delivery, at=clock(), next_try_at=clock())
        raise
    pause = next_try(message.attempts + 1, clock())
    return await _record(store, message, attempt_id, delivery, at=clock(), next_try_at=pause)


async def _record(
    store: Store,
    message: OutboxMessage,
    attempt_id: int,
    delivery: Delivery,
    *,
    at: datetime,
    next_try_at: datetime,
) -> Delivered:
    state = _STATES[delivery.outcome]
    again = next_try_at if state.waiting else None
    await store.outbox.settle(
        message,
        attempt_id,
        outcome=delivery.outcome,
        state=state,
        at=at,
        phase=delivery.phase,
        reply=delivery.reply,
        next_try_at=again,
    )
    logger.log(
        logging.INFO if state is MessageState.SENT else logging.WARNING,
        "%s: message %d to %s is %s: %s",
        message.account_id,
        message.id,
        message.recipient,
        state,
        delivery.reply,
        extra=_story(str(delivery.outcome), message, phase=str(delivery.phase)),
    )
    return Delivered(message, state, delivery.reply, again)


def _envelope(message: OutboxMessage) -> Envelope:
    if message.content is None:
        raise ValueError(f"message {message.id} was claimed without its content")
    envid = message.message_id.strip("<>").partition("@")[0]
    return Envelope(message.envelope_from, message.recipient, message.content, envid)


def _story(event: str, message: OutboxMessage, **more: str) -> dict[str, object]:
    """Fields of a log line; the recipient is in the text for the operator, never a buyer."""
    return {
        "event": event,
        "account": message.account_id,
        "day": message.day.isoformat(),
        "number": message.id,
        **more,
    }
