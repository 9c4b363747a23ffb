"""The scenario `season`: steady numbers, correct ids, and counts of calls."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from notifier.simulator import World
from notifier.simulator.orders import SimulatedStatus
from tests.simulator.conftest import SHIPPED, START, Opens, a_world


def a_season(**options: object) -> World:
    return a_world("season", **{"in_transit": 500, **options})


@pytest.mark.parametrize("in_transit", [200, 1_000])
def test_the_number_of_orders_in_transit_is_steady(in_transit: int) -> None:
    world = a_season(in_transit=in_transit)
    counts = []
    for _ in range(30):
        counts.append(len(world.shipped_ids()))
        world.advance()

    assert abs(sum(counts) / len(counts) / in_transit - 1) < 0.05
    assert all(0.75 < count / in_transit < 1.25 for count in counts)


def test_one_shipped_order_in_thirteen_waits_for_the_seller() -> None:
    world = a_season(in_transit=2_000)

    # 6 % of 2,000 / 3.085 a day, for 3.92 days each: 152.
    assert 120 < len(world.ready_ids()) < 190


def test_the_first_day_is_like_any_other() -> None:
    world = a_season()
    first = len(world.shipped_ids()), len(world.ready_ids())
    world.advance(60)
    later = len(world.shipped_ids()), len(world.ready_ids())

    assert abs(first[0] / later[0] - 1) < 0.2
    assert abs(first[1] / later[1] - 1) < 0.5


def test_days_of_a_season_can_pass_one_by_one_or_at_once() -> None:
    one_by_one, at_once = a_season(), a_season()
    for _ in range(45):
        one_by_one.advance()
        one_by_one.ready_ids()
    at_once.advance(45)

    assert one_by_one.shipped_ids() == at_once.shipped_ids()
    assert one_by_one.ready_ids() == at_once.ready_ids()


def test_every_parcel_that_becomes_ready_is_ready_on_some_morning() -> None:
    world = a_season()
    mornings: set[int] = set()
    for _ in range(40):
        mornings |= set(world.ready_ids())
        world.advance()
    returned = {
        view.order.id
        for view in world.book
        if view.order.journey.ready_after is not None
        and view.order.mall_delivery
        and not view.order.test
        and view.order.shipped_at + timedelta(days=view.order.journey.ready_after) > START
        and view.order.shipped_at + timedelta(days=view.order.journey.ready_after) <= world.now
    }

    assert len(returned) > 200
    assert returned <= mornings | set(world.ready_ids())


def test_orders_that_departed_long_ago_are_forgotten() -> None:
    world = a_season()
    sizes = []
    for _ in range(4):
        world.advance(30)
        sizes.append(sum(1 for _ in world.book))

    assert max(sizes[1:]) < 1.1 * min(sizes[1:])


def test_a_clock_that_is_set_back_finds_the_orders_as_they_were() -> None:
    now = START
    world = a_season(clock=lambda: now)
    before = world.shipped_ids()
    now += timedelta(days=5)
    assert world.shipped_ids() != before
    now -= timedelta(days=5)

    assert world.shipped_ids() == before


async def test_both_spellings_both_absences_and_both_directions_occur(caller: Opens) -> None:
    world = a_season()
    ask = caller(world)
    details = [await ask.detail(order_id) for order_id in world.ready_ids()]
    histories = [order["consignment_status_history"] for order in details]

    spellings = Counter(tuple({"code", "status"} & event.keys()) for h in histories for event in h)
    assert {frozenset(spelling) for spelling in spellings} == {
        frozenset({"code"}),
        frozenset({"status"}),
        frozenset({"code", "status"}),
    }
    assert {h[0]["date"] < h[-1]["date"] for h in histories} == {True, False}
    assert {"delivered_at" in order for order in details} == {True, False}


async def test_the_list_over_http_equals_the_list_without_a_call(caller: Opens) -> None:
    world = a_season()
    rows = await caller(world).data("/v1/orders", **SHIPPED, page_size=1000)

    assert [row["id"] for row in rows] == world.shipped_ids()
    assert {row["id"] for row in rows} == {view.order.id for view in world.listed()}


async def test_a_view_without_a_call_agrees_with_the_detail(caller: Opens) -> None:
    world = a_season()
    for view in list(world.listed())[::10]:
        order = await caller(world).detail(view.order.id)
        words = {event.get("code", event.get("status")) for event in order[HISTORY]}
        assert order["ready_to_return"] is view.ready
        assert order["status"] == view.status == SimulatedStatus.SHIPPED
        assert ("RETURNING" in words) is view.comes_back


HISTORY = "consignment_status_history"


async def test_calls_are_counted_for_each_day(caller: Opens) -> None:
    world = a_season(rate_limit=3)
    ask = caller(world)
    for calls in (2, 5):
        for _ in range(calls):
            await ask.get("/v1/orders")
        world.advance()

    days = [(day.made, day.refused) for day in world.calls_by_day.values()]
    assert days == [(2, 0), (5, 2)]
    assert list(world.calls_by_day) == [START.date(), START.date() + timedelta(days=1)]
    assert world.requests == 7
    assert world.request_log == []


async def test_others_call_evenly_over_the_day_and_can_be_left_without_calls(caller: Opens) -> None:
    now = START.replace(hour=0)
    world = a_season(rate_limit=1_000, others=600, clock=lambda: now)
    left = []
    for hour in (0, 12, 23):
        now = START.replace(hour=hour)
        left.append(world.rate.remaining(now))
    now = START.replace(hour=1)
    modest, greedy = 100, 800
    world.rate.take(now, modest)
    assert world.rate.refused_others(now) == 0
    world.rate.take(now, greedy - modest)

    assert left[0] == 1_000
    assert 1_000 - 720 * 12 / 24 <= left[1] <= 1_000 - 480 * 12 / 24
    assert left[2] < left[1]
    assert 800 + 480 - 1_000 <= world.rate.refused_others(now) <= 800 + 720 - 1_000


async def test_refused_calls_of_others_are_counted(caller: Opens) -> None:
    world = a_season(rate_limit=10, others=10)
    for _ in range(4):
        await caller(world).get("/v1/orders")

    [day] = world.calls_by_day.values()
    assert 2 <= day.refused_others <= 6


async def test_a_share_of_the_calls_fails_and_each_time_the_same_ones(caller: Opens) -> None:
    codes = []
    for _ in range(2):
        ask = caller(a_season(in_transit=10, failing_share=0.2))
        codes.append([(await ask.get("/v1/orders")).status_code for _ in range(100)])

    assert codes[0] == codes[1]
    assert set(codes[0]) == {200, 502, 503}
    assert 10 <= sum(code != 200 for code in codes[0]) <= 30


def test_only_a_season_has_a_size() -> None:
    with pytest.raises(ValueError, match="in_transit is for a season"):
        a_world("busy_day", in_transit=5)


def test_calls_can_be_counted_without_http() -> None:
    world = a_season(in_transit=10, rate_limit=100)

    assert [world.spend(60), world.spend(60)] == [60, 40]
    [day] = world.calls_by_day.values()
    assert (day.made, day.refused, world.rate.remaining(world.now)) == (120, 20, 0)
