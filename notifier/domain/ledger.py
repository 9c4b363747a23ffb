"""The run ledger and the outbox: their states, and their rows as values.

The states have the same names in the store, on the terminal and in the docs::

    run      running → complete | incomplete | failed | skipped | abandoned
    message  queued → sending → dot → sent; or deferred, failed, unknown, held, discarded
    attempt  started → accepted | deferred | rejected | unknown
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

# With the account and the day this is the key of the ledger, so that a timer and a daemon at the
# same moment make one digest. Further editions exist only if a person forces them.
AUTOMATIC_EDITION = 1


class RunState(StrEnum):
    """The progress of a run. Complete and incomplete runs are frozen and never composed again."""

    RUNNING = "running"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """Frozen from a list with unreadable parts; the mail says so."""
    FAILED = "failed"
    """Nothing was frozen; the run may begin again until the day is too late."""
    SKIPPED = "skipped"
    """The day has no digest and will have none."""
    ABANDONED = "abandoned"
    """The clock was wrong. The run may begin again: the day in its row may be a wrong one."""

    @property
    def settled(self) -> bool:
        """Whether the day of this run needs no more work."""
        return self not in (RunState.RUNNING, RunState.FAILED, RunState.ABANDONED)


class MessageKind(StrEnum):
    """The purpose of a message. Alarms and reviews go to the admin and belong to no run."""

    DIGEST = "digest"
    NOTICE = "notice"
    """To a recipient: the list could not be read, and the day has no digest so far."""
    ALARM = "alarm"
    """A failure began or ended."""
    REVIEW = "review"
    """The monthly list of recipients."""


class MessageState(StrEnum):
    """The progress of one message to one recipient."""

    QUEUED = "queued"
    SENDING = "sending"
    DOT = "dot"
    """The final dot may have been sent; the server's reply is not recorded yet."""
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HELD = "held"
    DISCARDED = "discarded"

    @property
    def waiting(self) -> bool:
        """Whether it will be delivered without a person's action."""
        # Held is not final, but only a person can end it.
        final = (MessageState.SENT, MessageState.FAILED, MessageState.DISCARDED)
        return self not in (*final, MessageState.HELD)


class Decision(StrEnum):
    """A person's decision about a message."""

    RETRY = "retry"
    """Try again to deliver it."""
    RESEND = "resend"
    """Send the same bytes again, although they were delivered."""
    DISCARD = "discard"
    """Never send it again."""

    @property
    def allowed_in(self) -> frozenset[MessageState]:
        """The states that allow this decision; never those of a message being sent."""
        return _UNSENT | {MessageState.SENT} if self is Decision.RESEND else _UNSENT


# A message in hand is left to its process: a decision in between could send it twice, or record
# as discarded what the server is accepting.
_UNSENT = frozenset(MessageState) - {
    MessageState.SENDING,
    MessageState.DOT,
    MessageState.SENT,
    MessageState.DISCARDED,
}


class Outcome(StrEnum):
    """The result of one attempt to deliver one message."""

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
    """Why the run exists, if the schedule is not the reason: forced, or by whom."""
    why: str | None = None
    """Why it failed, was skipped, or is incomplete."""
    waiting: int | None = None
    """Number of waiting orders; None if no list was read."""
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
    """RFC 5322 with CRLF line ends; not dot-stuffed (RFC 5321, 4.5.2)."""


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A row of the outbox."""

    id: int
    kind: MessageKind
    account_id: str
    """Empty for mail to the admin, which belongs to no account; its `edition` is 0."""
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
    """The server's last reply, the final one once the message is settled."""
    content: bytes | None = None
    """None if it was erased, or not loaded."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver one message."""

    id: int
    message_id: int
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome
    phase: str | None
    """The SMTP stage it ended in: connect, tls, login, mail, rcpt, data, body, dot."""
    reply: str | None
