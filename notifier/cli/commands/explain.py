"""`notifier explain`: what is due when, why, and who gets it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import click

from notifier.cli.build_context import accounts_option, choose_accounts
from notifier.cli.context import Invocation, pass_invocation
from notifier.domain.ledger import MessageState, OutboxMessage, Run
from notifier.domain.recipients import Recipient
from notifier.domain.schedule import Slot, slot_of, slots_after
from notifier.domain.settings import Account
from notifier.errors import ExitCode
from notifier.services.due import DueRun, RunRequest, find_due_run
from notifier.store import Store, open_store

LABEL_WIDTH = 10
# A leap year, so that each date of the year is covered.
YEAR = 366
"""Number of days that are searched for clock changes and days without a digest."""
MAX_LISTED = 10
"""Missed days or pending messages that are listed; beyond, only their number is printed."""

Lines = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the ledger and the outbox hold about one account."""

    account: Account
    now: datetime
    due: DueRun
    runs: dict[date, Run]
    """The latest run of each day that is explained."""
    has_run: bool
    """Whether any run of the account is recorded."""
    waiting: tuple[OutboxMessage, ...]
    """Messages that are pending or held."""


def moment(text: str) -> datetime:
    """Parse a time on the command line; without an offset it is local to each account."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f'"{text}" is not a time; write 2027-03-28T02:30, or 2027-03-28T01:30Z'
        ) from None


@click.command
@accounts_option
@click.option("--at", type=moment, metavar="TIME", help="Explain as if it were that time.")
@click.option(
    "--days",
    type=click.IntRange(1, YEAR),
    default=7,
    show_default=True,
    metavar="N",
    help="Show the next N days.",
)
@pass_invocation
def command(
    invocation: Invocation, *, accounts: tuple[str, ...], at: datetime | None, days: int
) -> int:
    """Explain what is due when, why, and who gets it.

    Reads the configuration and the store; changes nothing and makes no connection. With --at it
    uses the run ledger as it is now, as if nothing ran until then.
    """
    return asyncio.run(explain(invocation, accounts, at, days))


async def explain(
    invocation: Invocation, ids: tuple[str, ...], at: datetime | None, days: int
) -> ExitCode:
    """Print the explanation of each account."""
    settings = invocation.settings()
    chosen = choose_accounts(settings, ids)
    async with open_store(settings.store, read_only=True) as store:
        for number, account in enumerate(chosen):
            facts = await gather(account, store, _instant(at or invocation.now(), account))
            if number:
                invocation.echo()
            _print(invocation, facts, days)
    return ExitCode.DONE


async def gather(account: Account, store: Store, now: datetime) -> Facts:
    """Read the ledger and the outbox."""
    due = await find_due_run(account, store, RunRequest(), now)
    days = {*_explained_days(account, now), *([due.day] if due.day else [])}
    found = {day: await store.runs.latest(account.id, day) for day in days}
    waiting = [state for state in MessageState if state.waiting or state is MessageState.HELD]
    return Facts(
        account,
        now,
        due,
        {day: run for day, run in found.items() if run},
        bool(await store.runs.list(account_id=account.id, limit=1)),
        await store.outbox.list(states=waiting, account_id=account.id),
    )


def _explained_days(account: Account, now: datetime) -> tuple[date, date]:
    today = account.schedule.local_day(now)
    return today, today - timedelta(days=1)


def _instant(at: datetime, account: Account) -> datetime:
    # A time without an offset is what the clock on the wall shows where the account is.
    return (at if at.tzinfo else at.replace(tzinfo=account.schedule.zone)).astimezone(UTC)


def _print(invocation: Invocation, facts: Facts, days: int) -> None:
    account, previous = facts.account, ""
    invocation.echo(f'{account.name} (account "{account.id}")')
    for label, text in _lines(facts, days):
        invocation.echo(f"  {'' if label == previous else label:{LABEL_WIDTH}}{text}")
        previous = label


def _lines(facts: Facts, days: int) -> Lines:
    schedule = facts.account.schedule
    here = facts.now.astimezone(schedule.zone)
    yield "at", f"{_day(here.date())}, {here:%H:%M %Z} ({schedule.timezone})"
    yield from _present(facts)
    yield from (("missed", text) for text in _missed(facts))
    yield from (("outbox", text) for text in _outbox(facts))
    yield from _coming(facts, days)
    for recipient in facts.account.recipients:
        yield "goes to", _recipient(recipient)


def _present(facts: Facts) -> Lines:
    """Explain the day that is due, then the state of today and yesterday."""
    due = facts.due.day
    yield "due", _verdict(facts, slot_of(facts.account.schedule, due)) if due else "nothing"
    for day in _explained_days(facts.account, facts.now):
        if day != due:
            slot = slot_of(facts.account.schedule, day)
            yield "because", f"{_day(day)}: {_verdict(facts, slot)}"


def _verdict(facts: Facts, slot: Slot) -> str:
    """Say why a day is due or not."""
    run = facts.runs.get(slot.day)
    if run and run.state.settled:
        return _settled(run)
    if not slot.has_digest:
        return _no_digest(slot)
    return _unsettled(facts, slot, run)


def _unsettled(facts: Facts, slot: Slot, run: Run | None) -> str:
    if facts.now < slot.starts:
        return f"not due before {_clock(slot.starts, slot.day)}"
    if slot.day == facts.due.day:
        return f"{_day(slot.day)}, since {_clock(slot.starts, slot.day)}, {_until(slot)}" + _so_far(
            facts, run
        )
    if facts.now < slot.ends:
        return "passed over, because a later day is due"
    over = f"too late since {_clock(slot.ends, slot.day)}"
    return over if facts.has_run else f"{over}; no run is recorded yet"


def _settled(run: Run) -> str:
    edition = f"edition {run.edition}, " if run.messages else ""
    sent = f"{edition}{run.sent} of {run.messages} messages sent" if run.messages else ""
    return "; ".join(filter(None, (str(run.state), sent, run.why)))


def _so_far(facts: Facts, run: Run | None) -> str:
    """Describe the latest attempt at the day that is due."""
    if run is None:
        return ""
    zone = facts.account.schedule.zone
    at = f"{run.begun_at.astimezone(zone):%H:%M}"
    if run.finished_at is None:
        return f"; a run has been in progress since {at}, and is repeated if its process has died"
    again = facts.due.rests_until
    then = f"; next try at {again.astimezone(zone):%H:%M}" if again else ""
    return f"; the run at {at} failed: {run.why}{then}"


def _missed(facts: Facts) -> Iterator[str]:
    days = facts.due.missed
    if len(days) > MAX_LISTED:
        yield f"{len(days)} days since {_day(days[0])} would be recorded as skipped"
        return
    for day in days:
        yield f"{_day(day)} would be recorded as skipped, and mentioned in the next digest"


def _outbox(facts: Facts) -> Iterator[str]:
    for message in facts.waiting[:MAX_LISTED]:
        yield f"message {message.id} to {message.recipient} {_fate(message, facts.now)}"
    if (more := len(facts.waiting) - MAX_LISTED) > 0:
        yield f"and {more} more (`notifier outbox --waiting`)"


def _fate(message: OutboxMessage, now: datetime) -> str:
    """Say what a run at that time would do with a message."""
    if not message.state.waiting:
        return f"is {message.state}; decide with `notifier outbox retry` or `discard`"
    if message.give_up_at and message.give_up_at <= now:
        return "would be given up; the next digest replaces it"
    if message.next_try_at and message.next_try_at > now:
        return f"is {message.state}; next try at {message.next_try_at:%Y-%m-%d %H:%M} UTC"
    return f"is {message.state}; it would be sent now"


def _coming(facts: Facts, days: int) -> Lines:
    """Describe the next days, and the days of the coming year with a clock change or the like."""
    slots = slots_after(facts.account.schedule, facts.now, YEAR)
    for slot in slots[:days]:
        yield "next", _slot(slot)
    for slot in slots[days:]:
        if not slot.exists or (slot.has_digest and slot.clock_change):
            yield "later", _slot(slot)


def _slot(slot: Slot) -> str:
    if not slot.has_digest:
        return f"{_day(slot.day)}: {_no_digest(slot)}"
    at = f"{_day(slot.day)} at {_clock(slot.starts, slot.day)} {slot.starts:%Z}, {_until(slot)}"
    return f"{at}; {slot.clock_change.value}" if slot.clock_change else at


def _no_digest(slot: Slot) -> str:
    if not slot.exists:
        return "this day does not exist in the time zone"
    return f"no digest on a {slot.day:%A} (see weekdays)"


def _until(slot: Slot) -> str:
    return f"until {_clock(slot.ends, slot.day)}"


def _clock(at: datetime, day: date) -> str:
    """Write a time, with its date if that is not `day`."""
    return f"{at:%H:%M}" if at.date() == day else f"{at:%H:%M} on {_day(at.date())}"


def _day(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b %Y}"


def _recipient(recipient: Recipient) -> str:
    path = recipient.path
    why = f'member of "{path[-1]}"' if path else "named directly"
    above = "".join(f', which is in "{group}"' for group in reversed(path[:-1]))
    return f"{recipient.mailbox}, in {recipient.language}: {why}{above}"
