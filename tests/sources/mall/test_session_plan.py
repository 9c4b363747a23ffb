"""A reading follows the plan, remembers the state of orders, and keeps the reserve."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import pytest

from notifier.domain.reading import Complete, Failed, Incomplete, Reading
from notifier.domain.reading_plan import OrderState, Policy, Quota, ReadingState
from notifier.domain.settings import MarketplaceAccess
from tests.sources.mall.neighbour import (
    START,
    Said,
    Visit,
    access,
    detail,
    page,
    row,
    said,
    scripted,
)

TODAY = START.date()
DAILY = access(policy=Policy())


@dataclass
class Notebook:
    """A `StateStore` in memory."""

    order_states: dict[int, OrderState] = field(default_factory=dict)
    hints: set[int] = field(default_factory=set)
    hints_lost: bool = False
    quota: Quota | None = None

    async def load(self) -> ReadingState:
        return ReadingState(
            dict(self.order_states),
            frozenset(self.hints),
            hints_lost=self.hints_lost,
            quota=self.quota,
        )

    async def save_quota(self, quota: Quota) -> None:
        self.quota = quota

    async def save(
        self,
        order_states: Mapping[int, OrderState],
        followed: Collection[int],
        since: datetime,
    ) -> None:
        self.order_states = dict(order_states)
        self.hints -= set(followed)


@dataclass
class Shop:
    """A marketplace with the age of each order in days, and answers for their details."""

    ages: dict[int, int]
    details: dict[int, Said] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    def say(self, path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            rows = [
                row(id_, shipped=f"{TODAY - timedelta(days=age)} 00:30:00")
                for id_, age in self.ages.items()
            ]
            return self._with_headers(page(rows))
        id_ = int(path.rpartition("/")[2])
        self.asked.append(id_)
        return self._with_headers(self.details.get(id_) or said(detail(id_, ready_to_return=False)))

    def _with_headers(self, answer: Said) -> Said:
        if left := self.headers.get("x-ratelimit-remaining"):
            self.headers["x-ratelimit-remaining"] = str(int(left) - 1)
        return answer[0], {**answer[1], **self.headers}, answer[2]

    async def read(
        self,
        notes: Notebook,
        settings: MarketplaceAccess = DAILY,
        *,
        known: Collection[int] = (),
    ) -> Reading:
        self.asked.clear()
        return await Visit(scripted(self.say), settings, memory=notes).read(known)


async def test_young_orders_are_listed_and_not_read() -> None:
    shop, notes = Shop({1: 0, 2: 2, 3: 3, 4: 6}), Notebook()

    reading = await shop.read(notes)

    assert isinstance(reading, Complete)
    assert shop.asked == [4, 3]
    assert notes.order_states[1] == OrderState(TODAY)
    assert notes.order_states[4] == OrderState(TODAY - timedelta(days=6), TODAY)


async def test_a_hint_is_followed_once() -> None:
    shop, notes = Shop({1: 0, 2: 6}), Notebook({1: OrderState(TODAY)}, {1, 99})

    await shop.read(notes)
    assert shop.asked == [1, 2]
    assert notes.hints == set()

    await shop.read(notes)
    assert shop.asked == [2]


async def test_a_hint_whose_order_could_not_be_read_is_kept() -> None:
    shop, notes = (
        Shop({1: 0, 2: 6}, {1: (200, {}, b"nonsense")}),
        Notebook({1: OrderState(TODAY)}, {1}),
    )

    await shop.read(notes)

    assert notes.hints == {1}


async def test_a_hint_whose_order_may_stand_on_a_page_that_was_not_read_is_kept() -> None:
    def script(path: str, query: Mapping[str, str]) -> Said:
        if path != "/v1/orders":
            return said(detail(1))
        return page([row(1)], pages=2) if query["page"] == "1" else (503, {}, b"")

    notes = Notebook(hints={1, 99})
    reading = await Visit(scripted(script), DAILY, memory=notes).read()

    assert isinstance(reading, Incomplete)
    assert notes.hints == {99}


async def test_while_the_webhook_is_trusted_most_orders_rest_for_days() -> None:
    trusting = access(policy=Policy(trust_webhook=True))
    back = said(
        detail(2, ready_to_return=False, consignment_status_history=[{"status": "returning"}])
    )
    shop, notes = Shop({1: 3, 2: 3, 3: 3}, {2: back, 3: said(detail(3))}), Notebook()

    await shop.read(notes, trusting)
    assert sorted(shop.asked) == [1, 2, 3]

    await shop.read(notes, trusting)
    assert shop.asked == [3, 2]  # what waited, and what comes back


async def test_what_left_is_asked_for_once_more_and_then_forgotten() -> None:
    shop, notes = Shop({2: 6}, {1: said(detail(1, status="returned"))}), Notebook()
    notes.order_states[1] = OrderState(TODAY - timedelta(days=9), TODAY, waits=True)

    reading = await shop.read(notes)

    assert isinstance(reading, Complete)
    assert 1 in shop.asked
    assert set(notes.order_states) == {2}


async def test_what_may_still_wait_is_not_forgotten_because_it_could_not_be_read() -> None:
    shop, notes = Shop({2: 6}, {1: (200, {}, b"nonsense")}), Notebook()
    waits = OrderState(TODAY - timedelta(days=9), TODAY, waits=True)
    notes.order_states[1] = waits

    reading = await shop.read(notes)

    assert isinstance(reading, Incomplete)
    assert notes.order_states[1] == waits


async def test_a_failed_reading_forgets_nothing() -> None:
    before = {1: OrderState(date(2026, 2, 20), TODAY, waits=True)}
    notes = Notebook(dict(before))

    refusing = scripted(lambda _path, _query: (403, {}, b""))

    assert isinstance(await Visit(refusing, DAILY, memory=notes).read(), Failed)

    assert notes.order_states == before


async def test_the_reserve_is_left_to_others_and_the_reading_says_so() -> None:
    shop = Shop(
        dict.fromkeys(range(1, 11), 6),
        headers={"x-ratelimit-remaining": "8", "x-ratelimit-reset": "7200"},
    )

    reading = await shop.read(Notebook(), replace(DAILY, reserve_calls=3, concurrency=1))

    assert isinstance(reading, Incomplete)
    assert int(shop.headers["x-ratelimit-remaining"]) == 3
    assert shop.asked == [1, 2, 3, 4]
    assert "6 of 10 orders could not be read" in reading.why
    assert "used up except for 3 calls reserved for other systems" in reading.why


async def test_calls_under_way_do_not_eat_into_the_reserve() -> None:
    shop = Shop(
        dict.fromkeys(range(1, 40), 6),
        headers={"x-ratelimit-remaining": "20", "x-ratelimit-reset": "7200"},
    )

    await shop.read(Notebook(), replace(DAILY, reserve_calls=5, concurrency=16))

    assert int(shop.headers["x-ratelimit-remaining"]) == 5


async def test_after_a_flood_of_hints_the_webhook_is_not_trusted() -> None:
    trusting = access(policy=Policy(trust_webhook=True))
    shop, notes = Shop({1: 3, 2: 3}), Notebook()
    await shop.read(notes, trusting)
    await shop.read(notes, trusting)
    assert shop.asked == []

    notes.hints_lost = True
    await shop.read(notes, trusting)

    assert shop.asked == [1, 2]


def many(count: int, shipped: int) -> dict[int, OrderState]:
    """Return the states of `count` orders, shipped that many days ago."""
    return {id_: OrderState(TODAY - timedelta(days=shipped)) for id_ in range(1, count + 1)}


@pytest.mark.parametrize(
    ("before", "stats", "doubted", "calls"),
    [
        pytest.param(many(20, 5), said({"shipped": 23}), True, 2, id="the count says otherwise"),
        pytest.param(many(20, 5), said({"shipped": 0}), False, 2, id="the count agrees"),
        pytest.param(many(20, 5), said({}), False, 2, id="it does not tell"),
        pytest.param(many(20, 5), said([]), False, 5, id="another answer"),
        pytest.param(many(20, 5), (404, {}, page([])[2]), False, 2, id="no such question"),
        pytest.param(many(20, 5), (403, {}, b""), False, 2, id="it may not be asked"),
        pytest.param(many(19, 5), said({"shipped": 23}), False, 1, id="few went"),
        pytest.param(many(20, 31), said({"shipped": 23}), False, 1, id="long ago"),
    ],
)
async def test_a_long_list_that_is_empty_is_compared_with_what_the_marketplace_counts(
    before: dict[int, OrderState], stats: Said, doubted: bool, calls: int
) -> None:
    def script(path: str, _query: Mapping[str, str]) -> Said:
        return page([]) if path == "/v1/orders" else stats

    notes = Notebook(dict(before))
    reading = await Visit(scripted(script), DAILY, memory=notes).read()

    assert isinstance(reading, Incomplete if doubted else Complete)
    assert reading.calls == calls
    if isinstance(reading, Incomplete):
        assert "the list is empty, but the marketplace counts 23 orders as shipped" in reading.why
    assert notes.order_states == (before if doubted else {})
