"""A reading says which orders wait, how complete it is, and why it is not complete."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.reading import Complete, Departure, Failed, Incomplete, Reading, Source
from notifier.errors import MarketplaceRefused, MarketplaceUnavailable
from notifier.http import HttpClient
from notifier.simulator import World, serve
from notifier.sources.mall import Marketplace
from notifier.sources.mall.calls import MOST_TRIES
from notifier.sources.mall.details import MOST_ATTEMPTS, MOST_FAILED
from tests.sources.mall.neighbour import (
    CLIENT_ID,
    START,
    App,
    Naps,
    Said,
    Visit,
    a_shop,
    access,
    detail,
    page,
    read,
    row,
    said,
    scripted,
)
from tests.sources.test_values import JSON

GARBAGE: Said = (200, {}, b"<html>Oops</html>")


def a_world(scenario: str = "busy_day", rate_limit: int | None = None) -> World:
    return World.from_scenario(scenario, start=START, rate_limit=rate_limit)


def ids(reading: Reading) -> list[int]:
    assert not isinstance(reading, Failed)
    return [order.id for order in reading.orders]


def test_it_is_a_source() -> None:
    source: Source = Visit(a_shop()).marketplace

    assert callable(source.read)


# Orders that wait


@pytest.mark.parametrize("scenario", ["quiet_day", "busy_day", "every_status", "many_pages"])
async def test_what_waits_is_read_by_whatever_pages_it_comes(scenario: str) -> None:
    world = a_world(scenario)

    reading = await read(world, settings=access(page_size=50))

    assert isinstance(reading, Complete)
    assert ids(reading) == world.ready_ids()
    assert reading.calls == world.requests
    assert reading.candidates == len(world.shipped_ids())


async def test_it_is_read_over_a_socket_too() -> None:
    world = a_world("every_status")

    async with serve(world) as base_url:
        reading = await read_over(base_url)

    assert ids(reading) == world.ready_ids()


async def read_over(base_url: str, client_id: str = CLIENT_ID) -> Reading:
    settings_ = access(base_url, client_id=client_id)
    async with HttpClient() as http:
        marketplace = Marketplace(settings_, http, clock=lambda: START, sleep=Naps())
        return await marketplace.read(())


async def test_nothing_that_waits_is_complete_and_empty() -> None:
    reading = await read(a_shop(first_page=page([], pages=0)))

    assert reading == Complete(START, (), {}, candidates=0, calls=1)


async def test_a_call_is_spent_on_each_shipped_order_and_two_on_each_of_several_pages() -> None:
    world = a_world()

    await read(world, settings=access(page_size=60))

    details = [call.path for call in world.request_log if call.path != "/v1/orders"]
    assert world.requests == 200 + 2 * 4
    assert len(set(details)) == len(details)


async def test_it_never_writes() -> None:
    world = a_world("every_status")

    await read(world)

    assert {call.method for call in world.request_log} == {"GET"}


async def test_orders_of_other_carriers_or_other_states_cost_no_call() -> None:
    rows = [row(1), row(2, mdp=False), row(3, status="open"), row(4, test=True), {"id": 5}, 6]

    reading = await read(a_shop(1, 2, 3, 4, 5, 6, first_page=page(rows)))

    assert ids(reading) == [1, 5, 6]
    assert isinstance(reading, Complete)
    assert reading.calls == 1 + 3


async def test_test_orders_are_read_when_they_are_asked_for() -> None:
    world = a_world("every_status")

    without = await read(world)
    with_tests = await read(world, settings=access(test_orders=True))

    assert set(ids(without)) < set(ids(with_tests))


async def test_the_oldest_shipments_are_read_first() -> None:
    rows = [row(1, shipped="2026-03-01 08:00:00"), row(2, shipped="2026-02-01"), row(3)]
    asked: list[str] = []

    def script(path: str, _query: Mapping[str, str]) -> Said:
        asked.append(path)
        return page(rows) if path == "/v1/orders" else said(detail(int(path[-1])))

    await read(scripted(script), settings=access(concurrency=1))

    assert [path[-1] for path in asked[1:]] == ["3", "2", "1"]


async def test_progress_is_reported() -> None:
    visit = Visit(a_shop(1, 2, 3))

    await visit.read()

    assert visit.progress == [(1, 3), (2, 3), (3, 3)]


async def test_the_marketplaces_clock_is_kept() -> None:
    visit = Visit(a_world("quiet_day"))

    assert visit.marketplace.server_time is None
    await visit.read()
    assert visit.marketplace.server_time == START


# Known orders


@pytest.mark.parametrize(
    ("fields", "departure"),
    [
        ({"status": "returned"}, Departure.RETURNED),
        ({"status": "delivered"}, Departure.DELIVERED),
        ({"status": "lost"}, Departure.LOST),
        ({"status": "cancelled"}, Departure.CANCELLED),
        ({"ready_to_return": False}, Departure.WITHDRAWN),
        ({"status": "blocked"}, Departure.WITHDRAWN),
        ({"status": "teleported"}, Departure.GONE),
    ],
)
async def test_a_known_order_that_left_tells_how(
    fields: dict[str, object], departure: Departure
) -> None:
    app = a_shop(details={7: said(detail(7, **fields))}, first_page=page([row(1)]))

    reading = await read(app, known=[7])

    assert isinstance(reading, Complete)
    assert reading.departed == {7: departure}
    assert ids(reading) == [1]


async def test_a_known_order_that_is_still_listed_tells_how_as_well() -> None:
    app = a_shop(1, details={7: said(detail(7, ready_to_return=False))})

    reading = await read(app, known=[1, 7])

    assert isinstance(reading, Complete)
    assert reading.departed == {7: Departure.WITHDRAWN}


async def test_a_known_order_the_marketplace_has_forgotten_is_gone() -> None:
    world = a_world()
    known = world.ready_ids()
    world.remove_order(known[0])

    reading = await read(world, known)

    assert isinstance(reading, Complete)
    assert reading.departed == {known[0]: Departure.GONE}
    assert ids(reading) == known[1:]


async def test_a_known_order_that_only_the_list_has_lost_still_waits() -> None:
    reading = await read(a_shop(1, 7, first_page=page([row(1)])), known=[7])

    assert isinstance(reading, Complete)
    assert ids(reading) == [1, 7]
    assert reading.departed == {}


async def test_a_known_order_costs_one_call_at_most() -> None:
    reading = await read(a_shop(1, 7, first_page=page([row(1)])), known=[1, 7])

    assert isinstance(reading, Complete)
    assert reading.calls == 3


async def test_an_unknown_order_that_leaves_while_we_read_is_not_mentioned() -> None:
    gone: Said = (404, {}, b'{"result": {"code": 404, "status": "ERROR"}}')

    reading = await read(a_shop(1, details={7: gone}))

    assert isinstance(reading, Complete)
    assert reading.departed == {}
    assert ids(reading) == [1]


# Failures


async def test_unreadable_orders_are_named_and_never_hide_the_rest() -> None:
    world = a_world()
    broken, readable = world.ready_ids()[:2], world.ready_ids()[2:]
    for order_id in broken:
        world.break_detail(order_id)

    reading = await read(world)

    assert isinstance(reading, Incomplete)
    assert reading.unread == tuple(broken)
    assert ids(reading) == readable
    assert reading.why == "2 of 200 orders could not be read"


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param(said([]), id="a list"),
        pytest.param(said(None), id="null"),
        pytest.param(said({}), id="nothing in it"),
        pytest.param(said(detail(8)), id="another order"),
        pytest.param(said({**detail(7), "ready_to_return": None}), id="no flag"),
        pytest.param((200, {}, b""), id="empty"),
        pytest.param((204, {}, b""), id="no content"),
        pytest.param((404, {}, b"<h1>Not Found</h1>"), id="somebody else's 404"),
        pytest.param((200, {}, b"{" * 100_000), id="a depth bomb"),
        pytest.param((200, {}, b" " * 3_000_000), id="too long"),
        pytest.param((409, {}, b"{}"), id="a conflict"),
        pytest.param((302, {"location": "https://elsewhere.example"}, b""), id="a redirect"),
    ],
)
async def test_one_strange_detail_costs_one_order(strange: Said) -> None:
    reading = await read(a_shop(1, 2, details={7: strange}), known=[7])

    assert isinstance(reading, Incomplete)
    assert reading.unread == (7,)
    assert reading.departed == {}
    assert ids(reading) == [1, 2]


@settings(max_examples=50)
@given(JSON)
async def test_any_json_among_valid_details_costs_one_order_at_most(data: object) -> None:
    reading = await read(a_shop(1, 2, details={7: said(data)}))

    assert ids(reading)[:2] == [1, 2]


@settings(max_examples=50)
@given(st.lists(JSON, max_size=3))
async def test_any_json_among_valid_rows_hides_none_of_them(rows: list[object]) -> None:
    reading = await read(a_shop(1, 2, first_page=page([row(1), *rows, row(2)])))

    assert {1, 2} <= set(ids(reading))


async def test_a_row_without_a_number_makes_the_reading_incomplete() -> None:
    reading = await read(a_shop(1, first_page=page([row(1), {"status": "shipped"}])))

    assert isinstance(reading, Incomplete)
    assert reading.why == "page 1 has 1 rows without a usable number"
    assert ids(reading) == [1]


NO_LISTS = {
    "HTML": GARBAGE,
    "empty": (200, {}, b""),
    "no content": (204, {}, b""),
    "an object for a list": said({}),
    "null for a list": said(None),
    "text for a list": said(""),
    "no data": (200, {}, b'{"result": {"code": 200, "status": "OK"}}'),
    "an error inside": (200, {}, b'{"result": {"status": "ERROR"}, "data": []}'),
    "not found": (404, {}, b'{"result": {"code": 404, "status": "ERROR"}}'),
    "a bad request": (400, {}, b"{}"),
    "out of order": (503, {}, b""),
    "too long": (200, {}, b" " * 34_000_000),
    "a redirect": (301, {"location": "https://elsewhere.example/?client_id=1"}, b""),
}


@pytest.mark.parametrize("answer", NO_LISTS.values(), ids=NO_LISTS)
async def test_a_list_that_cannot_be_read_is_a_failure_and_never_empty(answer: Said) -> None:
    reading = await read(a_shop(first_page=answer), known=[7])

    assert isinstance(reading, Failed)
    assert isinstance(reading.error, MarketplaceUnavailable)
    assert "127.0.0.1" in reading.why


async def test_a_list_cut_at_any_byte_is_a_failure_and_never_empty() -> None:
    _, _, whole = page([])
    for end in range(len(whole)):
        reading = await read(a_shop(first_page=(200, {}, whole[:end])))

        assert isinstance(reading, Failed)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_credential_that_is_refused_is_told_with_the_way_out(status: int) -> None:
    world = a_world()
    world.fail_always(status)

    reading = await read(world)

    assert isinstance(reading, Failed)
    assert isinstance(reading.error, MarketplaceRefused)
    assert "portal" in reading.why
    assert reading.calls == 1


async def test_a_wrong_credential_is_told_and_not_shown() -> None:
    reading = await read(a_world(), settings=access(client_id="wr0ng"))

    assert isinstance(reading, Failed)
    assert isinstance(reading.error, MarketplaceRefused)
    assert "wr0ng" not in f"{reading.why} {reading!r}"


async def test_a_credential_refused_half_way_keeps_what_was_read() -> None:
    rows = [row(id_) for id_ in range(1, 6)]

    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page(rows)
        id_ = int(path[-1])
        return said(detail(id_)) if id_ < 3 else (401, {}, b"")

    reading = await read(scripted(script), settings=access(concurrency=1))

    assert isinstance(reading, Incomplete)
    assert ids(reading) == [1, 2]
    assert reading.unread == (3, 4, 5)
    assert "3 of 5 orders could not be read" in reading.why
    assert "does not accept the client_id" in reading.why


async def test_a_marketplace_out_of_order_all_day_is_a_failure() -> None:
    world = a_world()
    world.fail_always(503)

    reading = await read(world)

    assert isinstance(reading, Failed)
    assert reading.why == "127.0.0.1 is out of order (503); wait until it works again"


async def test_a_marketplace_that_breaks_after_the_list_is_a_failure_and_soon_left_alone() -> None:
    rows = [row(id_) for id_ in range(1, 400)]

    def script(path: str, _query: Mapping[str, str]) -> Said:
        return page(rows) if path == "/v1/orders" else (503, {}, b"")

    reading = await read(scripted(script), settings=access(concurrency=1))

    assert isinstance(reading, Failed)
    assert reading.calls == 1 + 4 * MOST_FAILED


async def test_a_marketplace_that_breaks_half_way_keeps_what_was_read() -> None:
    rows = [row(id_) for id_ in range(1, 400)]

    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page(rows)
        id_ = int(path.rpartition("/")[2])
        return said(detail(id_)) if id_ <= 9 else (503, {}, b"")

    reading = await read(scripted(script))

    assert isinstance(reading, Incomplete)
    assert ids(reading) == list(range(1, 10))
    assert len(reading.unread) == 390
    assert "390 of 399 orders could not be read" in reading.why
    assert "out of order (503)" in reading.why


async def test_orders_that_fail_now_and_then_do_not_end_the_reading() -> None:
    failing: dict[int, Said] = {id_: (500, {}, b"") for id_ in range(1000, 1020)}
    rows = [each for pair in zip(range(1, 21), failing, strict=True) for each in map(row, pair)]
    app = a_shop(*range(1, 21), details=failing, first_page=page(rows))

    reading = await read(app, settings=access(concurrency=1))

    assert isinstance(reading, Incomplete)
    assert ids(reading) == list(range(1, 21))
    assert reading.unread == tuple(failing)


def hanging_at(path: str, shop: App) -> App:
    """A marketplace that never answers on one path."""

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] == path:
            await asyncio.Event().wait()
        await shop(scope, receive, send)

    return app


async def test_a_reading_ends_at_its_deadline_with_what_it_has() -> None:
    app = hanging_at("/v1/orders/3", a_shop(1, 2, 3, 4))

    reading = await read(app, settings=access(run_timeout=timedelta(seconds=0.5)))

    assert isinstance(reading, Incomplete)
    assert ids(reading) == [1, 2, 4]
    assert reading.unread == (3,)
    assert "127.0.0.1 is too slow" in reading.why


async def test_a_reading_that_has_nothing_at_its_deadline_is_a_failure() -> None:
    app = hanging_at("/v1/orders", a_shop(1))

    reading = await read(app, settings=access(run_timeout=timedelta(seconds=0.05)))

    assert isinstance(reading, Failed)
    assert "too slow" in reading.why


async def test_an_order_that_is_never_answered_costs_its_attempts_and_no_more() -> None:
    app = hanging_at("/v1/orders/3", a_shop(1, 2, 3, 4))

    reading = await read(app, settings=access(request_timeout=timedelta(seconds=0.02)))

    assert isinstance(reading, Incomplete)
    assert reading.unread == (3,)
    assert reading.calls == 1 + 3 + MOST_ATTEMPTS * MOST_TRIES


async def test_nobody_listening_is_a_failure_that_names_address_and_option() -> None:
    async with serve(a_world()) as base_url:
        pass

    reading = await read_over(base_url)

    assert isinstance(reading, Failed)
    address = base_url.removeprefix("http://")
    assert f"{address} cannot be reached; check marketplace.base_url" in reading.why


# Access


async def test_access_is_checked_by_one_call() -> None:
    world = a_world(rate_limit=100)

    marketplace = Visit(world).marketplace

    assert await marketplace.check_access() == 99
    assert world.requests == 1
    assert marketplace.server_time == START


async def test_access_without_a_stated_limit_is_access() -> None:
    assert await Visit(a_shop()).marketplace.check_access() is None


@pytest.mark.parametrize(
    ("status", "error"), [(401, MarketplaceRefused), (503, MarketplaceUnavailable)]
)
async def test_access_that_is_not_given_is_an_error(status: int, error: type[Exception]) -> None:
    world = a_world()
    world.fail_always(status)

    with pytest.raises(error):
        await Visit(world).marketplace.check_access()

    assert world.requests == 1
