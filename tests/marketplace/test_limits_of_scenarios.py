"""The limits that the simulator plays are kept over HTTP: nothing is refused, the reserve stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from notifier.http import HttpClient
from notifier.marketplace import Marketplace
from notifier.parts import MarketplaceAccess
from notifier.plan import Frequency, Policy
from notifier.reading import Complete, Incomplete, Reading
from notifier.simulator import World, serve
from tests.marketplace.neighbour import CLIENT_ID, START, access

EVERYTHING = Policy(Frequency.ALL)


async def read(world: World, **settings: object) -> Reading:
    """A reading over a socket, 24 calls at the same time."""
    async with serve(world) as url, HttpClient() as http:
        chosen: MarketplaceAccess = replace(
            access(url, concurrency=24, policy=EVERYTHING),
            **settings,  # type: ignore[arg-type]  # names of its fields
        )
        return await Marketplace(chosen, http, clock=lambda: START).read(())


def refused(world: World) -> int:
    """How many calls were answered 429."""
    return sum(day.refused for day in world.calls_by_day.values())


@pytest.mark.parametrize("reserve", [0, 1, 40, 80])
@pytest.mark.parametrize("hour", [0, 12, 23])
async def test_the_calls_of_a_day_are_used_up_to_the_reserve_and_not_one_more(
    reserve: int, hour: int
) -> None:
    start = START.replace(hour=hour)
    world = World.from_scenario("daily_limit", start=start, client_id=CLIENT_ID)

    reading = await read(world, reserve_calls=reserve)

    assert isinstance(reading, Incomplete)
    assert refused(world) == 0
    assert world.rate.remaining(start) == reserve
    assert "of 200 orders could not be read" in reading.why


async def test_each_day_has_its_calls_again_and_the_oldest_are_read() -> None:
    world = World.from_scenario("daily_limit", start=START, client_id=CLIENT_ID)
    for day in range(1, 4):
        reading = await read(world, reserve_calls=80)  # others take up to 72

        assert isinstance(reading, Incomplete)
        assert world.rate.remaining(world.now) == 80
        assert len(world.calls_by_day) == day
        shipped_on = {seen.order.id: seen.order.shipped_at.date() for seen in world.listed()}
        left = [shipped_on.pop(id_) for id_ in reading.unread]
        assert max(shipped_on.values()) <= min(left)
        world.advance()

    assert refused(world) == 0
    assert all(day.refused_others == 0 for day in world.calls_by_day.values())


async def test_a_limit_of_seconds_is_waited_for_and_not_run_into() -> None:
    world = World.from_scenario(
        "rate_limited",
        start=START,
        client_id=CLIENT_ID,
        rate_limit=100,
        window_seconds=1,
        clock=lambda: datetime.now(UTC),
    )

    reading = await read(world)

    assert isinstance(reading, Complete)
    assert refused(world) <= 1  # seconds are rounded, and a window of one is as short as that


async def test_a_slow_marketplace_is_read_to_its_end() -> None:
    world = World.from_scenario("slow", start=START, client_id=CLIENT_ID, latency_seconds=0.01)
    world.pace = replace(world.pace, drip_seconds=0.05)

    reading = await read(world, request_timeout=timedelta(seconds=5))

    assert isinstance(reading, Complete)
    assert [order.id for order in reading.orders] == world.ready_ids()
