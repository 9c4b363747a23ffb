"""The scenarios that make reading difficult: shifting, slow, limited, malformed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import Response, StreamingResponse

from notifier.simulator.answers import dripping
from notifier.simulator.scenarios import (
    MALFORMED_FIELDS,
    READABLE,
    STRANGE_IDS,
    STRAY_ROWS,
    UNREADABLE,
    UNREADABLE_DETAILS,
    UNREADABLE_FLAGS,
)
from tests.simulator.conftest import SHIPPED, START, Caller, Opens, a_world


async def read_once(ask: Caller) -> tuple[list[int], list[int]]:
    """Return the ids and totals a naive client gets from all pages, read once in sequence."""
    ids, totals, page, pages = [], [], 1, 1
    while page <= pages:
        answer = (await ask.get("/v1/orders", **SHIPPED, page=page)).json()
        ids += [row["id"] for row in answer["data"]]
        totals.append(answer["paging"]["total"])
        pages, page = answer["paging"]["pages"], page + 1
    return ids, totals


@pytest.mark.parametrize("seed", range(1, 6))
async def test_moving_pages_hide_a_waiting_parcel_and_keep_the_total(
    caller: Opens, seed: int
) -> None:
    world = a_world("moving_pages", seed=seed)
    truth = world.ready_ids()

    ids, totals = await read_once(caller(world))

    assert set(truth) - set(ids)
    assert len(set(totals)) == 1
    assert world.ready_ids() == truth


async def test_moving_pages_stop_moving_until_the_next_day(
    caller: Opens,
) -> None:
    world = a_world("moving_pages")
    ask = caller(world)
    await read_once(ask)

    for _ in range(2):
        assert (await read_once(ask))[0] == world.shipped_ids()
    world.advance()
    assert (await read_once(ask))[0] != world.shipped_ids()


async def test_a_list_of_one_page_does_not_move(caller: Opens) -> None:
    world = a_world("moving_pages", page_size_cap=1_000)
    before = world.shipped_ids()

    await read_once(caller(world))

    assert world.shipped_ids() == before


def test_slow_has_a_latency_that_an_option_replaces() -> None:
    assert a_world("slow").pace.latency_seconds == 0.4
    assert a_world("slow", latency_seconds=0).pace.latency_seconds == 0


async def test_a_dripping_answer_is_the_same_answer_in_pieces() -> None:
    whole = Response(b"x" * 1_001, 200, {"Retry-After": "1"}, "application/json")
    dripped = dripping(whole, seconds=0)
    assert isinstance(dripped, StreamingResponse)
    pieces = [piece async for piece in dripped.body_iterator]

    assert len(pieces) == 20
    assert b"".join(piece for piece in pieces if isinstance(piece, bytes)) == whole.body
    assert dripped.headers == whole.headers


async def test_an_answer_drips_for_as_long_as_configured(caller: Opens) -> None:
    world = a_world("slow", latency_seconds=0)
    world.pace = replace(world.pace, drips_every=2, drip_seconds=3_600)
    ask = caller(world)
    first = await ask.get("/v1/orders", **SHIPPED)
    second = asyncio.create_task(ask.get("/v1/orders", **SHIPPED))
    for _ in range(100):  # far more turns of the loop than an immediate answer needs
        await asyncio.sleep(0)

    assert first.status_code == 200
    assert not second.done()
    second.cancel()


async def test_rate_limited_accepts_calls_again_after_retry_after(caller: Opens) -> None:
    now = START
    world = a_world("rate_limited", clock=lambda: now)
    ask = caller(world)
    answers = [await ask.get("/v1/orders") for _ in range(21)]
    limited = answers[-1]
    now += timedelta(seconds=int(limited.headers["Retry-After"]))

    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert limited.status_code == 429
    assert limited.json()["result"]["status"] == "LIMITED"
    assert limited.headers["X-RateLimit-Limit"] == "20"
    assert limited.headers["X-RateLimit-Remaining"] == "0"
    assert limited.headers["X-RateLimit-Reset"] == limited.headers["Retry-After"]
    assert (await ask.get("/v1/orders")).status_code == 200


async def test_a_daily_limit_is_too_small_and_shared_with_others(caller: Opens) -> None:
    world = a_world("daily_limit")
    left = int((await caller(world).get("/v1/orders")).headers["X-RateLimit-Remaining"])

    assert len(world.shipped_ids()) == 200
    assert 120 <= left < 149  # at 7 o'clock others have taken three tenths of some 60


async def data_of(ask: Caller, order_id: object) -> Any:
    """Return the `data` of a detail; None if it has none."""
    answer = await ask.get(f"/v1/orders/{order_id}")
    try:
        body = answer.json()
    except ValueError:
        return None
    return body.get("data") if isinstance(body, dict) else None


async def test_malformed_serves_every_kind_of_malformed_order(caller: Opens) -> None:
    world = a_world("malformed")
    ask = caller(world)
    rows = await ask.data("/v1/orders", **SHIPPED)
    orders = [row for row in rows if isinstance(row, dict) and "mdp" in row]
    ids = [row.get("id") for row in orders]

    assert len(rows) == len(world.shipped_ids()) + len(STRAY_ROWS)
    assert {repr(i) for i in STRANGE_IDS if i is not None} <= {repr(i) for i in ids}
    assert str(READABLE + 2) in ids
    readable = [await data_of(ask, READABLE + n) for n in range(len(MALFORMED_FIELDS))]
    assert all(order["ready_to_return"] in (True, "true") for order in readable)
    assert {order["status"] for order in readable} == {"shipped"}


async def test_ready_ids_of_malformed_are_those_a_tolerant_client_can_read(caller: Opens) -> None:
    world = a_world("malformed")
    odd = [id_ for id_ in world.ready_ids() if id_ < UNREADABLE]
    unreadable = range(UNREADABLE, UNREADABLE + len(UNREADABLE_FLAGS) + len(UNREADABLE_DETAILS))

    assert odd == list(range(READABLE, READABLE + len(MALFORMED_FIELDS)))
    assert len(world.ready_ids()) == 10 + len(odd)
    assert set(unreadable) <= set(world.shipped_ids())
    for order_id in unreadable:
        order = await data_of(caller(world), order_id)
        flag = order.get("ready_to_return") if isinstance(order, dict) else None
        assert flag not in (True, False, "true", "false", 0)


async def test_malformed_answers_fast(caller: Opens) -> None:
    world = a_world("malformed")
    async with asyncio.timeout(5):
        for order_id in world.ready_ids():
            assert (await caller(world).get(f"/v1/orders/{order_id}")).status_code == 200
