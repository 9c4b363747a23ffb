"""What an answer of the marketplace means."""

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
    ApiAnswer,
    Forbidden,
    LimitReached,
    NotThere,
    NotUnderstood,
    Passing,
    Unreadable,
    open_answer,
    parse_json,
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
    with pytest.raises(Unreadable, match=r"shop\.example answers \(200\) with something"):
        opened(body)


def test_an_answer_cut_at_any_byte_is_unreadable() -> None:
    for end in range(len(GOOD)):
        with pytest.raises(Unreadable):
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
        (404, NotThere, "base_url"),
        (410, NotThere, "base_url"),
        (429, LimitReached, "limit of calls"),
        (400, NotUnderstood, "newer version"),
        (409, NotUnderstood, "newer version"),
        (418, NotUnderstood, "newer version"),
        (500, Passing, "out of order"),
        (502, Passing, "out of order"),
        (503, Passing, "out of order"),
        (504, Passing, "out of order"),
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
        ({"status": "ERROR", "code": 404}, NotThere),
        ({"status": "ERROR", "code": 429}, LimitReached),
        ({"status": "ERROR", "code": 200}, Passing),
        ({"status": "ERROR"}, Passing),
        ({"status": "LIMITED"}, LimitReached),
        ({"status": "LIMITED", "code": 200}, LimitReached),
        ({"code": 200}, Passing),
        ({"status": ["OK"]}, Passing),
        ({}, Passing),
    ],
)
def test_the_result_counts_although_http_says_that_all_is_well(
    result: dict[str, object], kind: type[Exception]
) -> None:
    with pytest.raises(kind) as caught:
        opened(json.dumps({"result": result, "data": []}).encode())

    assert type(caught.value) is kind


def test_anybody_elses_not_found_does_not_mean_that_an_order_is_gone() -> None:
    with pytest.raises(Unreadable):
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
    with pytest.raises(Passing) as caught:
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
