"""Access, rate limit, and the headers of every answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from notifier.simulator import create_app
from tests.simulator.conftest import SHIPPED, START, Opens, a_world


@pytest.mark.parametrize("client_id", [None, "", "somebody-else"])
async def test_an_unknown_client_id_is_refused(caller: Opens, client_id: str | None) -> None:
    ask = caller(a_world())
    query = {} if client_id is None else {"client_id": client_id}

    answer = await ask.client.get("/v1/orders", params=query)

    assert answer.status_code == 401
    assert answer.json()["result"] == {"code": 401, "status": "ERROR", "message": "Unauthorized"}


async def test_each_client_id_is_an_account_of_its_own() -> None:
    one, two = a_world(seed=1), a_world(seed=2, client_id="another-client-id")
    app = create_app(one, [two])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        for world in (one, two):
            query = {"client_id": world.client_id, "status": "shipped"}
            answer = await client.get("/v1/orders", params=query)
            assert answer.json()["data"] == world.shipped_ids()
            assert world.requests == 1


async def test_every_answer_has_the_number_of_calls_left(caller: Opens) -> None:
    world = a_world(rate_limit=50)
    ask = caller(world)
    answers = [
        await ask.get("/v1/orders"),
        await ask.get("/v1/orders/7"),
        await ask.get("/v1/orders/stats"),
    ]

    assert [answer.headers["X-RateLimit-Limit"] for answer in answers] == ["50"] * 3
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["49", "48", "47"]
    assert answers[0].headers["X-RateLimit-Reset"] == str(17 * 3600)  # to midnight UTC


async def test_beyond_the_limit_a_call_is_limited_until_the_window_ends(caller: Opens) -> None:
    world = a_world(rate_limit=1)
    ask = caller(world)
    await ask.get("/v1/orders")

    refused = await ask.get("/v1/orders")
    world.advance()
    allowed = await ask.get("/v1/orders")

    assert refused.status_code == 429
    assert refused.json()["result"]["status"] == "LIMITED"
    assert refused.headers["Retry-After"] == str(17 * 3600)
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert allowed.status_code == 200


async def test_a_short_window_follows_a_running_clock(caller: Opens) -> None:
    now = START
    ask = caller(a_world(rate_limit=1, window_seconds=10, clock=lambda: now))
    codes = []
    for _ in range(3):
        codes.append((await ask.get("/v1/orders")).status_code)
        now += timedelta(seconds=6)

    assert codes == [200, 429, 200]


async def test_other_integrations_of_the_seller_spend_the_same_calls(caller: Opens) -> None:
    world = a_world(rate_limit=100)
    world.rate.take(world.now, 60)

    assert (await caller(world).get("/v1/orders")).headers["X-RateLimit-Remaining"] == "39"


@pytest.mark.parametrize("days", [0, 3])
async def test_the_date_is_that_of_the_worlds_own_clock(caller: Opens, days: int) -> None:
    world = a_world()
    world.advance(days)

    answer = await caller(world).get("/v1/orders")

    assert parsedate_to_datetime(answer.headers["Date"]) == START + timedelta(days=days)


async def test_a_clock_that_stays_makes_orders_older_instead(caller: Opens) -> None:
    moving, staying = a_world("busy_day"), a_world("busy_day", clock_stays=True)
    for world in (moving, staying):
        world.advance(3)
    answer = await caller(staying).get("/v1/orders", **SHIPPED)

    assert parsedate_to_datetime(answer.headers["Date"]) == START == staying.now
    assert staying.ready_ids() == moving.ready_ids()
    assert max(row["shipped"] for row in answer.json()["data"]) <= "2026-03-29 09:00:00"


async def test_a_new_day_has_new_calls_even_with_a_clock_that_stays(caller: Opens) -> None:
    world = a_world(rate_limit=1, clock_stays=True)
    ask = caller(world)
    codes = [(await ask.get("/v1/orders")).status_code for _ in range(2)]
    world.advance()

    assert codes == [200, 429]
    assert (await ask.get("/v1/orders")).status_code == 200


async def test_a_body_is_read_and_ignored_even_with_get(caller: Opens) -> None:
    ask = caller(a_world())
    headers = {"Content-Type": "application/json", "X-Application-Name": "mp-api-client"}
    query = {"client_id": ask.client_id, **SHIPPED}

    answer = await ask.client.request(
        "GET", "/v1/orders", params=query, content=b"[]", headers=headers
    )

    assert answer.json() == (await ask.get("/v1/orders", **SHIPPED)).json()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
async def test_nothing_can_be_written_and_the_attempt_is_logged(caller: Opens, method: str) -> None:
    world = a_world()
    ask = caller(world)
    answer = await ask.client.request(
        method, f"/v1/orders/{world.shipped_ids()[0]}", params={"client_id": ask.client_id}
    )

    assert answer.status_code == 405
    assert world.request_log[-1].method == method


async def test_calls_are_logged_without_the_client_id(caller: Opens) -> None:
    world = a_world()
    ask = caller(world)
    await ask.get("/v1/orders", filter="basic", status="eq:shipped")
    await ask.get("/v1/orders/7")

    assert world.requests == 2
    assert world.request_log == [
        ("GET", "/v1/orders", "filter=basic&status=eq:shipped"),
        ("GET", "/v1/orders/7", ""),
    ]


async def test_an_unknown_path_is_answered_in_the_marketplaces_words(caller: Opens) -> None:
    ask = caller(a_world())

    for path in ("/v1/orders/seven", "/v1/products"):
        answer = await ask.get(path)
        assert answer.status_code == 404
        assert answer.json()["result"]["status"] == "ERROR"


async def test_an_answer_waits_for_the_latency(caller: Opens) -> None:
    slow = asyncio.create_task(caller(a_world(latency_seconds=3600)).get("/v1/orders"))
    for _ in range(100):  # far more turns of the loop than an answer without latency needs
        await asyncio.sleep(0)

    assert not slow.done()
    slow.cancel()
