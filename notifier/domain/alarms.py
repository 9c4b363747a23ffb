"""The causes of alarms: a pure function of the state of the store.

Each cause has a key. Its alarm is open while the key is among the causes, and is reported once
when it begins and once when it ends, however many ticks find it. A cause that could not be
checked stays open: a mail server has not recovered because there was nothing to send.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from notifier.domain.ledger import AUTOMATIC_EDITION, MessageState, OutboxMessage, Run, RunState
from notifier.domain.recipients import Mailbox
from notifier.domain.settings import Account, FileAccess
from notifier.errors import ClockRefused, ClockUnconfirmed, MailRefused, MailUnavailable
from notifier.i18n.messages import Message, lazy

ADMIN_MAIL = "admin-mail"
MAIL_SERVER = frozenset({"mail-refused", "mail-unavailable"})
# A mail cannot report that mail fails. It waits in the outbox and arrives when all is over.
NOT_BY_MAIL = MAIL_SERVER | {ADMIN_MAIL}
"""Kinds of causes whose begin no mail can report."""

_FROZEN = (RunState.COMPLETE, RunState.INCOMPLETE)
_LOST = (RunState.SKIPPED, RunState.ABANDONED)


@dataclass(frozen=True, slots=True)
class Cause:
    """Something wrong, and what a person can do about it."""

    key: str
    """The kind, and after a slash what it concerns: constant as long as the cause lasts."""
    what: Message
    remedy: Message

    @property
    def kind(self) -> str:
        """The kind of trouble; unlike the key it contains no address."""
        return self.key.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Alarm:
    """A cause with its begin and end."""

    id: int
    cause: Cause
    begun_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The runs and messages of one account, the newest first."""

    account: Account
    runs: Sequence[Run] = ()
    digests: Sequence[OutboxMessage] = ()
    """Messages that were sent or have failed."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that can reveal a cause at one moment."""

    histories: Sequence[History]
    delivery_unknown: Sequence[OutboxMessage] = ()
    """Messages in state held or unknown."""
    to_admin: Sequence[OutboxMessage] = ()
    """Alarm mails that were sent or have failed, the newest first."""
    mail_error: MailUnavailable | MailRefused | None = None
    mail_tried: bool = False
    """Whether the mail server replied to a message."""
    config_trouble: str | None = None
    templates: Mapping[str, str] = field(default_factory=dict)
    """Why own templates failed, by id of each account rendered just now; "" if they worked."""
    open_causes: Sequence[Cause] = ()
    """The causes of the open alarms."""


def clock_cause(error: ClockRefused | ClockUnconfirmed) -> Cause:
    """Return the cause of a time that is not trusted; it ends with the first trusted tick."""
    return Cause(
        "clock",
        lazy("The clock cannot be trusted: {reason}", reason=error),
        lazy("Due digests are sent as soon as it can be trusted again."),
    )


def causes(situation: Situation, now: datetime) -> tuple[Cause, ...]:
    """Return all causes at `now`, each key once."""
    return tuple(_causes(situation, now))


def _causes(situation: Situation, now: datetime) -> Iterator[Cause]:
    if situation.config_trouble:
        yield Cause(
            "config",
            lazy(
                "The last good configuration is in use, because the present one is not valid: "
                "{reason}",
                reason=situation.config_trouble,
            ),
            lazy("`notifier check` lists every mistake."),
        )
    for history in situation.histories:
        # One of the two: they share a key, and the late day is the one that can still be mended.
        if cause := _unreadable(history, now) or _lost_day(history):
            yield cause
        yield from _failed_messages(history)
        yield from _templates(situation, history.account)
    yield from map(_delivery_unknown, situation.delivery_unknown)
    yield from _mail_server(situation)
    yield from _failed_to_admin(situation.to_admin)


def _unreadable(history: History, now: datetime) -> Cause | None:
    """Return the cause if the newest day has no digest `alarm_after` after it was due."""
    account = history.account
    # A further edition is a person's extra request; that it fails does not lose the day's digest.
    run = next((run for run in history.runs if run.edition == AUTOMATIC_EDITION), None)
    # Running too: a process that died in the middle leaves no other trace.
    if run is None or run.state not in (RunState.FAILED, RunState.RUNNING):
        return None
    due_at = account.schedule.starts(run.day)
    if now < due_at + account.alarm_after:
        return None
    return Cause(_no_digest(account), _late(account, run, due_at), _retried_until(account, run))


def _late(account: Account, run: Run, due_at: datetime) -> Message:
    common = {
        "account": account.name,
        "day": run.day,
        "time": f"{due_at.astimezone(account.schedule.zone):%H:%M}",
    }
    if run.why:
        return lazy(
            "{account}: there is still no digest of {day}, due at {time}: {reason}",
            **common,
            reason=run.why,
        )
    return lazy(
        "{account}: the digest of {day}, due at {time}, was started but did not finish",
        **common,
    )


def _retried_until(account: Account, run: Run) -> Message:
    ends_at = account.schedule.ends(run.day).astimezone(account.schedule.zone)
    until = f"{ends_at:%H:%M}"
    if isinstance(account.access, FileAccess):
        return lazy(
            "It is retried until {time}. `notifier check --online` shows whether the file can be "
            "read, and what it contains.",
            time=until,
        )
    return lazy(
        "It is retried until {time}. `notifier check --online` shows whether the marketplace can "
        "be reached and accepts the credential.",
        time=until,
    )


def _no_digest(account: Account) -> str:
    # One key without the day, for a late day and for a lost one: it is the same trouble until there
    # is a digest, and must not be reported again each morning.
    return f"no-digest/{account.id}"


def _lost_day(history: History) -> Cause | None:
    """Return the cause if a day has no digest, and no later digest reported that."""
    account = history.account
    automatic = (run for run in history.runs if run.edition == AUTOMATIC_EDITION)
    lost = next((run for run in automatic if run.state in _LOST), None)
    # The next digest names the days without one, so its readers know and the alarm can end.
    last_digest = max((run.day for run in history.runs if run.state in _FROZEN), default=date.min)
    if lost is None or last_digest >= lost.day:
        return None
    named = {"account": account.name, "day": lost.day, "reason": lost.why or ""}
    # A skipped day is over. An abandoned one may begin again, once the clock is right.
    if lost.state is RunState.SKIPPED:
        return Cause(
            _no_digest(account),
            lazy("{account}: {day} has no digest: {reason}", **named),
            lazy(
                "`notifier run --now --account {account}` sends one now; the next digest "
                "mentions it.",
                account=account.id,
            ),
        )
    return Cause(
        _no_digest(account),
        lazy("{account}: {day} has no digest yet: {reason}", **named),
        lazy("Set the clock, then `notifier run --account {account}`.", account=account.id),
    )


def _failed_messages(history: History) -> Iterator[Cause]:
    account = history.account
    # Of today's recipients only: no alarm is needed for an address that was taken out.
    for recipient in account.recipients:
        key = recipient.mailbox.key
        # Only the newest counts: a later digest that was sent makes up for a failed one.
        own = (message for message in history.digests if Mailbox(message.recipient).key == key)
        newest = next(own, None)
        if newest and newest.state is MessageState.FAILED:
            yield Cause(
                f"failed/{account.id}/{key}",
                lazy(
                    "{account}: the digest of {day} to {recipient} could not be delivered: {reply}",
                    account=account.name,
                    day=newest.day,
                    recipient=newest.recipient,
                    reply=_reply(newest),
                ),
                lazy(
                    "Fix the cause, then `notifier outbox retry {number}`; or discard it: "
                    "`notifier outbox discard {number}`.",
                    number=newest.id,
                ),
            )


def _templates(situation: Situation, account: Account) -> Iterator[Cause]:
    key = f"templates/{account.id}"
    why = situation.templates.get(account.id)
    if why:
        yield Cause(
            key,
            lazy(
                "{account}: your own templates could not be used: {reason}",
                account=account.name,
                reason=why,
            ),
            lazy(
                "The mail was made with the built-in ones. Fix yours; `notifier check` tests them."
            ),
        )
    elif why is None:
        # No mail was rendered, so nothing shows whether the templates work again.
        yield from (cause for cause in situation.open_causes if cause.key == key)


def _delivery_unknown(message: OutboxMessage) -> Cause:
    what = lazy(
        "It is unknown whether the mail server accepted message {number} to {recipient}: {reply}",
        number=message.id,
        recipient=message.recipient,
        reply=_reply(message),
    )
    if message.state is MessageState.HELD:
        remedy = lazy(
            "If it did not arrive: `notifier outbox retry {number}`; if it did: "
            "`notifier outbox discard {number}`.",
            number=message.id,
        )
    else:
        remedy = lazy(
            "It is sent again automatically; if it did arrive: `notifier outbox discard {number}`.",
            number=message.id,
        )
    # A key for each message: a person must look for each of them in its mailbox.
    return Cause(f"unsure/{message.id}", what, remedy)


def _mail_server(situation: Situation) -> Iterator[Cause]:
    match situation.mail_error:
        case MailRefused() as error:
            yield Cause(
                "mail-refused",
                lazy("No mail can be sent: {reason}", reason=error),
                lazy(
                    "Fix [smtp], then `notifier check --online`; the next run sends the waiting "
                    "messages."
                ),
            )
        case MailUnavailable() as error:
            yield Cause(
                "mail-unavailable",
                lazy("No mail can be sent now: {reason}", reason=error),
                lazy("It is retried automatically; `notifier check --online` shows more."),
            )
        # Without a reply to a message, a server that was ill has not shown that it works again.
        case None if not situation.mail_tried:
            yield from (cause for cause in situation.open_causes if cause.kind in MAIL_SERVER)


def _failed_to_admin(messages: Sequence[OutboxMessage]) -> Iterator[Cause]:
    # Only the newest counts: a later alarm mail that was sent shows that the admin can be reached.
    if messages and messages[0].state is MessageState.FAILED:
        newest = messages[0]
        yield Cause(
            f"{ADMIN_MAIL}/{Mailbox(newest.recipient).key}",
            lazy(
                "The alarm mail to {recipient} could not be delivered: {reply}",
                recipient=newest.recipient,
                reply=_reply(newest),
            ),
            lazy(
                "Fix `admin` or the cause, then `notifier outbox retry {number}`; or discard it: "
                "`notifier outbox discard {number}`.",
                number=newest.id,
            ),
        )


def _reply(message: OutboxMessage) -> str:
    return message.receipt or "there was no answer"
