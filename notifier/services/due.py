"""What is due for one account: the clock, the ledger and a person's request, put together.

`domain/schedule.py` decides which day is due; this module asks the store what it needs to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from notifier.domain import schedule
from notifier.domain.ledger import AUTOMATIC_EDITION, Run, RunState
from notifier.domain.settings import Account
from notifier.store import Store


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a person asks for beyond the schedule; by default nothing."""

    day: date | None = None
    now: bool = False
    force: bool = False
    who: str | None = None
    """Login name, for the audit trail."""

    @property
    def is_made(self) -> bool:
        """Whether anything is asked for at all."""
        return self.now or self.force or self.day is not None

    @property
    def reason(self) -> str | None:
        """The reason that the ledger records for the run."""
        if self.force:
            return "forced by a person"
        return "asked for by a person" if self.now or self.day else None


@dataclass(frozen=True, slots=True)
class DueRun:
    """The day to run now, and the days that can only be recorded as skipped."""

    day: date | None
    """None when there is nothing to run."""
    edition: int
    missed: tuple[date, ...]
    next_at: datetime
    """When the next day becomes due."""
    rests_until: datetime | None = None
    """Set while the day waits for another try, because its list could not be read just now."""
    clock_in_doubt: bool = False
    """Whether the day was abandoned before because the clock could not be trusted."""


async def find_due_run(
    account: Account, store: Store, request: RunRequest, now: datetime
) -> DueRun:
    """Ask the ledger what there is to do at `now`; writes nothing."""
    today = account.schedule.local_day(now)
    settled = await store.runs.settled_days(account.id, today - schedule.LOOK_BACK)
    since = await store.meta.get_time(_watched(account))
    due = schedule.due(account.schedule, now, settled, since=since)
    day, edition = due.day, AUTOMATIC_EDITION
    if request.is_made:
        day = request.day or today
        edition = _requested_edition(await store.runs.latest(account.id, day), request)
    before = await store.runs.latest(account.id, day) if day else None
    in_doubt = before is not None and before.state is RunState.ABANDONED
    rests = None if request.is_made or not before else _rests_until(account, before, now)
    missed = tuple(skipped for skipped in due.missed if skipped != day)
    return DueRun(day if edition else None, edition, missed, due.next_at, rests, in_doubt)


async def start_watching(account: Account, store: Store, now: datetime) -> None:
    """Record since when this account is looked after: earlier days were never promised."""
    await store.meta.set_time_once(_watched(account), now)


def _watched(account: Account) -> str:
    return f"watched.{account.id}"


def _rests_until(account: Account, before: Run, now: datetime) -> datetime | None:
    if before.state is not RunState.FAILED or before.finished_at is None:
        return None
    again_at = schedule.next_reading(account.schedule.starts(before.day), before.finished_at)
    return again_at if before.finished_at <= now < again_at else None


def _requested_edition(latest: Run | None, request: RunRequest) -> int:
    """The edition that a person's request leads to; 0 when that day is done and not forced."""
    if latest is None:
        return AUTOMATIC_EDITION
    if not latest.state.settled:
        return latest.edition
    done = latest.state in (RunState.COMPLETE, RunState.INCOMPLETE)
    return 0 if done and not request.force else latest.edition + 1
