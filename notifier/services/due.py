"""Find what is due for one account, from the clock, the ledger and a person's request.

`domain/schedule.py` decides which day is due; this module reads what it needs from the store.
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
        """Whether a person requests anything at all."""
        return self.now or self.force or self.day is not None

    @property
    def reason(self) -> str | None:
        """The reason that the ledger records for the run."""
        if self.force:
            return "forced by a person"
        return "requested by a person" if self.now or self.day else None


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
    """When to read the list again that could not be read just now; None if it need not wait."""
    clock_in_doubt: bool = False
    """Whether the day was abandoned before because the clock could not be trusted."""


async def find_due_run(
    account: Account, store: Store, request: RunRequest, now: datetime
) -> DueRun:
    """Read from the ledger what is to be done at `now`; writes nothing."""
    today = account.schedule.local_day(now)
    settled = await store.runs.settled_days(account.id, today - schedule.LOOK_BACK)
    since = await store.meta.get_time(_watched(account))
    due = schedule.due(account.schedule, now, settled, since=since)
    day, edition = due.day, AUTOMATIC_EDITION
    # A request replaces the schedule, but not the ledger: a digest that exists is not made again.
    if request.is_made:
        day = request.day or today
        edition = _requested_edition(await store.runs.latest(account.id, day), request)
    before = await store.runs.latest(account.id, day) if day else None
    in_doubt = before is not None and before.state is RunState.ABANDONED
    # A person who asks has a reason to believe that the list can be read now.
    rests = None if request.is_made or not before else _rests_until(account, before, now)
    # A day that runs now must not be recorded as skipped just before.
    missed = tuple(skipped for skipped in due.missed if skipped != day)
    return DueRun(day if edition else None, edition, missed, due.next_at, rests, in_doubt)


async def start_watching(account: Account, store: Store, now: datetime) -> None:
    """Record when this account was first seen: earlier days were never promised a digest."""
    await store.meta.set_time_once(_watched(account), now)


def _watched(account: Account) -> str:
    return f"watched.{account.id}"


def _rests_until(account: Account, before: Run, now: datetime) -> datetime | None:
    if before.state is not RunState.FAILED or before.finished_at is None:
        return None
    again_at = schedule.next_reading(account.schedule.starts(before.day), before.finished_at)
    # After the clock was set back, the failure lies in the future and must not delay anything.
    return again_at if before.finished_at <= now < again_at else None


def _requested_edition(latest: Run | None, request: RunRequest) -> int:
    """Return the edition to run for a person; 0 if that day is done and not forced."""
    if latest is None:
        return AUTOMATIC_EDITION
    # No new edition, even if forced: an unfinished one may begin again, and two of them would
    # make two digests.
    if not latest.state.settled:
        return latest.edition
    done = latest.state in (RunState.COMPLETE, RunState.INCOMPLETE)
    return 0 if done and not request.force else latest.edition + 1
