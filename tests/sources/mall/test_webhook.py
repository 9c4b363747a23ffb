"""The webhook's posts are read whatever they contain, and their orders looked up with few calls."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.reading_plan import HintBatch, OrderState, Policy, Quota, ReadingState
from notifier.simulator import World
from notifier.sources.mall.webhook import (
    GIVE_UP_AFTER,
    MOST_AT_ONCE,
    MOST_IDS,
    Hints,
    NotHints,
    TooManyHints,
    parse_hints,
)
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


@pytest.mark.parametrize(
    ("body", "ids", "skipped"),
    [
        (b"[123456, 1234567]", (123456, 1234567), 0),
        (b"[]", (), 0),
        (b'\xef\xbb\xbf["123456"]', (123456,), 0),
        (b"[7, 7, 7]", (7,), 0),
        (b'[{"order_id": 5, "id": "SKU-1"}]', (5,), 0),
        (b'[{"orderId": "5"}, {"order": {"id": 6}}, {"order": 7}, {"id": 8}]', (5, 6, 7, 8), 0),
        (b'[{"id": "SKU-1"}, {}, {"order": []}]', (), 3),
        (b'[true, false, null, 1.5, "", [1], -1, 0]', (), 8),
        (b'["12\\n", "../1", "1?a=b", "1#", "%31", "1@host", " 1", "+1", "0x1"]', (), 9),
        ('["\u0663", "\u00b2"]'.encode(), (), 2),
        (b'["\\u0000", "\\ud800", "1\\u0000"]', (), 3),
        (b"[" + b"9" * 5000 + b"]", (), 1),
        (b"[1e400, 1000000000000000]", (), 2),
        (b"[999999999999]", (999999999999,), 0),
    ],
)
def test_ids_are_taken_and_everything_else_is_skipped(
    body: bytes, ids: tuple[int, ...], skipped: int
) -> None:
    assert parse_hints(body) == Hints(ids, skipped)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"123",
        b'{"order_id": 1}',
        b'"[1]"',
        b"[1,",
        b"[NaN]",
        b"[" * 100_000,
        "[1]".encode("utf-16"),
        b"\x1f\x8b\x08\x00",
        b"[1]\x00",
        b"\xff",
    ],
)
def test_what_is_no_array_is_nothing(body: bytes) -> None:
    with pytest.raises(NotHints):
        parse_hints(body)


def test_a_flood_is_refused_as_a_whole() -> None:
    assert len(parse_hints(json.dumps(list(range(1, MOST_IDS + 1))).encode()).ids) == MOST_IDS
    with pytest.raises(TooManyHints):
        parse_hints(json.dumps([1] * (MOST_IDS + 1)).encode())


@given(st.binary() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_nothing_gets_through_that_is_no_id(body: bytes | str) -> None:
    try:
        hints = parse_hints(body.encode("utf-8", "replace") if isinstance(body, str) else body)
    except NotHints:
        return
    assert all(0 < id_ < 10**15 for id_ in hints.ids)
    assert len(set(hints.ids)) == len(hints.ids) <= MOST_IDS


# Lookup

TODAY = START.date()
LONG_AGO = TODAY - timedelta(days=9)
SETTINGS = access(policy=Policy())


@dataclass
class Notes:
    """A `StateStore` whose order states must not change."""

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
        raise AssertionError("a lookup stores no order states")


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


async def test_a_new_order_that_was_only_shipped_costs_no_call(world: World) -> None:
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


async def test_an_order_without_an_answer_does_not_block_the_others() -> None:
    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page([row(id_) for id_ in range(1, 5)])
        if path.endswith(("/1", "/2")):
            return 500, {}, b""
        return said(detail(int(path.rpartition("/")[2])))

    batch = await look(scripted(script), Notes(fresh=(1, 2, 3, 4)))

    assert set(batch.read) == {3, 4}
    assert batch.dismissed == {1, 2}


async def test_after_some_orders_without_an_answer_the_lookup_ends() -> None:
    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page([row(id_) for id_ in range(1, 9)])
        return 500, {}, b""

    batch = await look(scripted(script), Notes(fresh=range(1, 9)))

    assert batch.calls == 1 + GIVE_UP_AFTER


async def test_reaching_the_reserve_costs_one_call_only_once() -> None:
    left = {"x-ratelimit-remaining": "150", "x-ratelimit-reset": "3600"}

    def script(_path: str, _query: Mapping[str, str]) -> Said:
        status, headers, body = page([row(1)])
        return status, {**headers, **left}, body

    notes = Notes(fresh=(1,))
    calls = [(await look(scripted(script), notes, leaving=200)).calls for _ in range(3)]

    assert calls == [1, 0, 0]
