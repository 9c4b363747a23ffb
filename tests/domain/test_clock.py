"""Whether a clock can be believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifier.domain.clock import Belief, compare, judge
from notifier.errors import ClockRefused
from tests.factories import NOON


@pytest.mark.parametrize(
    ("pause", "belief"),
    [
        (timedelta(minutes=10), Belief.SURE),
        (timedelta(minutes=-5), Belief.SURE),
        (timedelta(hours=9), Belief.ASK),
        (timedelta(days=2), Belief.ASK),
        (timedelta(days=3), Belief.ASK_OR_STOP),
        (timedelta(hours=-3), Belief.ASK_OR_STOP),
        (timedelta(days=26_000), Belief.ASK_OR_STOP),
    ],
    ids=str,
)
def test_a_time_is_believed_if_it_follows_on_the_last(pause: timedelta, belief: Belief) -> None:
    assert judge(NOON + pause, NOON) is belief


def test_the_first_time_of_all_is_believed() -> None:
    assert judge(NOON, None) is Belief.SURE


def test_a_time_before_this_program_was_made_is_refused_outright() -> None:
    with pytest.raises(ClockRefused, match="1970-01-01 00:00 UTC, which is before"):
        judge(datetime(1970, 1, 1, tzinfo=UTC), None)


@pytest.mark.parametrize("off", [timedelta(minutes=61), timedelta(minutes=-61)], ids=str)
def test_a_clock_an_hour_off_the_marketplaces_is_refused(off: timedelta) -> None:
    with pytest.raises(ClockRefused, match="the marketplace's 2026-11-22 12:00 UTC"):
        compare(NOON + off, NOON)


def test_a_clock_nobody_can_be_compared_with_is_not_refused() -> None:
    compare(NOON, None)
    compare(NOON + timedelta(minutes=59), NOON)
