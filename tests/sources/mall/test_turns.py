"""No order stands before the others: neither the oldest ones, nor however many."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from notifier.domain.reading import Complete, Failed, Incomplete, Reading
from notifier.errors import MarketplaceRefused
from notifier.sources.mall.calls import MOST_TRIES
from notifier.sources.mall.sweep import GIVE_UP_AFTER, MOST_FORBIDDEN
from notifier.sources.mall.turns import MOST_TURNS, Turn, Turns
from tests.sources.mall.neighbour import Said, Visit, access, detail, page, row, said, scripted

WORKERS = 16
OUTAGE: Said = (503, {}, b"")
JUST_BEGUN = 1
"""A call that one more worker begins while the last failure is told to all."""


async def read(
    answer: Callable[[int, int], Said], *, orders: int = 100, concurrency: int = WORKERS
) -> Reading:
    """Orders that wait; `answer` is told the id, and how many details were asked for before."""
    asked = 0

    def script(path: str, _query: Mapping[str, str]) -> Said:
        nonlocal asked
        if path == "/v1/orders":
            return page([row(id_) for id_ in range(1, orders + 1)])
        asked += 1
        return answer(int(path.rpartition("/")[2]), asked - 1)

    return await Visit(scripted(script), access(concurrency=concurrency)).read()


def bad_up_to(last: int, answer: Said) -> Callable[[int, int], Said]:
    """The oldest orders are answered like this, the others well."""
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
    assert reading.calls <= 1 + MOST_TRIES * (WORKERS + GIVE_UP_AFTER - 1) + JUST_BEGUN


async def test_a_credential_that_may_see_no_order_is_told_as_such() -> None:
    reading = await read(lambda _id, _asked: (403, {}, b""))

    assert isinstance(reading, Failed)
    assert isinstance(reading.error, MarketplaceRefused)
    assert reading.calls <= 1 + WORKERS + MOST_FORBIDDEN - 1 + JUST_BEGUN


async def test_progress_never_tells_of_more_than_there_is() -> None:
    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page([row(id_) for id_ in range(1, 10)])
        return OUTAGE if path.endswith("/3") else said(detail(int(path[-1])))

    visit = Visit(scripted(script))
    await visit.read()

    assert {all_ for _, all_ in visit.progress} == {9}
    assert max(done for done, _ in visit.progress) == 9


async def taken(turns: Turns) -> Turn:
    async with turns.next() as turn:
        assert turn
        return turn


async def test_after_a_failure_the_other_end_has_its_turn_until_one_is_answered() -> None:
    turns = Turns(range(1, 6))

    first = await taken(turns)
    turns.failed(first, for_good=False)
    second = await taken(turns)
    turns.answered(readably=True)

    assert [first.id, second.id, (await taken(turns)).id] == [1, 5, 2]


async def test_what_failed_has_so_many_turns_after_the_others_and_no_more() -> None:
    turns = Turns([1, 2])
    turns.failed(await taken(turns), for_good=False)
    await taken(turns)
    turns.answered(readably=True)

    for number in range(2, MOST_TURNS + 1):
        again = await taken(turns)
        turns.failed(again, for_good=False)
        assert (again.id, again.number) == (1, number)

    async with turns.next() as none:
        assert none is None


async def test_what_failed_for_good_has_no_further_turn() -> None:
    turns = Turns([1, 2])
    turns.failed(await taken(turns), for_good=True)
    await taken(turns)
    turns.answered(readably=True)

    async with turns.next() as none:
        assert none is None


async def test_without_any_answer_nothing_has_a_further_turn() -> None:
    turns = Turns([1])
    turns.failed(await taken(turns), for_good=False)

    async with turns.next() as none:
        assert none is None


async def test_what_was_asked_for_at_the_same_time_has_failed_once() -> None:
    turns = Turns(range(9))
    for turn in [await taken(turns) for _ in range(4)]:
        turns.failed(turn, for_good=False)
    assert turns.failed_in_a_row == 1

    turns.failed(await taken(turns), for_good=False)

    assert turns.failed_in_a_row == 2
