"""Which day is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.slots import Schedule, due

PRAGUE = Schedule(time(6), "Europe/Prague")
TODAY = date(2026, 11, 22)


def at(text: str, zone: str = "Europe/Prague") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_nothing_is_due_before_the_first_slot() -> None:
    result = due(PRAGUE, at("2026-11-22 05:59:59"), frozenset())

    assert result.day is None
    assert result.next_at == at("2026-11-22 06:00")


def test_today_is_due_from_its_slot_on() -> None:
    assert due(PRAGUE, at("2026-11-22 06:00"), frozenset()).day == TODAY


def test_a_settled_day_is_not_due_again() -> None:
    result = due(PRAGUE, at("2026-11-22 06:01"), frozenset({TODAY}))

    assert result.day is None
    assert result.next_at == at("2026-11-23 06:00")


def test_after_too_late_the_day_is_missed_and_no_longer_due() -> None:
    result = due(PRAGUE, at("2026-11-22 18:00"), frozenset(), since=date(2026, 11, 22))

    assert result.day is None
    assert result.missed == (TODAY,)


def test_a_new_installation_has_missed_nothing() -> None:
    assert due(PRAGUE, at("2026-11-22 20:00"), frozenset()).missed == ()


def test_days_the_machine_was_off_are_missed_and_only_the_last_is_due() -> None:
    done = frozenset({date(2026, 11, 18)})

    result = due(PRAGUE, at("2026-11-22 09:00"), done, since=date(2026, 11, 18))

    assert result.day == TODAY
    assert result.missed == (date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21))


def test_a_slot_just_before_midnight_is_still_due_after_it() -> None:
    late = Schedule(time(23, 58), "Europe/Prague")

    assert due(late, at("2026-11-23 00:03"), frozenset()).day == TODAY


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param("2026-03-29", "2026-03-29T01:30+00:00", id="spring: 02:30 becomes 03:30"),
        pytest.param("2026-10-25", "2026-10-25T00:30+00:00", id="autumn: the first 02:30"),
    ],
)
def test_a_change_of_clocks_moves_the_slot_and_never_drops_it(day: str, expected: str) -> None:
    schedule = Schedule(time(2, 30), "Europe/Prague")

    assert schedule.starts(date.fromisoformat(day)) == datetime.fromisoformat(expected)


@given(
    zone=st.sampled_from(
        [
            "Europe/Prague",
            "Europe/Ljubljana",
            "Australia/Lord_Howe",
            "Africa/Casablanca",
            "America/New_York",
            "America/St_Johns",
            "Asia/Kathmandu",
            "Pacific/Chatham",
            "UTC",
        ]
    ),
    send_at=st.sampled_from([time(0), time(2, 30), time(6), time(23, 58), time(23, 59, 59)]),
    begin=st.dates(date(2026, 1, 1), date(2027, 12, 1)),
    minutes=st.integers(7, 59),
)
def test_ticks_over_any_weeks_make_one_digest_for_each_calendar_day(
    zone: str, send_at: time, begin: date, minutes: int
) -> None:
    schedule = Schedule(send_at, zone, too_late=send_at)
    now = schedule.starts(begin)
    end = schedule.starts(begin + timedelta(days=10))
    done: list[date] = []
    while now < end:
        result = due(schedule, now, frozenset(done), since=begin)
        if result.day:
            done.append(result.day)
        assert result.missed == ()
        now += timedelta(minutes=minutes)

    assert done == [begin + timedelta(days=n) for n in range(10)]
