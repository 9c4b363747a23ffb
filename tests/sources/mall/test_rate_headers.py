"""Headers about limits are read in many forms, and nonsense asks for nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.sources.mall.rate_headers import (
    LONGEST_ASKED,
    calls_left,
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
        ("-5", timedelta(0)),
        ("1.5", timedelta(seconds=2)),
        ("1772431230", timedelta(seconds=30)),
        ("2026-03-02T06:00:30Z", timedelta(seconds=30)),
        ("nan", None),
        ("inf", None),
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


def test_the_limit_tells_what_is_left_and_for_how_long() -> None:
    headers = {"x-ratelimit-remaining": "17", "x-ratelimit-reset": "3600"}

    assert calls_left(headers) == 17
    assert window_left(headers) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("5", 5),
        ("4.2", 5),
        ("5.0", 5),
        ("+5", 5),
        ("-1", 0),
        ("1772431205", 5),
        ("1772431205000", 5),
        ("Mon, 02 Mar 2026 06:00:05 GMT", 5),
        ("2026-03-02T06:00:05Z", 5),
        ("2026-03-02T07:00:05+01:00", 5),
        ("1772431100", 0),
        ("2999-01-01T00:00:00Z", 86_400),
        ("999999999", 86_400),
    ],
)
def test_the_end_of_a_limit_may_be_written_in_many_ways(value: str, seconds: int) -> None:
    headers = {"x-ratelimit-reset": value, "date": "Mon, 02 Mar 2026 06:00:00 GMT"}

    assert window_left(headers) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "value", ["", "soon", "nan", "٣", "1e3", "2026-03-02T06:00:05", "999999999999999", "5, 6"]
)
def test_the_end_of_a_limit_may_be_nonsense(value: str) -> None:
    headers = {"x-ratelimit-reset": value, "date": "Mon, 02 Mar 2026 06:00:00 GMT"}

    assert window_left(headers) is None


def test_an_instant_is_none_where_nobody_tells_the_time() -> None:
    assert window_left({"x-ratelimit-reset": "1772431205"}) is None


@given(st.text(), st.text())
def test_whatever_a_limit_says_it_is_sane(value: str, date: str) -> None:
    headers = {"x-ratelimit-reset": value, "x-ratelimit-remaining": value, "date": date}

    left, calls = window_left(headers), calls_left(headers)

    assert left is None or timedelta(0) <= left <= LONGEST_ASKED
    assert calls is None or calls >= 0


@pytest.mark.parametrize(
    ("value", "calls"),
    [("199", 199), ("-1", 0), ("199.9", 199), ("+7", 7), ("9, 3", 3), ("", None), ("9, x", None)],
)
def test_what_is_left_may_be_written_in_many_ways(value: str, calls: int | None) -> None:
    assert calls_left({"x-ratelimit-remaining": value}) == calls
