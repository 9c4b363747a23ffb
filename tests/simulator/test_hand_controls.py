"""Changes by hand: through the methods of `World`, and over HTTP."""

from __future__ import annotations

import pytest

from notifier.simulator import create_app
from tests.simulator.conftest import SHIPPED, Opens, a_world


async def test_a_ready_flag_is_set_and_taken_back(caller: Opens) -> None:
    world = a_world()
    order_id = world.shipped_ids()[0]

    world.set_ready(order_id, True)
    assert world.ready_ids() == [order_id]
    assert (await caller(world).detail(order_id))["ready_to_return"] is True

    world.set_ready(order_id, False)
    assert world.ready_ids() == []
    assert (await caller(world).detail(order_id))["ready_to_return"] is False


async def test_a_status_is_set_with_its_time(caller: Opens) -> None:
    world = a_world("busy_day")
    order_id = world.ready_ids()[0]

    world.set_status(order_id, "returned")

    order = await caller(world).detail(order_id)
    assert order_id not in world.shipped_ids()
    assert order["status"] == "returned"
    assert order["shipped"] < order["returned"] <= "2026-03-29 09:00:00"


async def test_a_status_may_be_undocumented(caller: Opens) -> None:
    world = a_world()
    world.set_status(order_id := world.shipped_ids()[0], "teleported")

    assert (await caller(world).detail(order_id))["status"] == "teleported"
    assert await caller(world).ids(status="teleported") == [order_id]


def test_orders_set_by_hand_stay_as_they_are_when_days_pass() -> None:
    world = a_world()
    ready, shipped = world.shipped_ids()[:2]
    world.set_ready(ready, True)
    world.set_status(shipped, "shipped")
    added = world.add_order(ready_to_return=True)
    world.advance(100)

    assert {ready, added} <= set(world.ready_ids())
    assert shipped in world.shipped_ids()


async def test_setting_a_flag_does_not_change_the_contents(caller: Opens) -> None:
    world = a_world("busy_day")
    for order_id in world.shipped_ids()[:20]:
        before = await caller(world).detail(order_id)
        world.set_ready(order_id, not before["ready_to_return"])
        after = await caller(world).detail(order_id)
        assert before["items"] == after["items"]
        assert before["tracking_number"] == after["tracking_number"]


def test_ready_ids_leave_out_test_own_carrier_and_unreadable_orders() -> None:
    world = a_world()
    for fields in (
        {"test": True},
        {"mdp": False},
        {"status": "blocked"},
        {"status": "returned"},
        {"ready_to_return": "yes"},
    ):
        world.add_order(**{"ready_to_return": True, **fields})

    assert world.ready_ids() == []


async def test_an_order_is_removed(caller: Opens) -> None:
    world = a_world()
    gone, *others = world.shipped_ids()

    world.remove_order(gone)

    assert world.shipped_ids() == others
    assert (await caller(world).get(f"/v1/orders/{gone}")).status_code == 404
    with pytest.raises(KeyError):
        world.remove_order(gone)


async def test_the_next_calls_fail_as_planned_and_still_count(caller: Opens) -> None:
    world = a_world()
    world.fail_next(2)
    world.fail_next(1, 429, {"Retry-After": "-5"})
    world.fail_next(1, 200, body=b"{}")
    ask = caller(world)
    answers = [await ask.get("/v1/orders") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [503, 503, 429, 200, 200]
    assert answers[0].json()["result"]["status"] == "ERROR"
    assert answers[2].json()["result"]["status"] == "LIMITED"
    assert answers[2].headers["Retry-After"] == "-5"
    assert answers[3].content == b"{}"
    assert "X-RateLimit-Limit" in answers[0].headers
    assert world.requests == 5


async def test_every_call_fails_until_failing_is_stopped(caller: Opens) -> None:
    world = a_world()
    world.fail_always(503)
    ask = caller(world)
    codes = [(await ask.get("/v1/orders")).status_code for _ in range(3)]
    world.stop_failing()

    assert codes == [503, 503, 503]
    assert (await ask.get("/v1/orders")).status_code == 200


async def test_one_detail_can_be_broken(caller: Opens) -> None:
    world = a_world()
    html, cut, fine, *_ = world.shipped_ids()
    world.break_detail(html)
    world.break_detail(cut, b'{"result":', status=500)
    ask = caller(world)

    assert (await ask.get(f"/v1/orders/{html}")).text.startswith("<html>")
    assert (await ask.get(f"/v1/orders/{cut}")).status_code == 500
    assert (await ask.get(f"/v1/orders/{cut}")).content == b'{"result":'
    assert (await ask.get(f"/v1/orders/{fine}")).status_code == 200


async def test_days_pass_over_http(caller: Opens) -> None:
    world = a_world("quiet_day")
    client = caller(world).client
    before = (await client.get("/simulator/state")).json()

    after = (await client.post("/simulator/advance?days=1")).json()

    assert before == {
        "scenario": "quiet_day",
        "now": "2026-03-29T07:00:00+00:00",
        "shipped": 6,
        "ready": 0,
        "ready_ids": [],
        "requests": 0,
        "calls_left": 1_000_000,
    }
    assert after["now"] == "2026-03-30T07:00:00+00:00"
    assert after["ready_ids"] == world.ready_ids()
    assert after["ready"] == 1
    assert world.requests == 0


async def test_calls_fail_and_recover_over_http(caller: Opens) -> None:
    ask = caller(a_world())
    await ask.client.post("/simulator/fail?status=502&count=1")
    once = [(await ask.get("/v1/orders", **SHIPPED)).status_code for _ in range(2)]
    await ask.client.post("/simulator/fail?status=503")
    always = [(await ask.get("/v1/orders", **SHIPPED)).status_code for _ in range(2)]
    await ask.client.post("/simulator/recover")

    assert (once, always) == ([502, 200], [503, 503])
    assert (await ask.get("/v1/orders", **SHIPPED)).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/simulator/advance?days=soon", "/simulator/advance?days=999", "/simulator/fail?status=7"],
)
async def test_invalid_numbers_are_refused(caller: Opens, path: str) -> None:
    assert (await caller(a_world()).client.post(path)).status_code == 400


def test_only_a_post_moves_the_world() -> None:
    routes = {route.path: route.methods for route in create_app(a_world()).routes}  # type: ignore[attr-defined]  # all are Route

    assert routes["/simulator/advance"] == {"POST"}
