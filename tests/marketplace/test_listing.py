"""The list may be long, move, repeat itself or lie; it is read to its end or said not to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from notifier.marketplace.listing import MOST_UNTOLD_PAGES
from notifier.reading import Complete, Failed, Incomplete, Reading
from tests.marketplace.neighbour import Said, Visit, access, detail, page, row, said, scripted


class Shop:
    """A marketplace whose pages a test writes: `say(n)` is what page n answers."""

    def __init__(self, say: Callable[[int], Said]) -> None:
        self.pages_asked: list[int] = []
        self._say = say

    def __call__(self, path: str, query: Mapping[str, str]) -> Said:
        if path != "/v1/orders":
            return said(detail(int(path.rpartition("/")[2])))
        self.pages_asked.append(int(query["page"]))
        return self._say(int(query["page"]))


async def read(shop: Shop, known: Sequence[int] = ()) -> Reading:
    return await Visit(scripted(shop), access(page_size=2)).read(known)


def ids(reading: Reading) -> list[int]:
    assert not isinstance(reading, Failed)
    return [order.id for order in reading.orders]


async def test_the_query_is_the_documented_one() -> None:
    seen: list[Mapping[str, str]] = []

    def script(_path: str, query: Mapping[str, str]) -> Said:
        seen.append(query)
        return page([], pages=0)

    await Visit(scripted(script), access(page_size=1000)).read()

    assert seen == [
        {
            "filter": "basic",
            "status": "eq:shipped",
            "mdp": "true",
            "_sort": "id:asc",
            "page": "1",
            "page_size": "1000",
            "client_id": "demo-client-id",
        }
    ]


async def test_pages_are_read_until_the_last() -> None:
    shop = Shop(lambda n: page([row(n)], pages=3))

    assert ids(await read(shop)) == [1, 2, 3]
    assert shop.pages_asked == [1, 2, 3]


async def test_without_a_number_of_pages_an_empty_one_is_the_end() -> None:
    shop = Shop(lambda n: said([row(n)] if n < 4 else []))

    reading = await read(shop)

    assert isinstance(reading, Complete)
    assert ids(reading) == [1, 2, 3]
    assert shop.pages_asked == [1, 2, 3, 4]


async def test_an_empty_list_without_paging_is_an_empty_list() -> None:
    assert isinstance(await read(Shop(lambda _n: said([]))), Complete)


async def test_an_order_that_comes_twice_is_read_once() -> None:
    shop = Shop(lambda n: page([row(n), row(n + 1)], pages=2))

    reading = await read(shop)

    assert isinstance(reading, Complete)
    assert ids(reading) == [1, 2, 3]
    assert reading.calls == 2 + 3


@pytest.mark.parametrize("paging", [{}, {"pages": 100}], ids=["no paging", "100 pages"])
async def test_a_list_that_repeats_itself_is_stopped(paging: dict[str, int]) -> None:
    shop = Shop(lambda _n: said([row(1), row(2)], paging=paging))

    reading = await read(shop)

    assert isinstance(reading, Incomplete)
    assert ids(reading) == [1, 2]
    assert "page 2 only repeats earlier ones" in reading.why
    assert shop.pages_asked == [1, 2]


async def test_a_list_that_grows_without_end_is_stopped() -> None:
    shop = Shop(lambda n: page([row(n)], pages=n + 1))

    reading = await read(shop)

    assert isinstance(reading, Incomplete)
    assert "it has grown to 15 pages" in reading.why
    assert len(shop.pages_asked) == 14


async def test_a_list_that_never_tells_its_end_is_stopped() -> None:
    shop = Shop(lambda n: said([row(n, mdp=False)]))

    assert isinstance(await read(shop), Failed)
    assert len(shop.pages_asked) == MOST_UNTOLD_PAGES


async def test_an_empty_page_before_the_last_is_a_contradiction() -> None:
    shop = Shop(lambda n: page([row(n)] if n != 2 else [], pages=3))

    reading = await read(shop)

    assert isinstance(reading, Incomplete)
    assert ids(reading) == [1]
    assert "page 2 of 3 is empty" in reading.why


@pytest.mark.parametrize("fault", [(503, {}, b""), (200, {}, b"<html>"), said({}), (400, {}, b"")])
async def test_a_page_that_cannot_be_read_leaves_what_the_others_named(fault: Said) -> None:
    shop = Shop(lambda n: fault if n == 2 else page([row(n)], pages=5))

    reading = await read(shop, known=[1, 9])

    assert isinstance(reading, Incomplete)
    assert ids(reading) == [1, 9]
    assert "the list could not be read to its end" in reading.why


@pytest.mark.parametrize("status", [401, 403])
async def test_a_credential_refused_on_a_later_page_is_the_failure_it_is(status: int) -> None:
    shop = Shop(lambda n: page([row(n)], pages=2) if n == 1 else (status, {}, b""))

    reading = await read(shop)

    assert isinstance(reading, Failed)
    assert "client_id" in reading.why


async def test_a_list_that_moved_once_is_read_once_more() -> None:
    orders = [1, 2, 3, 4, 5, 6]

    def say(n: int) -> Said:
        answer = page([row(id_) for id_ in orders[2 * n - 2 : 2 * n]], pages=3, total=len(orders))
        if n == 1 and 1 in orders:
            orders.remove(1)
        return answer

    shop = Shop(say)
    reading = await read(shop)

    assert isinstance(reading, Complete)
    assert shop.pages_asked == [1, 2, 3, 1, 2, 3]
    assert set(orders) <= set(ids(reading))


async def test_a_list_that_moves_all_the_time_is_incomplete() -> None:
    totals = iter(range(100, 200))
    shop = Shop(lambda n: page([row(n)], pages=2, total=next(totals)))

    reading = await read(shop)

    assert isinstance(reading, Incomplete)
    assert ids(reading) == [1, 2]
    assert "the list moved while it was read" in reading.why


async def test_a_total_that_is_told_only_now_and_then_is_no_movement() -> None:
    shop = Shop(lambda n: page([row(n)], pages=4, total=4 if n % 2 else None))

    assert isinstance(await read(shop), Complete)
    assert shop.pages_asked == [1, 2, 3, 4]
