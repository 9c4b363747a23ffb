"""Whether a clock can be believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifier.domain.clock import ClockTrust, compare_clocks, judge_clock
from notifier.errors import ClockRefused
from tests.factories import NOON


@pytest.mark.parametrize(
    ("pause", "trust"),
    [
        (timedelta(minutes=10), ClockTrust.TRUSTED),
        (timedelta(minutes=-5), ClockTrust.TRUSTED),
        (timedelta(hours=9), ClockTrust.CONFIRM),
        (timedelta(days=2), ClockTrust.CONFIRM),
        (timedelta(days=3), ClockTrust.MUST_CONFIRM),
        (timedelta(hours=-3), ClockTrust.MUST_CONFIRM),
        (timedelta(days=26_000), ClockTrust.MUST_CONFIRM),
    ],
    ids=str,
)
def test_a_time_is_believed_if_it_follows_on_the_last(pause: timedelta, trust: ClockTrust) -> None:
    assert judge_clock(NOON + pause, NOON) is trust


def test_the_first_time_of_all_is_believed() -> None:
    assert judge_clock(NOON, None) is ClockTrust.TRUSTED


def test_a_time_before_this_program_was_made_is_refused_outright() -> None:
    with pytest.raises(ClockRefused, match="1970-01-01 00:00 UTC, which is before"):
        judge_clock(datetime(1970, 1, 1, tzinfo=UTC), None)


@pytest.mark.parametrize("off", [timedelta(minutes=61), timedelta(minutes=-61)], ids=str)
def test_a_clock_an_hour_off_the_marketplaces_is_refused(off: timedelta) -> None:
    with pytest.raises(ClockRefused, match="the marketplace's 2026-11-22 12:00 UTC"):
        compare_clocks(NOON + off, NOON)


def test_a_clock_nobody_can_be_compared_with_is_not_refused() -> None:
    compare_clocks(NOON, None)
    compare_clocks(NOON + timedelta(minutes=59), NOON)
