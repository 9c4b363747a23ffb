"""Which day is due: a pure function of the clock, the schedule and the run ledger.

A slot is the local instant at which the digest of one local day becomes due. Nothing here asks
"is today's run due?" alone: a run at 23:58 is mostly noticed after midnight, and a zone can skip
a day.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the digest of a day is due, and until when it is still worth sending; local times."""

    send_at: time
    timezone: str
    too_late: time = time(18, 0)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone; it was checked when the configuration was read."""
        return ZoneInfo(self.timezone)

    def starts(self, day: date) -> datetime:
        """The instant (UTC) the digest of `day` becomes due.

        A local time the clocks jump over counts as the instant it would have been (PEP 495,
        fold=0): 02:30 in the spring gap is 03:30. One that occurs twice is its first.
        """
        return datetime.combine(day, self.send_at, self.zone).astimezone(UTC)

    def ends(self, day: date) -> datetime:
        """The instant (UTC) after which the digest of `day` is no longer begun.

        Where `too_late` is not later than `send_at`, it is that time on the next day.
        """
        last = day if self.too_late > self.send_at else day + timedelta(days=1)
        return datetime.combine(last, self.too_late, self.zone).astimezone(UTC)

    def local_day(self, now: datetime) -> date:
        """The day it is, where the recipients are."""
        return now.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done now, and when to look again.

    `day` is the day whose digest is due, None if none is. `missed` are days that will have no
    digest any more and are not yet recorded as skipped, oldest first. `next_at` is the next
    instant (UTC) at which a day becomes due.
    """

    day: date | None
    missed: tuple[date, ...]
    next_at: datetime


def due(
    schedule: Schedule,
    now: datetime,
    settled: AbstractSet[date],
    *,
    since: date | None = None,
) -> Due:
    """Decide what is due at `now` (aware), given the days that are settled in the ledger.

    A settled day is one that needs nothing more: its digest is frozen, or it was skipped.
    `since` is the first day the ledger knows of; earlier days were never promised and are
    not missed. None means that nothing was ever run: then only an open slot counts.
    """
    today = schedule.local_day(now)
    days = [today - LOOK_BACK + timedelta(days=n) for n in range(LOOK_BACK.days + 2)]
    started = [day for day in days if schedule.starts(day) <= now]
    unsettled = [day for day in started if day not in settled]
    open_days = [day for day in unsettled if now < schedule.ends(day)]
    chosen = open_days[-1] if open_days else None
    missed = tuple(day for day in unsettled if day != chosen and since is not None and day >= since)
    coming = min(schedule.starts(day) for day in days if schedule.starts(day) > now)
    return Due(chosen, missed, coming)
