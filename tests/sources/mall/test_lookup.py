"""A look at what was hinted at: few calls, and nothing forgotten that was not seen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from notifier.domain.reading_plan import HintBatch, OrderState, Policy, Quota, ReadingState
from notifier.simulator import World
from notifier.sources.mall.lookup import GIVE_UP_AFTER, MOST_AT_ONCE
from tests.sources.mall.neighbour import (
    START,
    App,
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
LONG_AGO = TODAY - timedelta(days=9)
SETTINGS = access(policy=Policy())


@dataclass
class Notes:
    """What is remembered; of the orders a look must not write into it."""

    order_states: Mapping[int, OrderState] = field(default_factory=dict)
    fresh: Collection[int] = ()
    quota: Quota | None = None

    async def load(self) -> ReadingState:
        told = frozenset(self.fresh)
        return ReadingState(self.order_states, hints=told | {77}, fresh=told, quota=self.quota)

    async def save_quota(self, quota: Quota) -> None:
        self.quota = quota

    async def save(
        self, order_states: Mapping[int, OrderState], followed: Collection[int], since: datetime
    ) -> None:
        raise AssertionError("a look remembers nothing by itself")


async def look(
    app: App | World, notes: Notes, most_calls: int = 100, *, leaving: int = 0
) -> HintBatch:
    visit = Visit(app, SETTINGS, memory=notes)
    return await visit.marketplace.look_up(most_calls, leaving=leaving)


@pytest.fixture
def world() -> World:
    return World.from_scenario("busy_day", seed=3, start=START, client_id="demo-client-id")


async def test_one_call_tells_which_are_still_shipped_and_only_those_are_read(world: World) -> None:
    ready = world.ready_ids()[0]
    delivered = world.add_order(status="delivered")
    known = world.add_order(status="returned")
    notes = Notes({known: OrderState(LONG_AGO, LONG_AGO, waits=True)}, (ready, delivered, known))

    batch = await look(world, notes)

    assert batch.calls == world.requests == 2
    waits = batch.read[ready]
    assert waits is not None
    assert (waits.waits, waits.read_on) == (True, TODAY)
    assert batch.read[known] is None
    assert batch.dismissed == {delivered}


async def test_that_a_new_order_was_shipped_is_worth_no_call(world: World) -> None:
    shipped = world.add_order(shipped=f"{TODAY} 08:00:00")

    batch = await look(world, Notes(fresh=[shipped]))

    assert batch.calls == 1
    assert batch.dismissed == {shipped}


async def test_an_order_that_is_known_is_read_however_young(world: World) -> None:
    shipped = world.add_order(shipped=f"{TODAY} 08:00:00", ready_to_return=True)

    batch = await look(world, Notes({shipped: OrderState(TODAY)}, [shipped]))

    assert batch.read[shipped] == OrderState(TODAY, TODAY, waits=True, comes_back=True)


async def test_ids_that_nobody_knows_cost_one_call_together(world: World) -> None:
    batch = await look(world, Notes(fresh=range(1, MOST_AT_ONCE + 50)))

    assert batch.calls == 1
    assert batch.dismissed == set(range(1, MOST_AT_ONCE + 1))


async def test_it_ends_with_the_calls_it_was_given(world: World) -> None:
    batch = await look(world, Notes(fresh=world.ready_ids()), most_calls=5)

    assert batch.calls == world.requests == 5
    assert len(batch.read) == 4


@pytest.mark.parametrize("most_calls", [0, 10])
async def test_nothing_is_asked_without_hints_or_calls(world: World, most_calls: int) -> None:
    fresh = [] if most_calls else world.ready_ids()

    assert await look(world, Notes(fresh=fresh), most_calls) == HintBatch()
    assert world.requests == 0


async def test_calls_of_others_are_left_alone() -> None:
    left = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "502"}

    def script(path: str, _query: Mapping[str, str]) -> Said:
        left["x-ratelimit-remaining"] = str(int(left["x-ratelimit-remaining"]) - 1)
        status, headers, body = (
            page([row(id_) for id_ in range(1, 9)])
            if path == "/v1/orders"
            else said(detail(int(path.rpartition("/")[2])))
        )
        return status, {**headers, **left, "x-ratelimit-reset": "40000"}, body

    batch = await look(scripted(script), Notes(fresh=range(1, 9)), leaving=500)

    assert (batch.calls, len(batch.read), batch.daily_limit) == (2, 1, 1000)


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param((400, {}, b""), id="it does not take the question"),
        pytest.param(page([row(4), row(5)]), id="the filter is ignored"),
        pytest.param(page([row(1)], pages=2), id="there is more"),
        pytest.param(page([row(1), {}]), id="rows that name nothing"),
        pytest.param((404, {}, page([])[2]), id="no such list"),
        pytest.param((200, {}, b"nonsense"), id="nonsense"),
    ],
)
async def test_where_the_list_cannot_be_asked_for_ids_each_is_read(listed: Said) -> None:
    gone = said(detail(2, status="delivered"))
    details = {1: said(detail(1)), 2: gone, 3: (404, {}, page([])[2])}

    def script(path: str, _query: Mapping[str, str]) -> Said:
        return listed if path == "/v1/orders" else details[int(path.rpartition("/")[2])]

    batch = await look(scripted(script), Notes({2: OrderState(LONG_AGO)}, (1, 2, 3)))

    assert batch.read == {1: OrderState(None, TODAY, waits=True), 2: None}
    assert batch.dismissed == {3}


async def test_what_cannot_be_read_is_left_to_the_next_reading() -> None:
    details = {1: (200, {}, b"nonsense"), 2: said(detail(3)), 3: said(detail(3))}

    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page([row(1), row(2), row(3)])
        return details[int(path.rpartition("/")[2])]

    batch = await look(scripted(script), Notes(fresh=(1, 2, 3)))

    assert set(batch.read) == {3}
    assert batch.dismissed == {1, 2}


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_a_marketplace_that_fails_leaves_the_hints_as_they_are(status: int) -> None:
    failing = scripted(lambda _path, _query: (status, {}, b""))

    batch = await look(failing, Notes(fresh=(1, 2)))

    assert batch == HintBatch(calls=1)


async def test_an_order_that_is_not_answered_for_does_not_stand_before_the_others() -> None:
    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page([row(id_) for id_ in range(1, 5)])
        if path.endswith(("/1", "/2")):
            return 500, {}, b""
        return said(detail(int(path.rpartition("/")[2])))

    batch = await look(scripted(script), Notes(fresh=(1, 2, 3, 4)))

    assert set(batch.read) == {3, 4}
    assert batch.dismissed == {1, 2}


async def test_after_some_without_an_answer_it_is_not_the_orders_fault() -> None:
    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page([row(id_) for id_ in range(1, 9)])
        return 500, {}, b""

    batch = await look(scripted(script), Notes(fresh=range(1, 9)))

    assert batch.calls == 1 + GIVE_UP_AFTER


async def test_that_what_is_left_is_for_others_is_found_out_once() -> None:
    left = {"x-ratelimit-remaining": "150", "x-ratelimit-reset": "3600"}

    def script(_path: str, _query: Mapping[str, str]) -> Said:
        status, headers, body = page([row(1)])
        return status, {**headers, **left}, body

    notes = Notes(fresh=(1,))
    calls = [(await look(scripted(script), notes, leaving=200)).calls for _ in range(3)]

    assert calls == [1, 0, 0]
