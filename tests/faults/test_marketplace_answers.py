"""Whatever the marketplace answers, to whichever call: a reading ends, and says what is missing."""

from __future__ import annotations

import codecs
import gzip
import zlib
from asyncio import StreamWriter
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache

import pytest

from notifier.domain.reading import Complete, Departure, Failed, Incomplete, Reading
from notifier.errors import MarketplaceRefused
from notifier.http import HttpClient
from notifier.sources.mall.calls import MOST_TRIES
from tests.faults.cuts import read
from tests.loopback import answer, behaving
from tests.sources.mall.neighbour import (
    CLIENT_ID,
    Said,
    Visit,
    access,
    detail,
    page,
    row,
    said,
    scripted,
)

ORDERS = (1, 2, 3, 4)
LIST_CALLS = 4
"""Two passes of two pages."""
CALLS = LIST_CALLS + len(ORDERS)


class Shop:
    """Four orders that wait, on two pages; some of the calls, by their number, go wrong.

    `wrong` is told the number of a call, from 0, and what it should answer.
    """

    def __init__(self, wrong: Callable[[int, Said], Said]) -> None:
        self.calls = 0
        self._wrong = wrong

    def __call__(self, path: str, query: Mapping[str, str]) -> Said:
        number, self.calls = self.calls, self.calls + 1
        return self._wrong(number, self._right(path, query))

    def _right(self, path: str, query: Mapping[str, str]) -> Said:
        if path != "/v1/orders":
            return said(detail(int(path.rpartition("/")[2])))
        number = int(query["page"])
        shown = ORDERS[2 * number - 2 : 2 * number]
        return page([row(id_) for id_ in shown], number=number, pages=2, total=len(ORDERS))


async def visit(
    wrong: Callable[[int, Said], Said], run_timeout: timedelta = timedelta(minutes=15)
) -> tuple[Reading, Shop, Visit]:
    """One reading, call after call, of a shop all of whose orders were known before."""
    shop = Shop(wrong)
    settings = access(page_size=2, concurrency=1, run_timeout=run_timeout)
    came = Visit(scripted(shop), settings)
    return await came.read(ORDERS), shop, came


def ids(reading: Reading) -> tuple[int, ...]:
    return () if isinstance(reading, Failed) else tuple(order.id for order in reading.orders)


def once(at: int, bad: Said) -> Callable[[int, Said], Said]:
    return lambda number, right: bad if number == at else right


def always_from(at: int, bad: Said) -> Callable[[int, Said], Said]:
    return lambda number, right: bad if number >= at else right


def check_nothing_is_hidden(reading: Reading) -> None:
    """What a reading does not show it must tell of: as unread, as gone, or by failing."""
    assert not isinstance(reading, Failed) or "127.0.0.1" in reading.why
    if isinstance(reading, Complete):
        assert {*ids(reading), *reading.departed} == {*ORDERS}
    if isinstance(reading, Incomplete):
        assert reading.why
        assert {*ids(reading), *reading.departed, *reading.unread} == {*ORDERS}


# A status in place of any call

NOT_FOUND = b'{"result": {"code": 404, "status": "ERROR"}}'
BY_DATE = "Mon, 02 Mar 2026 06:01:00 GMT"
LONG_AGO = "Sun, 01 Mar 2026 06:00:00 GMT"
PASSING: dict[str, Said] = {
    **{str(status): (status, {}, b"") for status in (408, 500, 502, 503, 504)},
    **{
        f"429 {asked}": (429, {"retry-after": asked.encode().decode("latin-1")}, b"")
        for asked in ("", "0", "2", "-5", "nan", "1.5", "٣", LONG_AGO, BY_DATE, "soon")
    },
    "an error inside": (200, {}, b'{"result": {"status": "ERROR"}, "data": []}'),
    "a limit inside": (200, {}, b'{"result": {"status": "LIMITED"}, "data": []}'),
}
ENDLESS: dict[str, Said] = {
    f"429 {asked}": (429, {"retry-after": asked}, b"")
    for asked in ("99999999999", "Thu, 31 Dec 2099 23:59:59 GMT")
}
LASTING: dict[str, Said] = {
    str(status): (status, {}, NOT_FOUND) for status in (400, 401, 403, 404, 405, 409, 410, 422, 451)
}


@pytest.mark.parametrize("at", range(CALLS))
@pytest.mark.parametrize("bad", PASSING.values(), ids=PASSING)
async def test_what_passes_costs_no_order_whichever_call_it_hits(bad: Said, at: int) -> None:
    reading, shop, _ = await visit(once(at, bad))

    assert isinstance(reading, Complete)
    assert ids(reading) == ORDERS
    assert shop.calls == CALLS + 1


@pytest.mark.parametrize("failures", [1, MOST_TRIES - 1, MOST_TRIES, 3 * MOST_TRIES + 1])
@pytest.mark.parametrize("status", [500, 503, 429])
async def test_failures_in_a_row_cost_no_order_but_where_a_limit_is_not_lifted(
    status: int, failures: int
) -> None:
    def wrong(number: int, right: Said) -> Said:
        return (status, {}, b"") if LIST_CALLS <= number < LIST_CALLS + failures else right

    reading, _, _ = await visit(wrong)

    assert isinstance(reading, Complete) is (status != 429 or failures < MOST_TRIES)
    check_nothing_is_hidden(reading)


@pytest.mark.parametrize("at", range(CALLS))
@pytest.mark.parametrize("bad", (PASSING | ENDLESS | LASTING).values())
async def test_what_lasts_from_any_call_on_ends_the_reading_with_what_was_read(
    bad: Said, at: int
) -> None:
    reading, shop, came = await visit(always_from(at, bad))

    check_nothing_is_hidden(reading)
    assert not isinstance(reading, Complete) or at == CALLS - 1
    assert ids(reading) == ORDERS[: max(0, at - LIST_CALLS)]
    assert shop.calls <= at + MOST_TRIES * (1 + len(ORDERS))
    assert sum(came.naps.taken) < timedelta(minutes=15).total_seconds()


@pytest.mark.parametrize("at", range(CALLS))
@pytest.mark.parametrize("status", [401, 403])
async def test_a_credential_refused_at_any_call_is_not_tried_again(status: int, at: int) -> None:
    reading, shop, came = await visit(always_from(at, (status, {}, b"")))

    of_this_order_only = status == 403 and LIST_CALLS <= at < CALLS - 1
    assert shop.calls == at + 1 + of_this_order_only
    assert came.naps.taken == []
    assert f"({status})" in ("" if isinstance(reading, Complete) else reading.why)
    if at <= LIST_CALLS:
        assert isinstance(reading, Failed)
        assert isinstance(reading.error, MarketplaceRefused)


@pytest.mark.parametrize("status", [404, 410])
async def test_one_order_that_is_gone_between_list_and_detail_is_told_to_be_gone(
    status: int,
) -> None:
    reading, _, _ = await visit(once(LIST_CALLS + 1, (status, {}, NOT_FOUND)))

    assert isinstance(reading, Complete)
    assert ids(reading) == (1, 3, 4)
    assert reading.departed == {2: Departure.GONE}


@pytest.mark.parametrize("status", [400, 405, 409, 422])
async def test_one_order_of_which_it_will_not_speak_is_told_to_be_unread(status: int) -> None:
    reading, _, _ = await visit(once(LIST_CALLS + 1, (status, {}, NOT_FOUND)))

    assert isinstance(reading, Incomplete)
    assert ids(reading) == (1, 3, 4)
    assert reading.unread == (2,)


async def test_one_order_that_we_may_not_see_is_told_to_be_unread() -> None:
    reading, shop, _ = await visit(once(LIST_CALLS, (403, {}, b"")))

    assert isinstance(reading, Incomplete)
    assert ids(reading) == (2, 3, 4)
    assert reading.unread == (1,)
    assert shop.calls == CALLS


@pytest.mark.parametrize("asked", ["0", "-5", "7", "59", "", LONG_AGO])
async def test_a_limit_for_ever_is_waited_for_within_the_time_of_the_reading(asked: str) -> None:
    limit = timedelta(seconds=60)
    bad = (429, {"retry-after": asked}, b"")

    reading, shop, came = await visit(always_from(0, bad), limit)

    assert isinstance(reading, Failed)
    assert shop.calls <= MOST_TRIES
    assert max(came.naps.taken, default=0) <= limit.total_seconds()


# A body in place of any call


@cache
def _packed_blanks(megabytes: int) -> bytes:
    packer, blanks = zlib.compressobj(wbits=31), b" " * 2**20
    return b"".join([*(packer.compress(blanks) for _ in range(megabytes)), packer.flush()])


GZIP = {"content-encoding": "gzip"}
UNREADABLE: dict[str, Callable[[Said], Said]] = {
    "HTML": lambda _: (200, {"content-type": "text/html"}, b"<html><body>Oops</body></html>"),
    "an empty body": lambda _: (200, {}, b""),
    "no content": lambda _: (204, {}, b""),
    "blanks": lambda _: (200, {}, b" \r\n\t"),
    "null": lambda _: (200, {}, b"null"),
    "NaN": lambda right: _with(right, b"NaN"),
    "infinity": lambda right: _with(right, b"-Infinity"),
    "a depth of 100,000": lambda right: _with(right, b"[" * 10**5 + b"]" * 10**5),
    "objects 100,000 deep": lambda right: _with(right, b'{"a":' * 10**5 + b"1" + b"}" * 10**5),
    "data twice": lambda right: (200, {}, right[2][:-1] + b', "data": []}'),
    "the result twice": lambda right: (200, {}, right[2][:-1] + b', "result": {"status": "OK"}}'),
    "UTF-16": lambda right: (200, {}, right[2].decode().encode("utf-16")),
    "UTF-32": lambda right: (200, {}, right[2].decode().encode("utf-32")),
    "Latin-2": lambda right: _with(right, b'"\xe8"'),
    "cut short": lambda right: (200, {}, right[2][:-1]),
    "twice": lambda right: (200, {}, right[2] * 2),
    "a gzip bomb": lambda _: (200, GZIP, _packed_blanks(40)),
    "gzip that is cut": lambda right: (200, GZIP, gzip.compress(right[2])[:-9]),
    "gzip that is none": lambda right: (200, GZIP, right[2]),
    "brotli": lambda right: (200, {"content-encoding": "br"}, right[2]),
}
READABLE: dict[str, Callable[[Said], Said]] = {
    "a byte order mark": lambda right: (200, {}, codecs.BOM_UTF8 + right[2]),
    "another type": lambda right: (200, {"content-type": "text/html; charset=x"}, right[2]),
    "another charset told": lambda right: (200, {"content-type": "a/b; charset=utf-16"}, right[2]),
    "no type": lambda right: (200, {"content-type": ""}, right[2]),
    "10^400": lambda right: _with(right, b"1" + b"0" * 400),
    "1e400": lambda right: _with(right, b"1e400"),
    "10^100000": lambda right: _with(right, b"1" + b"0" * 10**5),
    "half of a character": lambda right: _with(right, rb'"\ud800"'),
    "gzip": lambda right: (200, GZIP, gzip.compress(right[2])),
    "zlib": lambda right: (200, {"content-encoding": "deflate"}, zlib.compress(right[2])),
    "no encoding": lambda right: (200, {"content-encoding": ""}, right[2]),
    "another 2xx": lambda right: (203, {}, right[2]),
}


def _with(right: Said, value: bytes) -> Said:
    """The right answer, and in its envelope a field with this value."""
    return 200, {}, right[2][:-1] + b', "more": ' + value + b"}"


@pytest.mark.parametrize("spoil", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_unreadable_list_is_a_failure_and_never_empty(
    spoil: Callable[[Said], Said],
) -> None:
    reading, _, _ = await visit(lambda _, right: spoil(right))

    assert isinstance(reading, Failed)
    check_nothing_is_hidden(reading)


@pytest.mark.parametrize("spoil", UNREADABLE.values(), ids=UNREADABLE)
async def test_a_second_page_that_is_unreadable_is_told(spoil: Callable[[Said], Said]) -> None:
    def wrong(number: int, right: Said) -> Said:
        return spoil(right) if 1 <= number <= MOST_TRIES else right

    reading, _, _ = await visit(wrong)

    assert isinstance(reading, Incomplete)
    assert "the list could not be read to its end" in reading.why


@pytest.mark.parametrize("spoil", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_unreadable_detail_costs_one_order(spoil: Callable[[Said], Said]) -> None:
    second = said(detail(2))

    reading, _, _ = await visit(lambda _, right: spoil(right) if right == second else right)

    assert isinstance(reading, Incomplete)
    assert ids(reading) == (1, 3, 4)
    assert reading.unread == (2,)


@pytest.mark.parametrize("dress", READABLE.values(), ids=READABLE)
async def test_what_is_only_dressed_strangely_is_read(dress: Callable[[Said], Said]) -> None:
    reading, _, _ = await visit(lambda _, right: dress(right))

    assert isinstance(reading, Complete)
    assert ids(reading) == ORDERS


async def test_json_cut_at_any_byte_costs_what_it_told_and_no_more() -> None:
    for end in range(len(said(detail(2))[2])):

        def wrong(number: int, right: Said, end: int = end) -> Said:
            hit = 0 < number - LIST_CALLS <= MOST_TRIES
            return (200, {}, right[2][:end]) if hit else right

        reading, _, _ = await visit(wrong)

        assert isinstance(reading, Incomplete)
        assert (ids(reading), reading.unread) == ((1, 3, 4), (2,))


@pytest.mark.parametrize("end", range(0, len(page([row(1), row(2)], pages=2, total=4)[2]), 3))
async def test_a_page_cut_at_any_byte_is_a_failure(end: int) -> None:
    reading, _, _ = await visit(lambda _, right: (200, {}, right[2][:end]))

    assert isinstance(reading, Failed)


@pytest.mark.parametrize(
    "name",
    [
        *("date", "set-cookie", "location", "content-type", "content-language", "link", "refresh"),
        *("retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    ],
)
@pytest.mark.parametrize("status", [200, 302, 401, 429, 503])
async def test_no_header_makes_a_reading_raise_or_hide_something(name: str, status: int) -> None:
    last_date = "Fri, 31 Dec 9999 23:59:59 GMT"
    for value in ("\xff\xfe", "9" * 400, "-1", "nan", "", "https://xn--a.example/", last_date):

        def wrong(_number: int, right: Said, value: str = value) -> Said:
            headers = {"date": last_date, "retry-after": "60", name: value}
            return status, headers, right[2] if status == 200 else b""

        reading, _, _ = await visit(wrong)

        check_nothing_is_hidden(reading)
        assert status == 200 or isinstance(reading, Failed)


# Somewhere else

REDIRECTS = (301, 302, 303, 307, 308)
ELSEWHERE = (
    *(
        "https://elsewhere.example/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
    ),
    *(
        "//elsewhere.example/",
        "/v2/orders",
        "ftp://127.0.0.1/",
        "javascript:alert(1)",
        "https://xn--a.example/",
        "http://[",
        "?",
    ),
)


@pytest.mark.parametrize("at", [0, 1, LIST_CALLS, CALLS - 1])
@pytest.mark.parametrize("target", ELSEWHERE)
async def test_a_redirect_of_any_call_is_not_followed_and_not_tried_again(
    target: str, at: int
) -> None:
    for status in REDIRECTS:
        away = (status, {"location": f"{target}#{CLIENT_ID}"}, b"")

        reading, shop, came = await visit(once(at, away))

        check_nothing_is_hidden(reading)
        assert not isinstance(reading, Complete)
        assert f"redirect ({status})" in reading.why
        assert CLIENT_ID not in f"{reading.why} {reading!r}"
        assert came.naps.taken == []
        assert shop.calls <= CALLS


@pytest.mark.parametrize("status", [*REDIRECTS, 200, 401, 429, 503])
async def test_no_word_of_an_answer_brings_the_credential_to_another_address(status: int) -> None:
    strangers: list[bytes] = []
    asked: list[bytes] = []

    async def stranger(head: bytes, writer: StreamWriter) -> None:
        strangers.append(head)
        writer.write(answer(b""))

    async with behaving(stranger) as decoy:
        url = f"http://127.0.0.1:{decoy}/v1/orders"
        headers = [
            *(f"{name}: {url}" for name in ("Location", "Content-Location")),
            *(f"Refresh: 0; url={url}", f'Link: <{url}>; rel="next"'),
            f'Alt-Svc: h2="127.0.0.1:{decoy}"',
        ]
        paging = {"pages": 2, "next": url, "links": {"next": url}}
        body = said([row(1)], paging=paging)[2]

        async def marketplace(head: bytes, writer: StreamWriter) -> None:
            asked.append(head)
            writer.write(answer(body, f"{status} As Told", headers))

        async with behaving(marketplace) as port, HttpClient() as http:
            reading = await read(f"http://127.0.0.1:{port}", http)

    assert asked
    assert not isinstance(reading, Complete)
    assert strangers == []
