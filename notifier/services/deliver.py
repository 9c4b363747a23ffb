"""Deliver what is in the outbox: claim, send, record; one step at a time."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.domain.ledger import MessageState, OutboxMessage, Outcome
from notifier.domain.schedule import next_try
from notifier.domain.settings import OnUnknown
from notifier.errors import MailRefused, MailUnavailable, Stopped
from notifier.services.context import Context
from notifier.smtp.connection import DeliveryOutcome, Envelope, MailConnection, SmtpStage
from notifier.store import Claim, Store

# For the writes before and after, and for clocks that differ. A claim that ends too early lets a
# second process send the same message.
MARGIN = timedelta(minutes=5)
"""How much longer a claim lasts than the longest transaction."""

BEFORE_A_MESSAGE = frozenset({SmtpStage.CONNECT, SmtpStage.TLS, SmtpStage.LOGIN})
"""Phases in which the server has seen no message yet, so a failure concerns none."""

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


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """Each attempt that was made, and the error that ended the loop early."""

    delivered: tuple[Delivered, ...]
    error: MailUnavailable | MailRefused | None = None

    def __add__(self, later: DeliveryResult) -> DeliveryResult:
        """Join two results; the error is that of the later one."""
        return DeliveryResult((*self.delivered, *later.delivered), later.error)


async def deliver_waiting(context: Context, account_ids: Collection[str]) -> DeliveryResult:
    """Deliver everything that may be tried now, one message after the other.

    `account_ids` names the accounts whose messages are sent. Alarms and reviews belong to none, and
    are always sent. If the mail server cannot be used at all, the rest stays queued. Raises Stopped
    after a request to stop.
    """
    # First, or a message would be tried after its time, or sent although it is to be held.
    await _settle_overdue(context, account_ids)
    done: list[Delivered] = []
    try:
        async with context.mail() as mail:
            while delivered := await deliver_one(context, mail, account_ids):
                done.append(delivered)
    # Returned, not raised: the messages before it were delivered, and alarms must see both.
    except (MailUnavailable, MailRefused) as error:
        return DeliveryResult(tuple(done), error)
    return DeliveryResult(tuple(done))


async def deliver_one(
    context: Context, mail: MailConnection, account_ids: Collection[str]
) -> Delivered | None:
    """Make one attempt to deliver one message; return None if no message may be tried now.

    Raises MailUnavailable or MailRefused if the server accepts no mail at all, and Stopped after a
    request to stop that came before the dot. The attempt is recorded first.
    """
    context.stop.check()
    store, clock = context.store, context.clock
    on_unknown = context.settings.smtp.on_unknown
    claim = await store.outbox.claim(
        at=clock(),
        holder=context.holder,
        lease=mail.max_duration + MARGIN,
        account_ids=account_ids,
        unknown_too=on_unknown is OnUnknown.RESEND,
    )
    if claim is None:
        return None

    # On the disk before the dot is sent: after a crash the next process must know that the server
    # may have the message.
    async def mark_dot() -> None:
        await store.outbox.mark_dot(claim, at=clock())

    try:
        delivery = await mail.send(_envelope(claim.message), before_dot=mark_dot)
    except (MailUnavailable, MailRefused, Stopped) as error:
        # The server has not seen this message, so it is due at once when the server works again.
        delivery = DeliveryOutcome(Outcome.DEFERRED, mail.phase, str(error))
        state = MessageState.DEFERRED
        await _record(store, claim, delivery, state, at=clock(), next_try_at=clock())
        raise
    tries = 1 + await _tries_so_far(store, claim.message)
    pause = next_try(tries, clock())
    state = _state_after(delivery.outcome, on_unknown)
    return await _record(store, claim, delivery, state, at=clock(), next_try_at=pause)


async def _settle_overdue(context: Context, account_ids: Collection[str]) -> None:
    """Hold what may have arrived, if it must not be sent twice, and give up what is too old."""
    # Held before given up: a message that may have arrived must not be recorded as failed.
    outbox, now = context.store.outbox, context.clock()
    if context.settings.smtp.on_unknown is OnUnknown.HOLD:
        for message in await outbox.hold_unknown(now, account_ids=account_ids):
            _log_held(message)
    for message in await outbox.give_up(now, account_ids=account_ids):
        _log_given_up(message)


def _state_after(outcome: Outcome, on_unknown: OnUnknown) -> MessageState:
    held = outcome is Outcome.UNKNOWN and on_unknown is OnUnknown.HOLD
    return MessageState.HELD if held else _STATES[outcome]


async def _tries_so_far(store: Store, message: OutboxMessage) -> int:
    """Count the earlier attempts in which a server saw this message."""
    # The others say nothing about it: after a day without the mail server, a message that is
    # deferred for the first time must wait five minutes, not an hour.
    if not message.attempts:
        return 0
    attempts = await store.outbox.attempts(message.id)
    ended = [attempt for attempt in attempts if attempt.ended_at is not None]
    return sum(attempt.phase not in BEFORE_A_MESSAGE for attempt in ended)


async def _record(
    store: Store,
    claim: Claim,
    delivery: DeliveryOutcome,
    state: MessageState,
    *,
    at: datetime,
    next_try_at: datetime,
) -> Delivered:
    message, again = claim.message, next_try_at if state.waiting else None
    await store.outbox.settle(
        claim,
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
        message.account_id or message.kind,
        message.id,
        message.recipient,
        state,
        delivery.reply,
        extra=_log_fields(str(delivery.outcome), message, phase=str(delivery.phase)),
    )
    return Delivered(message, state, delivery.reply, again)


def _log_held(message: OutboxMessage) -> None:
    logger.error(
        "%s: message %d to %s may or may not have been accepted; it is held for a person to decide",
        message.account_id or message.kind,
        message.id,
        message.recipient,
        extra=_log_fields("held", message),
    )


def _log_given_up(message: OutboxMessage) -> None:
    logger.error(
        "%s: message %d to %s was not accepted in time and is given up: %s",
        message.account_id or message.kind,
        message.id,
        message.recipient,
        message.receipt or "it was never tried",
        extra=_log_fields("given_up", message),
    )


def _envelope(message: OutboxMessage) -> Envelope:
    if message.content is None:
        raise ValueError(f"message {message.id} was claimed without its content")
    # A bounce repeats the ENVID (RFC 3461, 4.4), which so names the message in the outbox.
    envid = message.message_id.strip("<>").partition("@")[0]
    return Envelope(message.envelope_from, message.recipient, message.content, envid)


def _log_fields(event: str, message: OutboxMessage, **more: str) -> dict[str, object]:
    """Fields of a log line; the recipient is in the text for the operator, never a buyer."""
    return {
        "event": event,
        "account": message.account_id,
        "day": message.day.isoformat(),
        "number": message.id,
        **more,
    }
