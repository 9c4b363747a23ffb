"""No order blocks the others: not the oldest, not many of them, and not a passing outage."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from notifier.domain.reading import Complete, Failed, Incomplete, Reading
from notifier.errors import MarketplaceRefused
from notifier.sources.mall.calls import MOST_TRIES
from notifier.sources.mall.details import (
    MOST_ATTEMPTS,
    MOST_FAILED,
    MOST_FORBIDDEN,
    Attempt,
    WorkQueue,
)
from tests.sources.mall.neighbour import Said, Visit, access, detail, page, row, said, scripted

WORKERS = 16
OUTAGE: Said = (503, {}, b"")
JUST_BEGUN = 1
"""A call that one more worker begins before the last failure stops it."""


async def read(
    answer: Callable[[int, int], Said], *, orders: int = 100, concurrency: int = WORKERS
) -> Reading:
    """Read orders that wait; `answer` gets the id and the number of details asked for before."""
    asked = 0

    def script(path: str, _query: Mapping[str, str]) -> Said:
        nonlocal asked
        if path == "/v1/orders":
            return page([row(id_) for id_ in range(1, orders + 1)])
        asked += 1
        return answer(int(path.rpartition("/")[2]), asked - 1)

    return await Visit(scripted(script), access(concurrency=concurrency)).read()


def bad_up_to(last: int, answer: Said) -> Callable[[int, int], Said]:
    """Give `answer` for the oldest orders, and good answers for the others."""
    return lambda id_, _: answer if id_ <= last else said(detail(id_))


@pytest.mark.parametrize("concurrency", [1, WORKERS])
@pytest.mark.parametrize("answer", [(500, {}, b""), (403, {}, b""), (200, {}, b"<html>")])
async def test_the_oldest_orders_may_all_fail_and_the_others_are_read(
    answer: Said, concurrency: int
) -> None:
    reading = await read(bad_up_to(40, answer), concurrency=concurrency)

    assert isinstance(reading, Incomplete)
    assert [order.id for order in reading.orders] == [*range(41, 101)]
    assert reading.unread == tuple(range(1, 41))


@pytest.mark.parametrize("concurrency", [1, WORKERS])
@pytest.mark.parametrize("begins_at", [0, 20, 90])
async def test_an_outage_that_passes_costs_no_order(begins_at: int, concurrency: int) -> None:
    at_once = min(concurrency, 100 - begins_at)
    lasts = MOST_TRIES * (at_once + 2)

    def answer(id_: int, asked: int) -> Said:
        return OUTAGE if begins_at <= asked < begins_at + lasts else said(detail(id_))

    reading = await read(answer, concurrency=concurrency)

    assert isinstance(reading, Complete)
    assert len(reading.orders) == 100


async def test_an_outage_that_lasts_is_asked_for_by_one_at_a_time() -> None:
    reading = await read(lambda _id, _asked: OUTAGE)

    assert isinstance(reading, Failed)
    assert reading.calls <= 1 + MOST_TRIES * (WORKERS + MOST_FAILED - 1) + JUST_BEGUN


async def test_a_credential_that_may_read_no_order_is_reported_as_such() -> None:
    reading = await read(lambda _id, _asked: (403, {}, b""))

    assert isinstance(reading, Failed)
    assert isinstance(reading.error, MarketplaceRefused)
    assert reading.calls <= 1 + WORKERS + MOST_FORBIDDEN - 1 + JUST_BEGUN


async def test_progress_never_exceeds_the_number_of_orders() -> None:
    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page([row(id_) for id_ in range(1, 10)])
        return OUTAGE if path.endswith("/3") else said(detail(int(path[-1])))

    visit = Visit(scripted(script))
    await visit.read()

    assert {all_ for _, all_ in visit.progress} == {9}
    assert max(done for done, _ in visit.progress) == 9


async def taken(work: WorkQueue) -> Attempt:
    async with work.next() as attempt:
        assert attempt
        return attempt


async def test_after_a_failure_the_other_end_comes_first_until_one_is_answered() -> None:
    work = WorkQueue(range(1, 6))

    first = await taken(work)
    work.failed(first, for_good=False)
    second = await taken(work)
    work.answered(readably=True)

    assert [first.id, second.id, (await taken(work)).id] == [1, 5, 2]


async def test_what_failed_is_retried_after_the_others_so_often_and_no_more() -> None:
    work = WorkQueue([1, 2])
    work.failed(await taken(work), for_good=False)
    await taken(work)
    work.answered(readably=True)

    for number in range(2, MOST_ATTEMPTS + 1):
        again = await taken(work)
        work.failed(again, for_good=False)
        assert (again.id, again.number) == (1, number)

    async with work.next() as none:
        assert none is None


async def test_what_failed_for_good_is_not_retried() -> None:
    work = WorkQueue([1, 2])
    work.failed(await taken(work), for_good=True)
    await taken(work)
    work.answered(readably=True)

    async with work.next() as none:
        assert none is None


async def test_without_any_answer_nothing_is_retried() -> None:
    work = WorkQueue([1])
    work.failed(await taken(work), for_good=False)

    async with work.next() as none:
        assert none is None


async def test_simultaneous_failures_count_once() -> None:
    work = WorkQueue(range(9))
    for attempt in [await taken(work) for _ in range(4)]:
        work.failed(attempt, for_good=False)
    assert work.failed_in_a_row == 1

    work.failed(await taken(work), for_good=False)

    assert work.failed_in_a_row == 2
