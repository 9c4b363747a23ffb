"""Each scenario is as described, and the same for the same seed."""

from __future__ import annotations

import pytest

from notifier.simulator import SCENARIOS, World
from notifier.simulator.catalogue import CANARIES
from notifier.simulator.scenarios import Pace
from tests.simulator.conftest import SHIPPED, START, Opens, a_world


def test_these_scenarios_exist() -> None:
    assert list(SCENARIOS) == [
        "quiet_day",
        "small_shop",
        "busy_day",
        "every_status",
        "many_pages",
        "failing",
        "moving_pages",
        "slow",
        "rate_limited",
        "daily_limit",
        "malformed",
        "season",
        "big",
    ]


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown scenario 'bsy_day'; choose one of quiet_day"):
        a_world("bsy_day")


def test_a_start_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        a_world(start=START.replace(tzinfo=None))


@pytest.mark.parametrize("seed", range(1, 9))
def test_in_a_small_shop_parcels_come_and_go_overnight(seed: int) -> None:
    world = a_world("small_shop", seed=seed)
    before = set(world.ready_ids())

    world.advance()

    after = set(world.ready_ids())
    assert len(before) == 8
    assert after - before
    assert before - after


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_on_a_quiet_day_nothing_waits_until_tomorrow(seed: int) -> None:
    world = a_world("quiet_day", seed=seed)
    assert (len(world.shipped_ids()), world.ready_ids()) == (6, [])

    world.advance()

    assert len(world.ready_ids()) == 1


@pytest.mark.parametrize("seed", [1, 2, 77])
@pytest.mark.parametrize("hour", [0, 7, 13, 23])
def test_on_a_busy_day_exactly_40_of_exactly_200_shipped_orders_wait(seed: int, hour: int) -> None:
    world = a_world("busy_day", seed=seed, start=START.replace(hour=hour))

    assert (len(world.shipped_ids()), len(world.ready_ids())) == (200, 40)


async def test_a_busy_day_has_all_kinds_of_orders(caller: Opens) -> None:
    world = a_world("busy_day")
    ask = caller(world)
    details = [await ask.detail(order_id) for order_id in world.ready_ids()]

    titles = {item["title"] for order in details for item in order["items"]}
    parcels = [
        {event["tracking_number"] for event in order["consignment_status_history"]}
        for order in details
    ]
    assert {"&", "<", ">", '"', "'", "š", "č", "ž", "{", "="} <= set("".join(titles))
    assert max(len(title) for title in titles) > 200
    assert {len(order["items"]) for order in details} >= {1, 2, 3}
    assert {order["cod"] > 0 for order in details} == {True, False}
    assert max(len(numbers) for numbers in parcels) > 1
    assert {order["mdp_classic"] for order in details} == {True, False}


async def test_every_status_has_every_combination(caller: Opens) -> None:
    world = a_world("every_status")
    ask = caller(world)
    statuses = "in:blocked,open,shipping,shipped,cancelled,delivered,lost,returned"
    ids = await ask.ids(status=statuses, test="1")
    details = [await ask.detail(order_id) for order_id in ids]

    combinations = {
        (order["status"], order["mdp"], order["ready_to_return"])
        for order in details
        if not order["test"]
    }
    assert len(combinations) == 8 * 2 * 2
    assert any(order["test"] and order["ready_to_return"] for order in details)
    assert any("delivered_at" in order and order["delivered_at"] is None for order in details)
    assert any("delivered_at" not in order for order in details)
    assert any(order["ulozenka_status_history"] for order in details)
    assert any(order["consignment_status_history"] for order in details)
    assert {8, 10, 12} == {len(str(order["id"])) for order in details}


@pytest.mark.parametrize("page_size", [100, 1000])
async def test_many_pages_has_ten_orders_a_page_whatever_is_requested(
    caller: Opens, page_size: int
) -> None:
    ask = caller(a_world("many_pages"))
    pages = [
        (await ask.get("/v1/orders", **SHIPPED, page=page, page_size=page_size)).json()["paging"]
        for page in (1, 2)
    ]

    assert pages == [
        {"total": 57, "pages": 6, "size": 10, "page": 1},
        {"pages": 6, "size": 10, "page": 2},
    ]


async def test_failing_recovers_after_three_calls(caller: Opens) -> None:
    ask = caller(a_world("failing"))
    answers = [await ask.get("/v1/orders", **SHIPPED) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [503, 500, 429, 200]
    assert [answer.headers.get("Retry-After") for answer in answers] == ["1", None, "1", None]


def test_big_is_10_000_shipped_orders() -> None:
    world = a_world("big")

    assert (len(world.shipped_ids()), len(world.ready_ids())) == (10_000, 770)


async def test_one_seed_plays_one_story_whatever_is_called_and_when(caller: Opens) -> None:
    called, untouched = a_world("busy_day"), a_world("busy_day")
    for _ in range(5):
        await caller(called).ids(status="shipped")
        called.advance()
    untouched.advance(5)

    assert called.ready_ids() == untouched.ready_ids()
    for order_id in untouched.ready_ids():
        assert await caller(called).detail(order_id) == await caller(untouched).detail(order_id)


def test_another_seed_has_other_orders() -> None:
    assert not set(a_world(seed=1).shipped_ids()) & set(a_world(seed=2).shipped_ids())


@pytest.mark.parametrize("name", SCENARIOS)
async def test_every_buyer_is_invented(caller: Opens, name: str) -> None:
    world = World.from_scenario(name, start=START, faults=())
    world.pace = Pace()
    ask = caller(world)
    # Malformed orders have lower ids.
    query = {"filter": "basic", "page_size": 10, "id": "gt:4000000000"}
    for order in await ask.data("/v1/orders", **query):
        if not isinstance(order, dict) or "id" not in order:
            continue
        address = (await ask.detail(order["id"]))["address"]
        assert address["email"].endswith("@example.com")
        assert address["phone"].startswith("+447700900")
        assert {order["customer"], address["name"], address["street"]} <= set(CANARIES)
