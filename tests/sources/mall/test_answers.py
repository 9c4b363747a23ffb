"""Every answer of the marketplace is data or one of our errors; headers are read tolerantly."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.errors import MarketplaceRefused, MarketplaceUnavailable
from notifier.http import HttpAnswer
from notifier.sources.mall.answers import (
    LONGEST_ASKED,
    ApiAnswer,
    Forbidden,
    LimitReached,
    NotFound,
    RequestRejected,
    Retryable,
    UnreadableAnswer,
    calls_left,
    open_answer,
    parse_json,
    retry_after,
    window_left,
)
from tests.sources.test_values import JSON

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
GOOD = b'{"result": {"code": 200, "status": "OK"}, "paging": {"pages": 1}, "data": []}'
PLAIN_ERROR = b'{"result": {"code": 400, "status": "ERROR"}, "errorCodes": [], "data": null}'


def opened(body: bytes, status: int = 200, **headers: str) -> ApiAnswer:
    answer = HttpAnswer(status, {k.replace("_", "-"): v for k, v in headers.items()}, body)
    return open_answer(answer, "shop.example", NOW)


def test_a_good_answer_holds_data_and_paging() -> None:
    assert opened(GOOD) == ApiAnswer([], {"pages": 1})


def test_a_byte_order_mark_does_no_harm() -> None:
    assert opened(b"\xef\xbb\xbf" + GOOD).data == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html><body>Oops</body></html>", id="HTML"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a bare list"),
        pytest.param(b"{}", id="a bare object"),
        pytest.param(b'{"data": []}', id="no result"),
        pytest.param(b'{"result": "OK", "data": []}', id="result as text"),
        pytest.param(GOOD.replace(b"[]", b"[NaN]"), id="NaN"),
        pytest.param(GOOD.replace(b"[]", b"[-Infinity]"), id="infinity"),
        pytest.param(GOOD.replace(b"[]", b"[" * 100_000 + b"]" * 100_000), id="a depth bomb"),
        pytest.param(GOOD.replace(b"[]", b'{"a":' * 100_000), id="an endless object"),
        pytest.param(GOOD.decode().encode("utf-16"), id="UTF-16"),
        pytest.param(GOOD.replace(b"[]", b'["\xe8"]'), id="Latin-2"),
        pytest.param(GOOD + GOOD, id="twice"),
        pytest.param(GOOD[:-1] + b', "data": []}', id="data twice"),
        pytest.param(GOOD.replace(b"[]", b'[{"id": 7, "id": 8}]'), id="an id twice"),
    ],
)
def test_what_is_not_the_marketplaces_json_may_pass_and_is_never_data(body: bytes) -> None:
    with pytest.raises(
        UnreadableAnswer, match=r"shop\.example \(200\) is not the marketplace's JSON"
    ):
        opened(body)


def test_an_answer_cut_at_any_byte_is_unreadable() -> None:
    for end in range(len(GOOD)):
        with pytest.raises(UnreadableAnswer):
            opened(GOOD[:end])


def test_a_number_of_absurd_length_costs_no_more_than_itself() -> None:
    body = GOOD.replace(b"[]", b'[{"id": 7, "cod": ' + b"9" * 10_000 + b"}]")

    assert opened(body).data == [{"id": 7, "cod": None}]


def test_halves_of_characters_do_no_harm() -> None:
    assert opened(GOOD.replace(b"[]", rb'["\ud800"]')).data == ["\ud800"]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, MarketplaceRefused, "does not accept the client_id"),
        (403, Forbidden, "does not allow this client_id"),
        (404, NotFound, "base_url"),
        (410, NotFound, "base_url"),
        (429, LimitReached, "limit of calls"),
        (400, RequestRejected, "newer version"),
        (409, RequestRejected, "newer version"),
        (418, RequestRejected, "newer version"),
        (500, Retryable, "out of order"),
        (502, Retryable, "out of order"),
        (503, Retryable, "out of order"),
        (504, Retryable, "out of order"),
    ],
)
def test_every_status_has_its_meaning_and_its_way_out(
    status: int, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        opened(PLAIN_ERROR, status)

    assert type(caught.value) is kind
    assert "shop.example" in str(caught.value)


@pytest.mark.parametrize(
    ("result", "kind"),
    [
        ({"status": "ERROR", "code": 401}, MarketplaceRefused),
        ({"status": "ERROR", "code": 404}, NotFound),
        ({"status": "ERROR", "code": 429}, LimitReached),
        ({"status": "ERROR", "code": 200}, Retryable),
        ({"status": "ERROR"}, Retryable),
        ({"status": "LIMITED"}, LimitReached),
        ({"status": "LIMITED", "code": 200}, LimitReached),
        ({"code": 200}, Retryable),
        ({"status": ["OK"]}, Retryable),
        ({}, Retryable),
    ],
)
def test_the_result_counts_although_http_says_that_all_is_well(
    result: dict[str, object], kind: type[Exception]
) -> None:
    with pytest.raises(kind) as caught:
        opened(json.dumps({"result": result, "data": []}).encode())

    assert type(caught.value) is kind


def test_anybody_elses_not_found_does_not_mean_that_an_order_is_gone() -> None:
    with pytest.raises(UnreadableAnswer):
        opened(b"<h1>404 Not Found</h1>", 404)


def test_a_limit_tells_until_when() -> None:
    with pytest.raises(LimitReached, match="until 2026-03-02 08:00 UTC") as caught:
        opened(PLAIN_ERROR, 429, retry_after="7200")

    assert caught.value.wait == timedelta(hours=2)


def test_a_limit_without_retry_after_lasts_as_long_as_its_window() -> None:
    with pytest.raises(LimitReached) as caught:
        opened(PLAIN_ERROR, 429, x_ratelimit_reset="3600", x_ratelimit_remaining="0")

    assert caught.value.wait == timedelta(hours=1)


def test_a_limit_that_has_calls_left_is_another_one_and_does_not_last_a_day() -> None:
    with pytest.raises(LimitReached) as caught:
        opened(PLAIN_ERROR, 429, x_ratelimit_reset="3600", x_ratelimit_remaining="900")

    assert caught.value.wait is None


def test_a_limit_that_lasts_longer_than_there_are_dates_is_one_all_the_same() -> None:
    last = datetime.max.replace(tzinfo=UTC)

    with pytest.raises(LimitReached, match="is used up for now") as caught:
        open_answer(HttpAnswer(429, {"retry-after": "60"}, PLAIN_ERROR), "shop.example", last)

    assert caught.value.wait == timedelta(minutes=1)


def test_the_end_of_the_day_is_not_when_a_broken_server_works_again() -> None:
    with pytest.raises(Retryable) as caught:
        opened(PLAIN_ERROR, 503, x_ratelimit_reset="3600", x_ratelimit_remaining="0")

    assert caught.value.wait is None


@given(JSON, st.integers(200, 599))
def test_any_json_with_any_status_is_data_or_one_of_our_errors(data: object, status: int) -> None:
    with suppress(MarketplaceRefused, MarketplaceUnavailable):
        opened(json.dumps(data).encode(), status)


@given(st.binary())
def test_any_bytes_are_json_or_a_value_error(body: bytes) -> None:
    with suppress(ValueError):
        parse_json(body)


# Headers


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
