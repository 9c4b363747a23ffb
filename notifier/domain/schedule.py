"""When things are due: pure functions of the clock, the schedule and the run ledger.

A slot is the local instant at which the digest of one local day becomes due.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

# Limits how many days a machine that was off for years records as skipped.
LOOK_BACK = timedelta(days=366)
"""How far back days can be due or missed; older ones are ignored."""

EVERY_DAY = frozenset(range(7))

_DAY = timedelta(days=1)
# Midnight itself is skipped in zones that change their clocks then; noon always exists.
_NOON = time(12)
# Two weeks and a margin: a zone may skip the only chosen weekday of one week.
_DAYS_TO_NEXT_SLOT = 16

_RETRY_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 60))


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the digest of a day is due, and until when it is still worth sending; local times."""

    send_at: time
    timezone: str
    too_late: time = time(18, 0)
    weekdays: frozenset[int] = EVERY_DAY
    """Days that have a digest; Monday is 0."""

    # Instants are in UTC, since Python compares and subtracts two times of one ZoneInfo by the wall
    # clock, without the change of the clocks between them.

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def starts(self, day: date) -> datetime:
        """Return the instant (UTC) at which the digest of `day` becomes due.

        A time skipped by a clock change counts as PEP 495 (fold=0) has it: 02:30 in the spring
        gap is 03:30. A time that occurs twice is its first occurrence.
        """
        return datetime.combine(day, self.send_at, self.zone).astimezone(UTC)

    def ends(self, day: date) -> datetime:
        """Return the instant (UTC) after which the digest of `day` is no longer begun.

        If `too_late` is not later than `send_at`, it is a time of the next day.
        """
        last = day if self.too_late > self.send_at else day + _DAY
        return datetime.combine(last, self.too_late, self.zone).astimezone(UTC)

    def has_digest(self, day: date) -> bool:
        """Return whether `day` exists and its weekday is chosen."""
        return day.weekday() in self.weekdays and self.exists(day)

    def exists(self, day: date) -> bool:
        """Return whether the local calendar contains `day`.

        A zone that moves across the date line skips one (Pacific/Apia, 2011-12-30).
        """
        noon = datetime.combine(day, _NOON, self.zone)
        return self.local_day(noon.astimezone(UTC)) == day

    def local_day(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()


@dataclass(frozen=True, slots=True)
class Due:
    """What to do now, and when to check again."""

    day: date | None
    """The day whose digest is due."""
    missed: tuple[date, ...]
    """Days too late for a digest and not yet recorded as skipped, oldest first."""
    next_at: datetime
    """The next instant (UTC) at which a day becomes due."""


def due(
    schedule: Schedule,
    now: datetime,
    settled: Mapping[date, bool],
    *,
    since: datetime | None = None,
) -> Due:
    """Decide what is due at `now` (aware), given the ledger of the last `LOOK_BACK`.

    `settled` holds each day of the ledger, and whether it needs no more work: its digest is
    frozen, or it was skipped. `since` is when the account was first seen; None means never, so
    that only today counts.
    """
    # Never only "is today due?": a tick for 23:58 mostly comes after midnight, and a time zone
    # can skip a day.
    today = schedule.local_day(now)
    started = [
        day
        for day in _days_back(schedule, today, since)
        if not settled.get(day) and schedule.has_digest(day) and schedule.starts(day) <= now
    ]
    # Nothing was promised for days before the account was configured.
    first_day = today if since is None else schedule.local_day(since)
    open_days = [day for day in started if day >= first_day and now < schedule.ends(day)]
    # Only the newest: a digest shows what waits now, so an older day's would say the same again.
    chosen = max(open_days, default=None)
    last = max((day for day, done in settled.items() if done), default=date.min)
    missed = tuple(
        day
        for day in started
        if day != chosen
        and since is not None
        # A day before the last settled one and not in the ledger belongs to a former schedule.
        and (day in settled or (day > last and schedule.ends(day) > since))
    )
    return Due(chosen, missed, next_slot(schedule, now, settled))


def next_slot(
    schedule: Schedule, now: datetime, settled: Mapping[date, bool] = MappingProxyType({})
) -> datetime:
    """Return the next instant (UTC) after `now` at which an unsettled day becomes due."""
    today = schedule.local_day(now)
    # From yesterday: where the clocks go back over midnight, its slot may be still to come.
    days = (today + _DAY * n for n in range(-1, _DAYS_TO_NEXT_SLOT))
    unsettled = (day for day in days if schedule.has_digest(day) and not settled.get(day))
    return min(start for day in unsettled if (start := schedule.starts(day)) > now)


def _days_back(schedule: Schedule, today: date, since: datetime | None) -> Iterable[date]:
    """Return the days whose slot may have begun, oldest first."""
    # Yesterday may still be open. Tomorrow may have begun where the clocks go back over midnight.
    first = today - 2 * _DAY
    if since is not None:
        first = max(today - LOOK_BACK, min(first, schedule.local_day(since) - _DAY))
    return (today - _DAY * back for back in range((today - first).days, -2, -1))


def parse_day(text: str) -> date:
    """Read a day written as YYYY-MM-DD; raises ValueError for any other form of ISO 8601."""
    # `fromisoformat` also reads "20260329" and "2026-W13-7", which nobody writes on purpose here.
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(f'"{text}" is not a day; write YYYY-MM-DD')
    return date.fromisoformat(text)


class ClockChange(StrEnum):
    """How a change of the clocks affects `send_at` on a day."""

    SKIPPED = "the clocks jump over the time that is set"
    REPEATED = "the clocks show this time twice, and the first counts"


@dataclass(frozen=True, slots=True)
class Slot:
    """One local day: when its digest is due, or why there is none."""

    day: date
    starts: datetime
    """Aware, in the zone of the account."""
    ends: datetime
    exists: bool
    """False for a day that the time zone skips."""
    chosen: bool
    """Whether its weekday has a digest."""
    clock_change: ClockChange | None

    @property
    def has_digest(self) -> bool:
        return self.exists and self.chosen


def slot_of(schedule: Schedule, day: date) -> Slot:
    """Return what the schedule means on one day, for `notifier explain`."""
    return Slot(
        day=day,
        starts=schedule.starts(day).astimezone(schedule.zone),
        ends=schedule.ends(day).astimezone(schedule.zone),
        exists=schedule.exists(day),
        chosen=day.weekday() in schedule.weekdays,
        clock_change=_clock_change(schedule, day),
    )


def slots_after(schedule: Schedule, at: datetime, days: int) -> tuple[Slot, ...]:
    """Return `days` consecutive days, from the first whose digest is due after `at`."""
    today = schedule.local_day(at)
    first = today if schedule.starts(today) > at else today + _DAY
    return tuple(slot_of(schedule, first + _DAY * n) for n in range(days))


def _clock_change(schedule: Schedule, day: date) -> ClockChange | None:
    # PEP 495: a time in a gap changes on the way to UTC and back, one in a fold has two offsets.
    local = datetime.combine(day, schedule.send_at, schedule.zone)
    if schedule.starts(day).astimezone(schedule.zone).time() != schedule.send_at:
        return ClockChange.SKIPPED
    return ClockChange.REPEATED if local.utcoffset() != local.replace(fold=1).utcoffset() else None


def next_try(attempts: int, now: datetime) -> datetime:
    """Return when to retry a message that was deferred for the `attempts`-th time (from 1)."""
    # Greylisting usually accepts a message after 5 to 15 minutes. In the long run RFC 5321,
    # 4.5.4.1, asks for pauses of at least 30 minutes.
    return now + _RETRY_PAUSES[min(attempts, len(_RETRY_PAUSES)) - 1]


def next_reading(due_at: datetime, failed_at: datetime) -> datetime:
    """Return when to read a list again that was due at `due_at` and last failed at `failed_at`."""
    # Half as long as it has been due, from five minutes to an hour. Each try costs calls of the
    # seller's quota, and the marketplace regards several readings of a list per hour as abuse.
    pause = (failed_at - due_at) / 2
    return failed_at + min(max(pause, _RETRY_PAUSES[0]), _RETRY_PAUSES[-1])
