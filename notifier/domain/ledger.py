"""The words of the run ledger and the outbox: states, and the rows as values.

States, with the same words in the store, in tables on the terminal, and in the docs::

    run      running → complete | incomplete | failed | skipped | abandoned
    message  queued → sending → dot → sent; or deferred, failed, unknown, held, discarded
    attempt  started → accepted | deferred | rejected | unknown
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

AUTOMATIC_EDITION = 1


class RunState(StrEnum):
    """How far a run got. Complete and incomplete runs are frozen and never composed again."""

    RUNNING = "running"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """Frozen from a list of which a part could not be read; the mail says so."""
    FAILED = "failed"
    """Nothing was frozen; it may be begun again until the day is too late."""
    SKIPPED = "skipped"
    """The day has no digest and will have none."""
    ABANDONED = "abandoned"
    """The clock could not be believed; it may be begun again, or a wrong day would be blocked."""

    @property
    def settled(self) -> bool:
        """Whether the day of this run needs nothing more."""
        return self not in (RunState.RUNNING, RunState.FAILED, RunState.ABANDONED)


class MessageKind(StrEnum):
    """What a message is."""

    DIGEST = "digest"
    NOTICE = "notice"
    """That the list could not be read, on a day without a digest so far."""
    ALARM = "alarm"
    """To the admin, of a failure or its end; it belongs to no run."""
    REVIEW = "review"
    """To the admin, once a month: who gets the digests; it belongs to no run."""


class MessageState(StrEnum):
    """How far one message got on its way to one recipient."""

    QUEUED = "queued"
    SENDING = "sending"
    DOT = "dot"
    """The final dot may have been sent; the server's answer is not recorded yet."""
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HELD = "held"
    DISCARDED = "discarded"

    @property
    def waiting(self) -> bool:
        """Whether it is still to be delivered without a person's doing."""
        return self in _WAITING


_WAITING = frozenset(
    {
        MessageState.QUEUED,
        MessageState.SENDING,
        MessageState.DOT,
        MessageState.DEFERRED,
        MessageState.UNKNOWN,
    }
)


class Decision(StrEnum):
    """What a person decides about a message."""

    RETRY = "retry"
    """To try again what is not delivered."""
    RESEND = "resend"
    """To send the same bytes again, though they were delivered."""
    DISCARD = "discard"
    """To send it no more."""

    @property
    def of(self) -> frozenset[MessageState]:
        """The states in which a message can be decided about so: never one that is in hand."""
        return _DECIDABLE | {MessageState.SENT} if self is Decision.RESEND else _DECIDABLE


_DECIDABLE = frozenset(
    {
        MessageState.QUEUED,
        MessageState.DEFERRED,
        MessageState.UNKNOWN,
        MessageState.HELD,
        MessageState.FAILED,
    }
)


class Outcome(StrEnum):
    """What became of one attempt to deliver one message."""

    STARTED = "started"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Run:
    """One account, one local day, one edition: a row of the run ledger."""

    id: int
    account_id: str
    day: date
    edition: int
    state: RunState
    begun_at: datetime
    finished_at: datetime | None = None
    reason: str | None = None
    """Why there is a run at all where it is not the schedule's: forced, or by whom."""
    why: str | None = None
    """Why it failed, was skipped, or is incomplete."""
    waiting: int | None = None
    """How many orders waited; None where no list was read."""
    new: int | None = None
    collected: int | None = None
    messages: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class FrozenMessage:
    """The mail to one recipient as bytes, with its Date and Message-ID: never rebuilt."""

    message_id: str
    """With its angle brackets."""
    recipient: str
    """Envelope recipient (RCPT TO)."""
    envelope_from: str
    """MAIL FROM."""
    language: str
    subject: str
    content: bytes
    """RFC 5322 with CRLF line ends; not dot-stuffed."""


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A row of the outbox. `content` is None once it was erased, or was not asked for."""

    id: int
    kind: MessageKind
    account_id: str
    """Empty for an alarm, which belongs to none; then `edition` is 0."""
    day: date
    edition: int
    message_id: str
    recipient: str
    envelope_from: str
    subject: str
    state: MessageState
    attempts: int
    created_at: datetime
    size: int
    next_try_at: datetime | None = None
    give_up_at: datetime | None = None
    settled_at: datetime | None = None
    receipt: str | None = None
    """The server's last reply, its final one once the message is settled."""
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery attempt of one message."""

    id: int
    message_id: int
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome
    phase: str | None
    """The SMTP phase it ended in: connect, tls, login, mail, rcpt, data, body, dot."""
    reply: str | None
