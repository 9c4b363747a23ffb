"""Whether the clock can be trusted."""

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
def test_a_time_is_trusted_by_its_distance_from_the_last_one(
    pause: timedelta, trust: ClockTrust
) -> None:
    assert judge_clock(NOON + pause, NOON) is trust


def test_the_very_first_time_is_trusted() -> None:
    assert judge_clock(NOON, None) is ClockTrust.TRUSTED


def test_a_time_before_the_build_is_refused() -> None:
    with pytest.raises(ClockRefused, match="1970-01-01 00:00 UTC, which is before"):
        judge_clock(datetime(1970, 1, 1, tzinfo=UTC), None)


@pytest.mark.parametrize("off", [timedelta(minutes=61), timedelta(minutes=-61)], ids=str)
def test_a_clock_more_than_an_hour_off_is_refused(off: timedelta) -> None:
    with pytest.raises(ClockRefused, match="the marketplace's 2026-11-22 12:00 UTC"):
        compare_clocks(NOON + off, NOON)


def test_a_clock_without_comparison_or_close_enough_is_accepted() -> None:
    compare_clocks(NOON, None)
    compare_clocks(NOON + timedelta(minutes=59), NOON)
