"""Read the overall status from the store: last digests, next ones, and troubles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from notifier.domain.alarms import Alarm
from notifier.domain.ledger import MessageState, OutboxMessage, Run, RunState
from notifier.domain.settings import Account
from notifier.services.due import RunRequest, find_due_run
from notifier.services.hints import last_look
from notifier.store import Store

LOOK_BACK = timedelta(days=7)
"""How long a skipped day or a failed message stays in the status."""
# More than the week looked at, even if a person forces several editions a day.
RUNS_READ = 60
# For a person to read: more are a fault of the mail server, which is an alarm of its own.
MOST_MESSAGES = 100

_FROZEN = (RunState.COMPLETE, RunState.INCOMPLETE)
_SHOWN = tuple(
    state for state in MessageState if state not in (MessageState.SENT, MessageState.DISCARDED)
)
_AMISS = (RunState.INCOMPLETE, RunState.FAILED, RunState.ABANDONED)
_TROUBLED = (MessageState.DEFERRED, MessageState.UNKNOWN, MessageState.HELD)


@dataclass(frozen=True, slots=True)
class WaitingOrders:
    """How many orders waited when they were last read or looked up, and when that was."""

    orders: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """The status of one account. `due` is the day whose digest is due but not composed yet."""

    account: Account
    last_good: Run | None
    """The newest digest of which the mail server accepted every message."""
    today: Run | None
    due: date | None
    is_late: bool
    """Whether it has been due for at least `alarm_after`, for any reason."""
    next_at: datetime
    skipped: tuple[date, ...]
    """Days of the last week that were skipped, oldest first."""
    waiting: WaitingOrders | None
    """None until the account was read for the first time."""

    @property
    def is_amiss(self) -> bool:
        """Whether today's list was not read, or only in part."""
        return self.today is not None and self.today.state in _AMISS


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """The status of all accounts, with open messages and alarms."""

    at: datetime
    accounts: tuple[AccountStatus, ...]
    messages: tuple[OutboxMessage, ...]
    """Messages not delivered: pending, held, or failed in the last week; newest first."""
    alarms: tuple[Alarm, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing needs a person's attention."""
        troubled = any(message.state in _TROUBLED for message in self.messages)
        # Looked at beside the alarms: those are only updated by a tick, and none may have run.
        late = any(account.is_late or account.is_amiss for account in self.accounts)
        return not (self.alarms or troubled or late)


async def collect_status(accounts: Iterable[Account], store: Store, now: datetime) -> SystemStatus:
    """Read the status of these accounts from the store; changes nothing."""
    messages = await store.outbox.list(states=_SHOWN, limit=MOST_MESSAGES)
    return SystemStatus(
        now,
        tuple([await _account(account, store, now) for account in accounts]),
        tuple(message for message in messages if _is_recent(message, now)),
        await store.alarms.open(),
    )


async def _account(account: Account, store: Store, now: datetime) -> AccountStatus:
    today, schedule = account.schedule.local_day(now), account.schedule
    runs = await store.runs.list(account_id=account.id, limit=RUNS_READ)
    due = await find_due_run(account, store, RunRequest(), now)
    return AccountStatus(
        account,
        last_good=next((run for run in runs if _is_good(run)), None),
        today=next((run for run in runs if run.day == today), None),
        due=due.day,
        is_late=bool(due.day and now >= schedule.starts(due.day) + account.alarm_after),
        next_at=due.next_at,
        skipped=_skipped(runs, today - LOOK_BACK),
        waiting=await _waiting(account, runs, store),
    )


async def _waiting(account: Account, runs: Sequence[Run], store: Store) -> WaitingOrders | None:
    """Count the waiting orders as of the newest digest, or of a later lookup of hints."""
    read = next((run for run in runs if run.state in _FROZEN), None)
    if read is None or read.finished_at is None:
        return None
    looked_at = await last_look(account, store)
    if looked_at and looked_at > read.finished_at:
        return WaitingOrders(await store.order_states.count_waiting(account.id), looked_at)
    return WaitingOrders(read.waiting or 0, read.finished_at)


def _is_good(run: Run) -> bool:
    return run.state in _FROZEN and run.sent == run.messages


def _skipped(runs: Sequence[Run], since: date) -> tuple[date, ...]:
    # A person may have forced a digest of a skipped day.
    made = {run.day for run in runs if run.state in _FROZEN}
    days = {run.day for run in runs if run.state is RunState.SKIPPED and run.day >= since}
    return tuple(sorted(days - made))


def _is_recent(message: OutboxMessage, now: datetime) -> bool:
    """Leave out old failures, on which no person acts any more."""
    settled = message.settled_at
    return message.state is not MessageState.FAILED or not settled or settled > now - LOOK_BACK
