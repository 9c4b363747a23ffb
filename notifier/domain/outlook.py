"""What the schedule of an account means on given days: pure, for `notifier explain`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from notifier.domain.schedule import Schedule

_DAY = timedelta(days=1)


class Oddity(StrEnum):
    """What is odd about `send_at` on a day."""

    JUMPED_OVER = "the clocks jump over the time that is set"
    TWICE = "the clocks show this time twice, and the first counts"


@dataclass(frozen=True, slots=True)
class Slot:
    """One local day: when its digest is due, or why there is none."""

    day: date
    starts: datetime
    """Aware, in the zone of the account."""
    ends: datetime
    exists: bool
    """False for a day that the zone skips."""
    chosen: bool
    """Whether its weekday is one with a digest."""
    oddity: Oddity | None

    @property
    def has_digest(self) -> bool:
        """Whether there is to be a digest on this day."""
        return self.exists and self.chosen


def slot_of(schedule: Schedule, day: date) -> Slot:
    """Everything about one day."""
    return Slot(
        day=day,
        starts=schedule.starts(day).astimezone(schedule.zone),
        ends=schedule.ends(day).astimezone(schedule.zone),
        exists=schedule.exists(day),
        chosen=day.weekday() in schedule.weekdays,
        oddity=_oddity(schedule, day),
    )


def slots_after(schedule: Schedule, at: datetime, days: int) -> tuple[Slot, ...]:
    """Every day from the first whose digest is due after `at`, that many, oldest first."""
    today = schedule.local_day(at)
    first = today if schedule.starts(today) > at else today + _DAY
    return tuple(slot_of(schedule, first + _DAY * n) for n in range(days))


def _oddity(schedule: Schedule, day: date) -> Oddity | None:
    """PEP 495: a time in a gap comes back from UTC as another, one in a fold has two offsets."""
    meant = datetime.combine(day, schedule.send_at, schedule.zone)
    if schedule.starts(day).astimezone(schedule.zone).time() != schedule.send_at:
        return Oddity.JUMPED_OVER
    return Oddity.TWICE if meant.utcoffset() != meant.replace(fold=1).utcoffset() else None
