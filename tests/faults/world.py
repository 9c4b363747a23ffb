"""What must be true of the store and the mail server after anything that happened to a process."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from notifier.domain.ledger import Attempt, MessageKind, MessageState, OutboxMessage, Outcome, Run
from notifier.domain.settings import OnUnknown, StoreLocation
from notifier.store import open_store
from tests.neighbours.smtp import Accepted

_TOLD = frozenset(state for state in MessageState if state.waiting) | {
    MessageState.FAILED,
    MessageState.HELD,
}
"""States of a message that nobody has, in which nobody believes that somebody has it."""
_ALL = 100_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """All there is to know afterwards; each message with its attempts."""

    accepted: Sequence[Accepted]
    runs: Sequence[Run]
    messages: Sequence[tuple[OutboxMessage, Sequence[Attempt]]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. Doubled inside the window is promised to be possible, all else is a bug."""

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    doubled_in_window: int = 0


async def collect(url: str, accepted: Sequence[Accepted]) -> Evidence:
    """Read the store, and put it beside what the mail server has."""
    async with open_store(StoreLocation(url), read_only=True) as store:
        rows = await store.outbox.list(limit=_ALL)
        runs = await store.runs.list(limit=_ALL)
        messages = [
            (await store.outbox.get(row.id) or row, await store.outbox.attempts(row.id))
            for row in rows
        ]
    return Evidence(list(accepted), runs, messages)


def check_world(
    evidence: Evidence,
    *,
    recipients: Collection[str],
    days: Iterable[date],
    on_unknown: OnUnknown = OnUnknown.RESEND,
) -> int:
    """Fail unless every promise was kept; gives how many copies came out of the one window.

    `days` are those that should be settled by now: with a frozen digest, or recorded as skipped.
    """
    verdict = judge(evidence, recipients=recipients, days=days, on_unknown=on_unknown)
    assert verdict.lost == verdict.doubled == verdict.wrong == (), verdict
    return verdict.doubled_in_window


def judge(
    evidence: Evidence,
    *,
    recipients: Collection[str],
    days: Iterable[date],
    on_unknown: OnUnknown = OnUnknown.RESEND,
) -> Verdict:
    """The same without failing, for those who count."""
    inside, outside = _copies(evidence)
    if on_unknown is OnUnknown.HOLD:
        inside, outside = Counter(), outside + inside
    return Verdict(
        lost=(*_days_lost(evidence, days), *_mails_lost(evidence, recipients)),
        doubled=tuple(sorted(outside)),
        wrong=(*_strangers(evidence), *_two_for_one(evidence)),
        doubled_in_window=inside.total(),
    )


def _days_lost(evidence: Evidence, days: Iterable[date]) -> list[str]:
    settled = {run.day for run in evidence.runs if run.state.settled}
    return [f"{day} is not settled" for day in days if day not in settled]


def _mails_lost(evidence: Evidence, recipients: Collection[str]) -> list[str]:
    """Everybody of a frozen run has the mail, or the store knows that somebody has not."""
    had = {message_id(one) for one in evidence.accepted}
    lost = [
        f"{message.day}: {message.recipient} has nothing, and the message is {message.state}"
        for message, _ in evidence.messages
        if message.kind is not MessageKind.NOTICE  # which the digest itself makes up for
        and message.message_id not in had
        and message.state not in _TOLD
    ]
    frozen = [run for run in evidence.runs if run.state.settled and run.waiting is not None]
    for run in frozen:
        written = {
            message.recipient
            for message, _ in evidence.messages
            if message.kind is MessageKind.DIGEST
            and (message.day, message.edition) == (run.day, run.edition)
        }
        lost += [f"{run.day}: no message to {who}" for who in recipients if who not in written]
    return lost


def _copies(evidence: Evidence) -> tuple[Counter[str], Counter[str]]:
    """Second copies: equal bytes after an attempt recorded as unknown, and all the others."""
    inside, outside = Counter[str](), Counter[str]()
    attempts = {message.message_id: tried for message, tried in evidence.messages}
    for key, copies in _by_message(evidence.accepted).items():
        unknown = sum(one.outcome is Outcome.UNKNOWN for one in attempts.get(key, ()))
        equal = len({one.content for one in copies}) == 1
        forgiven = min(len(copies) - 1, unknown) if equal else 0
        inside[key] += forgiven
        outside[key] += len(copies) - 1 - forgiven
    return +inside, +outside


def _strangers(evidence: Evidence) -> list[str]:
    """Every accepted message is in the store, with the same bytes while it keeps them."""
    kept = {message.message_id: message for message, _ in evidence.messages}
    wrong = []
    for one in evidence.accepted:
        message = kept.get(message_id(one))
        if message is None or message.recipient != one.recipient:
            wrong.append(f"{one.recipient} has a mail that the store does not know")
        elif message.content is not None and message.content.rstrip() != one.content.rstrip():
            wrong.append(f"{one.recipient} has other bytes than message {message.id}")
    return wrong


def _two_for_one(evidence: Evidence) -> list[str]:
    """One Message-ID per recipient, day and edition."""
    digests = Counter(
        (message.account_id, message.day, message.edition, message.recipient)
        for message, _ in evidence.messages
        if message.kind is MessageKind.DIGEST
    )
    return [f"{count} messages for {key}" for key, count in digests.items() if count > 1]


def _by_message(accepted: Iterable[Accepted]) -> dict[str, list[Accepted]]:
    found: dict[str, list[Accepted]] = {}
    for one in accepted:
        found.setdefault(message_id(one), []).append(one)
    return found


def message_id(one: Accepted) -> str:
    """The Message-ID of a mail that was accepted."""
    parsed = email.message_from_bytes(one.content, policy=email.policy.default)
    return str(parsed["Message-ID"]).strip()
