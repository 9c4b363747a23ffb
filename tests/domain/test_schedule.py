"""When days, messages and readings are due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.schedule import Schedule, due, next_reading, next_slot, next_try
from tests.factories import NOON

PRAGUE = Schedule(time(6), "Europe/Prague")
TODAY = date(2026, 11, 22)


def at(text: str, zone: str = "Europe/Prague") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_nothing_is_due_before_the_first_slot() -> None:
    result = due(PRAGUE, at("2026-11-22 05:59:59"), {})

    assert result.day is None
    assert result.next_at == at("2026-11-22 06:00")


def test_today_is_due_from_its_slot_on() -> None:
    assert due(PRAGUE, at("2026-11-22 06:00"), {}).day == TODAY


def test_a_settled_day_is_not_due_again() -> None:
    result = due(PRAGUE, at("2026-11-22 06:01"), {TODAY: True})

    assert result.day is None
    assert result.next_at == at("2026-11-23 06:00")


def test_after_too_late_the_day_is_missed_and_no_longer_due() -> None:
    result = due(PRAGUE, at("2026-11-22 18:00"), {}, since=at("2026-11-22 05:00"))

    assert result.day is None
    assert result.missed == (TODAY,)


def test_a_new_installation_has_missed_nothing() -> None:
    assert due(PRAGUE, at("2026-11-22 20:00"), {}).missed == ()


def test_days_the_machine_was_off_are_missed_and_only_the_last_is_due() -> None:
    done = {date(2026, 11, 18): True}

    result = due(PRAGUE, at("2026-11-22 09:00"), done, since=at("2026-11-18 06:01"))

    assert result.day == TODAY
    assert result.missed == (date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21))


def test_a_slot_just_before_midnight_is_still_due_after_it() -> None:
    late = Schedule(time(23, 58), "Europe/Prague")

    assert due(late, at("2026-11-23 00:03"), {}, since=at("2026-11-22 12:00")).day == TODAY


def test_a_new_account_gets_no_digest_of_yesterday() -> None:
    late = Schedule(time(23), "Europe/Prague")

    for since in (None, at("2026-11-22 07:25")):
        result = due(late, at("2026-11-22 07:30"), {}, since=since)
        assert (result.day, result.next_at) == (None, at("2026-11-22 23:00"))


def test_a_day_settled_before_its_slot_is_not_next() -> None:
    result = due(PRAGUE, at("2026-11-22 05:00"), {TODAY: True})

    assert result.next_at == at("2026-11-23 06:00")


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


def test_a_day_that_failed_until_it_was_too_late_is_missed() -> None:
    ledger = {date(2026, 11, 21): False, TODAY: True}

    result = due(PRAGUE, at("2026-11-22 09:00"), ledger, since=at("2026-11-18 06:01"))

    assert result.missed == (date(2026, 11, 21),)


def test_a_requested_digest_of_an_old_day_makes_no_later_day_missed() -> None:
    asked_for = {date(2026, 11, 1): True}

    result = due(PRAGUE, at("2026-11-22 20:00"), asked_for, since=at("2026-11-22 19:00"))

    assert result.missed == ()


def test_each_day_of_months_without_the_machine_is_missed() -> None:
    done = {date(2026, 8, 1): True}

    result = due(PRAGUE, at("2026-11-22 09:00"), done, since=at("2026-06-01 06:01"))

    assert len(result.missed) == (TODAY - date(2026, 8, 2)).days
    assert (result.missed[0], result.missed[-1]) == (date(2026, 8, 2), date(2026, 11, 21))


def test_a_weekday_that_is_not_chosen_is_neither_due_nor_missed() -> None:
    closed_on_sunday = Schedule(time(6), "Europe/Prague", weekdays=frozenset(range(6)))
    saturday = {date(2026, 11, 21): True}

    sunday = due(closed_on_sunday, at("2026-11-22 09:00"), saturday, since=at("2026-11-01 06:00"))
    monday = due(closed_on_sunday, at("2026-11-23 09:00"), saturday, since=at("2026-11-01 06:00"))

    assert (sunday.day, sunday.missed) == (None, ())
    assert sunday.next_at == at("2026-11-23 06:00")
    assert (monday.day, monday.missed) == (date(2026, 11, 23), ())


def test_days_of_a_former_schedule_that_were_passed_over_are_not_missed() -> None:
    """It was Saturdays only; since today it is every day."""
    ledger = {date(2026, 11, 14): True, date(2026, 11, 21): True}

    result = due(PRAGUE, at("2026-11-22 09:00"), ledger, since=at("2026-11-01 06:00"))

    assert (result.day, result.missed) == (TODAY, ())


def test_a_day_that_a_zone_skips_has_no_digest() -> None:
    """Samoa went to bed on Thursday, 29 December 2011, and got up on Saturday."""
    samoa = Schedule(time(6), "Pacific/Apia")
    thursday = date(2011, 12, 29)

    now = samoa.starts(date(2011, 12, 31))
    result = due(samoa, now, {thursday: True}, since=samoa.starts(thursday))

    assert (result.day, result.missed) == (date(2011, 12, 31), ())


def test_a_weekday_that_a_zone_skips_is_next_a_week_later() -> None:
    fridays = Schedule(time(6), "Pacific/Apia", weekdays=frozenset({4}))

    now = fridays.starts(date(2011, 12, 23))

    assert next_slot(fridays, now) == fridays.starts(date(2012, 1, 6))


def test_pauses_between_tries_grow_from_five_minutes_to_an_hour() -> None:
    pauses = [(next_try(attempts, NOON) - NOON) // timedelta(minutes=1) for attempts in range(1, 8)]

    assert pauses == [5, 10, 20, 40, 60, 60, 60]


def test_an_unreadable_list_is_read_again_at_growing_intervals() -> None:
    tries, at = 0, NOON
    while at < NOON + timedelta(hours=12):
        at, tries = next_reading(NOON, at), tries + 1

    assert tries == 19
    assert next_reading(NOON, NOON - timedelta(hours=9)) == NOON + timedelta(hours=-9, minutes=5)
    assert next_reading(NOON, at) == at + timedelta(hours=1)


ZONES = {
    "Europe/Prague": date(2026, 1, 1),
    "Europe/Ljubljana": date(2026, 1, 1),
    "Europe/Dublin": date(2026, 1, 1),
    "America/New_York": date(2026, 1, 1),
    "America/St_Johns": date(2005, 10, 1),  # changed at one minute past midnight
    "America/Sao_Paulo": date(2017, 6, 1),  # changed at midnight
    "Asia/Beirut": date(2026, 1, 1),  # changes at midnight
    "Asia/Kathmandu": date(2026, 1, 1),
    "Africa/Casablanca": date(2026, 1, 1),  # changes for Ramadan
    "Australia/Lord_Howe": date(2026, 1, 1),  # changes by half an hour
    "Pacific/Apia": date(2011, 6, 1),  # skips a day
    "Pacific/Chatham": date(2026, 1, 1),
}
"""Twelve zones, each with the two years that try it most."""


@pytest.mark.slow
@pytest.mark.parametrize("send_at", ["00:00", "00:30", "02:30", "23:58", "23:59:59"])
@pytest.mark.parametrize(("zone", "begin"), ZONES.items(), ids=ZONES)
def test_two_years_of_ticks_make_one_digest_for_each_calendar_day(
    zone: str, begin: date, send_at: str
) -> None:
    schedule = Schedule(time.fromisoformat(send_at), zone, too_late=time.fromisoformat(send_at))
    since = now = schedule.starts(begin)
    end = schedule.starts(begin + timedelta(days=730))
    ledger: dict[date, bool] = {}
    while now < end:
        result = due(schedule, now, ledger, since=since)
        assert result.missed == ()
        if result.day:
            assert result.day not in ledger
            ledger[result.day] = True
        else:
            now = result.next_at

    assert sorted(ledger) == calendar_days(zone, begin, 730)


@pytest.mark.slow
@given(
    zone=st.sampled_from(sorted(ZONES)),
    send_at=st.sampled_from([time(0), time(2, 30), time(6), time(23, 58), time(23, 59, 59)]),
    first=st.integers(0, 700),
    minutes=st.integers(7, 59),
)
def test_ticks_at_any_time_make_one_digest_for_each_calendar_day(
    zone: str, send_at: time, first: int, minutes: int
) -> None:
    schedule = Schedule(send_at, zone, too_late=send_at)
    begin = ZONES[zone] + timedelta(days=first)
    since = now = schedule.starts(begin)
    end = schedule.starts(begin + timedelta(days=10))
    done: dict[date, bool] = {}
    while now < end:
        result = due(schedule, now, done, since=since)
        if result.day:
            done[result.day] = True
        assert result.missed == ()
        now += timedelta(minutes=minutes)

    assert sorted(done) == calendar_days(zone, begin, 10)


def calendar_days(zone: str, begin: date, count: int) -> list[date]:
    """Every day of these that a clock on a wall there shows."""
    noons = (
        datetime.combine(begin, time(12), UTC) + timedelta(hours=n)
        for n in range(-36, count * 24 + 36)
    )
    shown = {noon.astimezone(ZoneInfo(zone)).date() for noon in noons}
    return sorted(shown & {begin + timedelta(days=n) for n in range(count)})
