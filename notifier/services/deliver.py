"""Deliver what is in the outbox: claim, send, record; one step at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.boundaries import Boundary, boundary
from notifier.domain.ledger import MessageState, OutboxMessage, Outcome
from notifier.domain.retry import next_try
from notifier.domain.settings import OnUnknown
from notifier.errors import MailRefused, MailUnavailable, Stopped
from notifier.shutdown import Stop
from notifier.smtp.connection import DeliveryOutcome, Envelope, MailConnection, SmtpStage
from notifier.store import Claim, Store

MARGIN = timedelta(minutes=5)
"""What a claim outlasts the longest transaction by."""

BEFORE_A_MESSAGE = frozenset({SmtpStage.CONNECT, SmtpStage.TLS, SmtpStage.LOGIN})
"""Phases in which the server knows nothing of a message yet, so that nothing is its fault."""

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
    """One pass over the outbox: each attempt, and the error that ended the pass early."""

    delivered: tuple[Delivered, ...]
    error: MailUnavailable | MailRefused | None = None


async def deliver_waiting(
    store: Store,
    mail: MailConnection,
    *,
    clock: Callable[[], datetime],
    holder: str,
    account_ids: Collection[str],
    on_unknown: OnUnknown = OnUnknown.RESEND,
    stop: Stop | None = None,
) -> DeliveryResult:
    """Deliver everything that may be tried now, one message after the other.

    A mail server that cannot be used at all ends the pass: the rest stays queued. So does a wish
    to stop, which is raised as Stopped.
    """
    if on_unknown is OnUnknown.HOLD:
        for message in await store.outbox.hold_unknown(clock(), account_ids=account_ids):
            _tell_held(message)
    for message in await store.outbox.give_up(clock(), account_ids=account_ids):
        _tell_given_up(message)
    done: list[Delivered] = []
    try:
        while delivered := await deliver_one(
            store,
            mail,
            clock=clock,
            holder=holder,
            account_ids=account_ids,
            on_unknown=on_unknown,
            stop=stop,
        ):
            done.append(delivered)
    except (MailUnavailable, MailRefused) as error:
        return DeliveryResult(tuple(done), error)
    return DeliveryResult(tuple(done))


async def deliver_one(
    store: Store,
    mail: MailConnection,
    *,
    clock: Callable[[], datetime],
    holder: str,
    account_ids: Collection[str],
    on_unknown: OnUnknown = OnUnknown.RESEND,
    stop: Stop | None = None,
) -> Delivered | None:
    """Make one attempt at one message; None when there is nothing to do.

    Raises MailUnavailable or MailRefused, once the attempt is recorded, when the server takes no
    mail at all, and Stopped when somebody asked to stop before the dot.
    """
    if stop is not None:
        stop.check()
    outbox = store.outbox
    claim = await outbox.claim(
        at=clock(),
        holder=holder,
        lease=mail.longest + MARGIN,
        account_ids=account_ids,
        unknown_too=on_unknown is OnUnknown.RESEND,
    )
    if claim is None:
        return None
    boundary(Boundary.CLAIMED)

    async def mark_dot() -> None:
        await outbox.mark_dot(claim, at=clock())
        boundary(Boundary.MARKED)

    try:
        delivery = await mail.send(_envelope(claim.message), before_dot=mark_dot)
    except (MailUnavailable, MailRefused, Stopped) as error:
        # Nobody looked at this message, so it waits for a working server and no longer.
        delivery = DeliveryOutcome(Outcome.DEFERRED, mail.phase, str(error))
        state = MessageState.DEFERRED
        await _record(store, claim, delivery, state, at=clock(), next_try_at=clock())
        raise
    boundary(Boundary.ANSWERED)
    tries = 1 + await _tries_so_far(store, claim.message)
    pause = next_try(tries, clock())
    state = _state_after(delivery.outcome, on_unknown)
    return await _record(store, claim, delivery, state, at=clock(), next_try_at=pause)


def _state_after(outcome: Outcome, on_unknown: OnUnknown) -> MessageState:
    held = outcome is Outcome.UNKNOWN and on_unknown is OnUnknown.HOLD
    return MessageState.HELD if held else _STATES[outcome]


async def _tries_so_far(store: Store, message: OutboxMessage) -> int:
    """Earlier attempts in which a server saw this message: the others say nothing about it."""
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
    boundary(Boundary.SETTLED)
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


def _tell_held(message: OutboxMessage) -> None:
    logger.error(
        "%s: nobody knows whether message %d to %s was accepted; it is held until a person decides",
        message.account_id,
        message.id,
        message.recipient,
        extra=_story("held", message),
    )


def _tell_given_up(message: OutboxMessage) -> None:
    logger.error(
        "%s: message %d to %s was not accepted in time and is given up: %s",
        message.account_id,
        message.id,
        message.recipient,
        message.receipt or "it was never tried",
        extra=_story("given_up", message),
    )


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
