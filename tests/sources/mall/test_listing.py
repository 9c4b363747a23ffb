"""The list may be long, move, repeat itself or contradict itself; a gap is always reported."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import pytest

from notifier.domain.reading import Complete, Departure, Failed, Incomplete, Reading
from notifier.sources.mall.details import MOST_UNREADABLE
from notifier.sources.mall.listing import MOST_UNSTATED_PAGES
from tests.sources.mall.neighbour import Said, Visit, access, detail, page, row, said, scripted

NOT_THERE: Said = (404, {}, b'{"result": {"code": 404, "status": "ERROR"}}')


class Shop:
    """A marketplace with scripted pages: `say(n)` is the answer for page n."""

    def __init__(
        self, say: Callable[[int], Said], *, detail: Said | None = None, gone: Collection[int] = ()
    ) -> None:
        self.pages_asked: list[int] = []
        self._say = say
        self._detail = detail
        self._gone = gone

    def __call__(self, path: str, query: Mapping[str, str]) -> Said:
        if path != "/v1/orders":
            id_ = int(path.rpartition("/")[2])
            return NOT_THERE if id_ in self._gone else self._detail or said(detail(id_))
        self.pages_asked.append(int(query["page"]))
        return self._say(int(query["page"]))


def without(*gone: int) -> Shop:
    """Return a list of 25 orders, some of which get a 404 for their detail."""
    return Shop(lambda _n: page([row(id_) for id_ in range(1, 26)], pages=1, total=25), gone=gone)


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


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_pages_larger_than_the_marketplace_takes_are_made_smaller(status: int) -> None:
    sizes: list[str] = []

    def script(path: str, query: Mapping[str, str]) -> Said:
        if path != "/v1/orders":
            return said(detail(1))
        sizes.append(query["page_size"])
        return (status, {}, b"{}") if int(query["page_size"]) > 100 else page([row(1)])

    reading = await Visit(scripted(script), access(page_size=1000)).read()

    assert isinstance(reading, Complete)
    assert sizes == ["1000", "100"]


async def test_a_question_that_is_never_understood_is_a_failure() -> None:
    shop = Shop(lambda _n: (400, {}, b"{}"))

    assert isinstance(await Visit(scripted(shop), access(page_size=1000)).read(), Failed)
    assert shop.pages_asked == [1, 1]


async def test_pages_are_read_until_the_last() -> None:
    shop = Shop(lambda n: page([row(n)], pages=3))

    assert ids(await read(shop)) == [1, 2, 3]
    assert shop.pages_asked == [1, 2, 3] * 2


async def test_pages_that_contradict_each_other_hide_an_order_perhaps() -> None:
    told = {1: 3, 2: 2}
    reading = await read(Shop(lambda n: page([row(n)], pages=told[n])))

    assert isinstance(reading, Incomplete)
    assert ids(reading) == [1, 2]


async def test_a_page_with_orders_beyond_the_last_is_a_contradiction() -> None:
    reading = await read(Shop(lambda n: page([row(n)], number=n, pages=0)))

    assert not isinstance(reading, Complete)


async def test_a_list_of_one_page_is_read_once() -> None:
    shop = Shop(lambda _n: page([row(1), row(2)], pages=1, total=2))

    assert isinstance(await read(shop), Complete)
    assert shop.pages_asked == [1]


async def test_without_a_number_of_pages_an_empty_one_is_the_end() -> None:
    shop = Shop(lambda n: said([row(n)] if n < 4 else []))

    reading = await read(shop)

    assert isinstance(reading, Complete)
    assert ids(reading) == [1, 2, 3]
    assert shop.pages_asked == [1, 2, 3, 4] * 2


async def test_an_empty_list_without_paging_is_an_empty_list() -> None:
    assert isinstance(await read(Shop(lambda _n: said([]))), Complete)


async def test_an_order_that_comes_twice_is_read_once() -> None:
    shop = Shop(lambda n: page([row(n), row(n + 1)], pages=2))

    reading = await read(shop)

    assert isinstance(reading, Complete)
    assert ids(reading) == [1, 2, 3]
    assert reading.calls == 2 * 2 + 3


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
    assert len(shop.pages_asked) == MOST_UNSTATED_PAGES


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


async def test_a_list_that_moved_once_is_read_until_it_stands_still() -> None:
    orders = [1, 2, 3, 4, 5, 6]

    def say(n: int) -> Said:
        answer = page([row(id_) for id_ in orders[2 * n - 2 : 2 * n]], pages=3, total=len(orders))
        if n == 1 and 1 in orders:
            orders.remove(1)
        return answer

    shop = Shop(say)
    reading = await read(shop)

    assert isinstance(reading, Complete)
    assert shop.pages_asked == [1, 2, 3] * 3
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
    assert shop.pages_asked == [1, 2, 3, 4] * 2


async def test_one_that_leaves_and_one_that_enters_keep_the_total_and_hide_nothing() -> None:
    orders = [1, 2, 3, 4]

    def say(n: int) -> Said:
        answer = page([row(id_) for id_ in orders[2 * n - 2 : 2 * n]], pages=2, total=4)
        if orders[0] == 1:
            orders[:] = [2, 3, 4, 5]
        return answer

    reading = await read(Shop(say))

    assert isinstance(reading, Complete)
    assert set(orders) <= set(ids(reading))


@pytest.mark.parametrize("pages", [0, 1])
async def test_an_empty_list_that_says_it_is_not_is_a_failure(pages: int) -> None:
    reading = await read(Shop(lambda _n: page([], pages=pages, total=25)))

    assert isinstance(reading, Failed)
    assert "the list states 25 orders, but names 0" in reading.why


async def test_a_list_that_names_fewer_than_it_says_is_incomplete() -> None:
    reading = await read(Shop(lambda _n: page([row(1), row(2)], pages=1, total=50)))

    assert isinstance(reading, Incomplete)
    assert ids(reading) == [1, 2]
    assert "the list states 50 orders, but names 2" in reading.why


async def test_what_is_said_not_to_be_there_right_after_the_list_is_gone_if_it_is_one() -> None:
    reading = await read(without(1), known=[1, 2])

    assert isinstance(reading, Complete)
    assert reading.departed == {1: Departure.GONE}


async def test_where_everything_is_said_not_to_be_there_nothing_is_believed() -> None:
    reading = await read(without(*range(1, 26)), known=range(1, 26))

    assert isinstance(reading, Failed)


async def test_where_too_much_is_said_not_to_be_there_it_counts_as_unread() -> None:
    reading = await read(without(1, 2, 3), known=range(1, 26))

    assert isinstance(reading, Incomplete)
    assert (reading.unread, reading.departed) == ((1, 2, 3), {})


@pytest.mark.parametrize("answer", [(200, {}, b"<html>Oops</html>"), said([])])
async def test_where_no_order_can_be_read_we_stop_and_the_day_stays_open(answer: Said) -> None:
    shop = Shop(lambda n: page([row(id_) for id_ in range(1, 201)], pages=1), detail=answer)

    reading = await read(shop)

    assert isinstance(reading, Failed)
    assert reading.calls < 4 * (MOST_UNREADABLE + 16) + 1
