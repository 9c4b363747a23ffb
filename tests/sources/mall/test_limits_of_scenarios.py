"""The limits that the simulator plays are kept over HTTP: nothing is refused, the reserve stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from notifier.domain.reading import Complete, Failed, Incomplete, Reading
from notifier.domain.reading_plan import MAX_VALIDITY, Frequency, Policy, StateStore
from notifier.domain.settings import MarketplaceAccess
from notifier.http import HttpClient
from notifier.simulator import World, serve
from notifier.sources.mall import Marketplace
from tests.sources.mall.neighbour import CLIENT_ID, START, access
from tests.sources.mall.test_session_plan import Notebook

EVERYTHING = Policy(Frequency.ALL)


async def read(world: World, memory: StateStore | None = None, **settings: object) -> Reading:
    """A reading over a socket, 24 calls at the same time, at the time of that world."""
    async with serve(world) as url, HttpClient() as http:
        chosen: MarketplaceAccess = replace(
            access(url, concurrency=24, policy=EVERYTHING),
            **settings,  # type: ignore[arg-type]  # names of its fields
        )
        clock = lambda: world.now  # noqa: E731
        return await Marketplace(chosen, http, clock=clock, state_store=memory).read(())


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


class Later:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Later:
    return Later()


@pytest.fixture
def limited(clock: Later) -> World:
    return World.from_scenario("daily_limit", start=START, client_id=CLIENT_ID, clock=clock)


async def test_a_day_whose_rest_is_for_others_costs_no_call_more(
    limited: World, clock: Later
) -> None:
    memory = Notebook()
    await read(limited, memory, reserve_calls=80)

    for hours in (0, 1, 5):
        clock.now = START + timedelta(hours=hours)
        again = await read(limited, memory, reserve_calls=80)

        assert isinstance(again, Failed)
        assert "except for 80 calls reserved for other systems" in again.why
        assert again.calls == 0

    clock.now = START + timedelta(hours=18)
    assert isinstance(await read(limited, memory, reserve_calls=80), Incomplete)


async def test_whether_the_limit_was_raised_is_asked_a_few_times_a_day(
    limited: World, clock: Later
) -> None:
    memory = Notebook()
    clock.now = START.replace(hour=1)
    await read(limited, memory, reserve_calls=80)

    clock.now += MAX_VALIDITY

    assert (await read(limited, memory, reserve_calls=80)).calls == 1


async def test_the_last_minute_of_a_day_that_was_seen_is_no_window_of_a_minute(
    limited: World, clock: Later
) -> None:
    memory = Notebook()
    await read(limited, memory, reserve_calls=80)
    clock.now = (START + timedelta(days=1)).replace(hour=23, minute=59, second=30)

    reading = await read(limited, memory, reserve_calls=80)

    assert isinstance(reading, Incomplete)
    assert limited.rate.remaining(clock.now) == 80


async def test_a_clock_that_is_set_back_does_not_stop_the_readings(
    limited: World, clock: Later
) -> None:
    memory = Notebook()
    await read(limited, memory, reserve_calls=80)
    clock.now = START - timedelta(hours=1)

    assert (await read(limited, memory, reserve_calls=80)).calls > 0


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
