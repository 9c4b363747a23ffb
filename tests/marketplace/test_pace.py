"""How long to wait, by what the marketplace says and by what is decent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.marketplace.pace import (
    LONGEST_ASKED,
    backoff,
    calls_left,
    http_date,
    retry_after,
    window_left,
)

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", timedelta(seconds=120)),
        (" 0 ", timedelta(0)),
        ("Mon, 02 Mar 2026 06:00:30 GMT", timedelta(seconds=30)),
        ("Monday, 02-Mar-26 06:00:30 GMT", timedelta(seconds=30)),
        ("Mon Mar  2 06:00:30 2026", timedelta(seconds=30)),
        ("Sun, 01 Mar 2026 06:00:00 GMT", timedelta(0)),
        ("Thu, 31 Dec 9999 23:59:59 GMT", LONGEST_ASKED),
        ("99999999999", LONGEST_ASKED),
        ("9" * 400, None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
        ("soon", None),
        ("Mon, 99 Mar 2026 06:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_unreasonable(
    value: str, expected: timedelta | None
) -> None:
    assert retry_after({"retry-after": value}, NOW) == expected


def test_without_the_header_nothing_is_asked() -> None:
    assert retry_after({}, NOW) is None
    assert window_left({}) is None
    assert calls_left({}) is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} -?\d+ [\d:]+ \S*"))
def test_whatever_is_asked_the_wait_is_sane(value: str) -> None:
    wait = retry_after({"retry-after": value}, NOW)

    assert wait is None or timedelta(0) <= wait <= LONGEST_ASKED


@pytest.mark.parametrize("value", ["tomorrow", "٣", "Mon, 02 Mar 2026 99:00:30 GMT"])
def test_a_date_that_is_none_is_none(value: str) -> None:
    assert http_date(value) is None


def test_the_limit_tells_what_is_left_and_for_how_long() -> None:
    headers = {"x-ratelimit-remaining": "17", "x-ratelimit-reset": "3600"}

    assert calls_left(headers) == 17
    assert window_left(headers) == timedelta(hours=1)


def test_pauses_double_and_lose_up_to_half_by_chance() -> None:
    assert [backoff(n, 1.0).total_seconds() for n in (1, 2, 3)] == [1, 2, 4]
    assert [backoff(n, 0.0).total_seconds() for n in (1, 2, 3)] == [0.5, 1, 2]
