"""Whatever a list does while it is read, no order is missed in silence.

`python -m tests.faults.moving` lives through thousands of such histories, and counts how often one
that reads the pages once misses an order.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from notifier.domain.reading import Complete, Failed, Incomplete
from tests.faults.moving import (
    PAGE_SIZE,
    History,
    Manners,
    Move,
    MovingList,
    Tally,
    Told,
    a_history,
    live_many,
    missed,
    read,
    read_naively,
)

nobody = st.just(())
one = st.tuples(st.integers(0, 200))
move = st.builds(Move, nobody | one | st.tuples(*[st.integers(0, 200)] * 2), nobody | one)
moves = st.lists(move, min_size=1, max_size=15).map(tuple)
honest = st.builds(
    Manners, page_size=st.integers(1, 5), total=st.sampled_from((Told.TRULY, Told.NEVER))
)
manners = st.builds(
    Manners,
    page_size=st.integers(1, 5),
    pages=st.sampled_from(Told),
    total=st.sampled_from(Told),
    repeats=st.booleans(),
    loops_after=st.none() | st.integers(1, 3),
    empty=st.none() | st.integers(2, 4),
).filter(lambda manners: manners.can_be_believed)
histories = st.builds(History, st.integers(0, 12), moves, honest | manners)

SHIFT = History(6, (Move(leaves=(0,)),))
"""The first order leaves after the first page: the fourth slips onto a page that was read."""


@settings(max_examples=250)
@given(histories)
@example(SHIFT)
async def test_an_order_that_is_always_there_is_never_missed_in_silence(history: History) -> None:
    shop = MovingList(history)

    reading = await read(shop)

    assert missed(reading, shop) == set()
    assert isinstance(reading, Complete) or reading.why


@settings(max_examples=150)
@given(histories)
async def test_a_list_is_left_after_a_bounded_number_of_pages(history: History) -> None:
    shop = MovingList(history)

    await read(shop)

    most = 2 * (12 + 1 + 30) + 10  # as many as its first page can make us expect, at one a page
    assert shop.pages_read <= 3 * most


@settings(max_examples=100)
@given(st.integers(0, 12), manners)
async def test_a_list_that_stands_still_is_whole_or_said_not_to_be(
    orders: int, manners: Manners
) -> None:
    shop = MovingList(History(orders, (), manners))

    reading = await read(shop)

    found = set() if isinstance(reading, Failed) else {order.id for order in reading.orders}
    assert found == shop.always or not isinstance(reading, Complete)
    assert found <= shop.always


async def test_one_who_reads_the_pages_once_misses_an_order_and_does_not_know() -> None:
    assert read_naively(MovingList(SHIFT)) == {10, 20, 30, 50, 60}


async def test_histories_by_chance_miss_nothing_where_one_naive_pass_does() -> None:
    tally = await live_many(150, 7, coming_back=False)

    assert tally.wrong == []
    assert tally.naive >= 5
    assert tally.ends["Complete"] > 50


async def test_a_tally_tells_what_was_missed() -> None:
    """That this trial can fail at all."""
    shop = MovingList(SHIFT)
    reading = await read(shop)
    assert isinstance(reading, Complete)

    assert missed(Complete(reading.read_at, reading.orders[:-1]), shop) != set()


@pytest.mark.parametrize(
    ("manners", "kind"),
    [
        pytest.param(Manners(page_size=PAGE_SIZE - 1), Complete, id="smaller pages than asked for"),
        pytest.param(Manners(page_size=PAGE_SIZE + 2), Complete, id="larger pages"),
        pytest.param(Manners(repeats=True), Complete, id="rows twice over pages"),
        pytest.param(Manners(total=Told.NEVER), Complete, id="no total"),
        pytest.param(Manners(pages=Told.NEVER, total=Told.NEVER), Complete, id="no paging"),
        pytest.param(Manners(total=Told.TOO_MANY), Incomplete, id="a total too high"),
        pytest.param(Manners(total=Told.TOO_FEW), Incomplete, id="a total too low"),
        pytest.param(Manners(pages=Told.TOO_FEW), Incomplete, id="too few pages"),
        pytest.param(Manners(pages=Told.TOO_MANY), Complete, id="a page too many"),
        pytest.param(Manners(loops_after=2), Incomplete, id="the first page again"),
        pytest.param(Manners(empty=2), Incomplete, id="an empty page with more to come"),
    ],
)
async def test_every_manner_of_a_list_has_its_reading(
    manners: Manners, kind: type[Complete | Incomplete]
) -> None:
    assert isinstance(await read(MovingList(History(8, (), manners))), kind)


async def test_histories_are_told_again_by_their_seed() -> None:
    first, again = (a_history(random.Random(5)) for _ in range(2))  # noqa: S311 - a story

    assert first == again
    tally = Tally()
    await tally.live(first)
    assert tally.ends.total() == 1
