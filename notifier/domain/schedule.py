"""Which day is due: a pure function of the clock, the schedule and the run ledger.

A slot is the local instant at which the digest of one local day becomes due. Nothing here asks
"is today's run due?" alone: a run at 23:58 is mostly noticed after midnight, and a zone can skip
a day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

LOOK_BACK = timedelta(days=366)
"""A machine that was off for longer begins anew."""

EVERY_DAY = frozenset(range(7))

_DAY = timedelta(days=1)
_NOON = time(12)
_LONGEST_PAUSE = 16
"""Days until the next slot at most: two weeks, should a zone skip the one weekday chosen."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the digest of a day is due, and until when it is still worth sending; local times."""

    send_at: time
    timezone: str
    too_late: time = time(18, 0)
    weekdays: frozenset[int] = EVERY_DAY
    """Days that have a digest, Monday is 0."""

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

    def has(self, day: date) -> bool:
        """Whether `day` is to have a digest: on that weekday, and if there is such a day."""
        return day.weekday() in self.weekdays and self.exists(day)

    def exists(self, day: date) -> bool:
        """Whether there is such a day, where the recipients are.

        A zone that moves across the date line skips one (Pacific/Apia, 2011-12-30).
        """
        noon = datetime.combine(day, _NOON, self.zone)
        return self.local_day(noon.astimezone(UTC)) == day

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
    settled: Mapping[date, bool],
    *,
    since: datetime | None = None,
) -> Due:
    """Decide what is due at `now` (aware), given the ledger of the last LOOK_BACK.

    `settled` says of each day in the ledger whether it needs nothing more: its digest is frozen,
    or it was skipped. `since` is when anybody first looked after the account; days before then were
    never promised. None means that nobody has yet: then only today counts.
    """
    today = schedule.local_day(now)
    open_or_missed = [
        day
        for day in _days_back(schedule, today, since)
        if not settled.get(day) and schedule.has(day)
    ]
    started = [day for day in open_or_missed if schedule.starts(day) <= now]
    promised = today if since is None else schedule.local_day(since)
    open_days = [day for day in started if day >= promised and now < schedule.ends(day)]
    chosen = max(open_days, default=None)
    last = max((day for day, done in settled.items() if done), default=date.min)
    missed = tuple(
        day
        for day in started
        if day != chosen
        and since is not None
        # A day of a former schedule that the ledger passed over was not to be sent.
        and (day in settled or (day > last and schedule.ends(day) > since))
    )
    return Due(chosen, missed, next_slot(schedule, now, settled))


def parse_day(text: str) -> date:
    """A day as YYYY-MM-DD and in no other of ISO 8601's ways; raises ValueError."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(f'"{text}" is not a day; write YYYY-MM-DD')
    return date.fromisoformat(text)


def next_slot(
    schedule: Schedule, now: datetime, settled: Mapping[date, bool] = MappingProxyType({})
) -> datetime:
    """The next instant (UTC) after `now` at which a day becomes due that is not settled."""
    today = schedule.local_day(now)
    days = (today + _DAY * n for n in range(-1, _LONGEST_PAUSE))
    wanted = (day for day in days if schedule.has(day) and not settled.get(day))
    return min(start for day in wanted if (start := schedule.starts(day)) > now)


def _days_back(schedule: Schedule, today: date, since: datetime | None) -> Iterable[date]:
    """Days whose slot may have begun, oldest first.

    Tomorrow's may have, too, where the clocks go back over midnight, and yesterday's be open.
    """
    first = today - 2 * _DAY
    if since is not None:
        first = max(today - LOOK_BACK, min(first, schedule.local_day(since) - _DAY))
    return (today - _DAY * back for back in range((today - first).days, -2, -1))
