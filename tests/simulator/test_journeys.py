"""How orders change as days pass."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

from notifier.simulator.answers import carrier_events
from notifier.simulator.orders import Journey, SimulatedStatus
from notifier.simulator.population import draw, draw_return
from tests.simulator.conftest import START, Opens, a_world

MANY = 20_000


def seeded() -> Random:
    return Random(1)  # noqa: S311 - a repeatable sequence, not a secret


def share(journeys: list[Journey], *days: int) -> float:
    """Return the percentage of journeys delivered after one of these numbers of days."""
    counted = Counter(j.ends_after for j in journeys if j.returning_after is None)
    return 100 * sum(counted[day] for day in days) / len(journeys)


def test_orders_leave_shipped_by_the_assumed_shares() -> None:
    dice = seeded()
    journeys = [draw(dice) for _ in range(MANY)]

    assert abs(share(journeys, 1) - 25) < 1
    assert abs(share(journeys, 2) - 35) < 1
    assert abs(share(journeys, 3) - 20) < 1
    assert abs(share(journeys, 4, 5, 6, 7, 8) - 14) < 1
    assert abs(100 - share(journeys, *range(1, 9)) - 6) < 1


def test_returns_follow_the_assumed_shares() -> None:
    dice = seeded()
    journeys = [draw_return(dice) for _ in range(MANY)]
    stored = [j for j in journeys if j.returning_after == 7]
    lost = [j for j in journeys if j.ends_as is SimulatedStatus.LOST]
    long = [j for j in journeys if j.ends_after - (j.ready_after or 0) > 6]

    assert abs(len(stored) / MANY - 2 / 3) < 0.02
    assert {j.returning_after for j in journeys} == {2, 3, 4, 7}
    assert {(j.ready_after or 0) - (j.returning_after or 0) for j in journeys} == {1, 2, 3}
    assert abs(len(lost) / MANY - 1 / 50) < 0.005
    assert abs(len(long) / MANY - 1 / 50) < 0.005


def test_the_carrier_reports_the_return_before_the_parcel_is_ready() -> None:
    dice = seeded()
    for journey in (draw_return(dice) for _ in range(100)):
        returning = [e.after.days for e in carrier_events(journey) if e.code == "RETURNING"]
        assert returning == [journey.returning_after]
        assert not journey.is_ready(returning[0])


async def test_an_order_is_sent_back_then_ready_then_collected(caller: Opens) -> None:
    world = a_world("quiet_day")
    shipped = world.shipped_ids()
    world.advance()
    [order_id] = world.ready_ids()
    ready = await caller(world).detail(order_id)
    while order_id in world.ready_ids():
        world.advance()
    collected = await caller(world).detail(order_id)

    assert order_id in shipped
    assert ready["status"] == "shipped"
    assert ready["consignment_status_history"][-1]["code"] == "RETURNING"
    assert collected["status"] == "returned"
    assert collected["returned"] > ready["shipped"]
    assert not collected["ready_to_return"]
    assert collected["consignment_status_history"][-1]["code"] == "RETURNED"


def test_days_bring_new_orders_and_the_world_keeps_its_size() -> None:
    world = a_world("busy_day")
    first = set(world.shipped_ids())
    world.advance(30)

    assert not first & set(world.shipped_ids()) - set(world.ready_ids())
    assert 150 < len(world.shipped_ids()) < 250
    assert 5 < len(world.ready_ids()) < 30


def test_days_can_pass_one_by_one_or_at_once() -> None:
    one_by_one, at_once = a_world("many_pages"), a_world("many_pages")
    for _ in range(7):
        one_by_one.advance()
    at_once.advance(days=7)

    assert one_by_one.now == at_once.now == START + timedelta(days=7)
    assert one_by_one.shipped_ids() == at_once.shipped_ids()
