"""Calls are retried where that helps, not sooner than asked, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from notifier.domain.reading import Complete, Failed, Incomplete, Reading
from notifier.errors import MarketplaceUnavailable
from notifier.http import HttpClient
from notifier.simulator import World
from notifier.sources.mall import Marketplace
from notifier.sources.mall.calls import MOST_RETRIES, MOST_TRIES, backoff
from tests.sources.mall.neighbour import (
    START,
    Hurry,
    Said,
    Visit,
    access,
    detail,
    page,
    row,
    said,
    scripted,
)


def a_world() -> World:
    return World.from_scenario("quiet_day", start=START)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 520])
async def test_what_may_pass_is_tried_again_after_growing_pauses(status: int) -> None:
    world = a_world()
    world.fail_next(MOST_TRIES - 1, status)
    visit = Visit(world)

    assert isinstance(await visit.read(), Complete)
    assert visit.naps.taken == [1, 2, 4]


def test_pauses_double_and_lose_up_to_half_by_chance() -> None:
    assert [backoff(n, 1.0).total_seconds() for n in (1, 2, 3)] == [1, 2, 4]
    assert [backoff(n, 0.0).total_seconds() for n in (1, 2, 3)] == [0.5, 1, 2]


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"result": {"status": "OK"}, "data": {}}'])
async def test_nonsense_is_tried_again(body: bytes) -> None:
    world = a_world()
    world.fail_next(1, 200, body=body)

    assert isinstance(await Visit(world).read(), Complete)


async def test_after_the_last_try_it_is_given_up() -> None:
    world = a_world()
    world.fail_next(MOST_TRIES)
    visit = Visit(world)

    assert isinstance(await visit.read(), Failed)
    assert world.requests == MOST_TRIES


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 405, 409])
async def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    world = a_world()
    world.fail_always(status)
    visit = Visit(world)

    assert isinstance(await visit.read(), Failed)
    assert world.requests == 1
    assert visit.naps.taken == []


async def test_repeated_calls_are_counted() -> None:
    world = a_world()
    world.fail_next(2)

    reading = await Visit(world).read()

    assert reading.calls == world.requests


@pytest.mark.parametrize("status", [429, 503])
async def test_a_longer_wait_than_ours_is_granted_when_asked_for(status: int) -> None:
    world = a_world()
    world.fail_next(1, status, {"Retry-After": "17"})
    visit = Visit(world)

    assert isinstance(await visit.read(), Complete)
    assert visit.naps.taken[0] == pytest.approx(17, abs=0.5)


async def test_a_date_to_wait_for_is_measured_by_the_marketplaces_own_clock() -> None:
    world = a_world()
    world.fail_next(1, 429, {"Retry-After": "Mon, 02 Mar 2026 06:00:42 GMT"})
    visit = Visit(world)

    await visit.read()

    assert visit.naps.taken[0] == pytest.approx(42, abs=0.5)


@pytest.mark.parametrize(
    "asked", ["-5", "nan", "٣", "0", "Sun, 01 Mar 2026 06:00:00 GMT", "soon", ""]
)
async def test_nonsense_to_wait_for_is_a_decent_pause(asked: str) -> None:
    # A header has no letters but those of Latin-1, so that is how these bytes arrive.
    header = asked.encode().decode("latin-1")
    answers = [(429, {"retry-after": header}, b""), page([], pages=0)]
    visit = Visit(scripted(lambda _path, _query: answers.pop(0)))

    assert isinstance(await visit.read(), Complete)
    assert visit.naps.taken == [pytest.approx(1, abs=0.5)]


@pytest.mark.parametrize("asked", ["99999999999", "Thu, 31 Dec 2099 23:59:59 GMT"])
async def test_a_limit_beyond_the_deadline_ends_the_reading_at_once(asked: str) -> None:
    world = a_world()
    world.fail_next(1, 429, {"Retry-After": asked})
    visit = Visit(world)

    reading = await visit.read()

    assert isinstance(reading, Failed)
    assert isinstance(reading.error, MarketplaceUnavailable)
    assert "limit of calls at 127.0.0.1 is used up until 2026-03-03 06:00 UTC" in reading.why
    assert world.requests == 1
    assert visit.naps.taken == []


async def test_a_limit_used_up_half_way_keeps_what_was_read() -> None:
    world = World.from_scenario("busy_day", start=START, rate_limit=52)
    visit = Visit(world, access(page_size=100))

    reading = await visit.read()

    assert isinstance(reading, Incomplete)
    assert reading.candidates == 200
    assert len(reading.unread) == 152
    assert "152 of 200 orders could not be read; the limit of calls" in reading.why
    assert world.requests <= 52 + 4
    assert visit.naps.taken == []


async def test_a_limit_on_the_list_leaves_no_calls_to_be_wasted_on_details() -> None:
    world = World.from_scenario("many_pages", start=START, rate_limit=3)

    reading = await Visit(world).read(known=[1, 2, 3])

    assert isinstance(reading, Failed)
    assert world.requests == 3  # the last answer said that there are no more


async def test_a_limit_one_call_ran_into_holds_for_all() -> None:
    rows = [row(id_) for id_ in range(1, 9)]
    asked: list[str] = []

    def script(path: str, _query: Mapping[str, str]) -> Said:
        asked.append(path)
        if path == "/v1/orders":
            return page(rows)
        return (429, {"retry-after": "30"}, b"") if len(asked) == 2 else said(detail(int(path[-1])))

    visit = Visit(scripted(script), access(concurrency=1))
    began = visit.naps.time()

    assert isinstance(await visit.read(), Complete)
    assert [round(nap) for nap in visit.naps.taken] == [30]
    assert visit.naps.time() - began >= 30


def test_a_limit_that_lets_others_through_may_refuse_one_call_many_times() -> None:
    ids = range(1, 41)
    refusals = iter(range(MOST_TRIES + 2))

    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page([row(id_) for id_ in ids])
        if path == "/v1/orders/7" and next(refusals, None) is not None:
            return 429, {"retry-after": "1"}, b""
        return said(detail(int(path.rpartition("/")[2])))

    async def read() -> Reading:
        async with HttpClient(transport=httpx.ASGITransport(scripted(script, 0.2))) as http:
            shop = Marketplace(access(concurrency=2), http, clock=lambda: START)
            return await shop.read([])

    with asyncio.Runner(loop_factory=Hurry) as runner:
        reading = runner.run(read())

    assert isinstance(reading, Complete)
    assert len(reading.orders) == len(ids)


async def test_a_limit_that_never_ends_is_not_asked_for_ever() -> None:
    def script(_path: str, _query: Mapping[str, str]) -> Said:
        return 429, {"retry-after": "1"}, b""

    reading = await Visit(scripted(script)).read()

    assert isinstance(reading, Failed)
    assert reading.calls == MOST_TRIES
    assert "limit of calls" in reading.why


async def test_a_marketplace_that_fails_half_of_the_calls_is_not_asked_twice_for_all() -> None:
    ids, tried = range(1, MOST_RETRIES + 101), set[str]()

    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page([row(id_) for id_ in ids])
        if path not in tried:
            tried.add(path)
            return 503, {}, b""
        return said(detail(int(path.rpartition("/")[2])))

    settings = access(concurrency=1, run_timeout=timedelta(days=1))
    reading = await Visit(scripted(script), settings).read()

    assert isinstance(reading, Incomplete)
    assert len(reading.orders) == MOST_RETRIES
    # One page, and five in a row that were not tried again end the reading.
    assert reading.calls == 1 + 2 * MOST_RETRIES + 5


async def test_a_wait_that_does_not_fit_is_not_begun() -> None:
    world = a_world()
    world.fail_always(503)
    visit = Visit(world, access(run_timeout=timedelta(seconds=2)))

    assert isinstance(await visit.read(), Failed)
    assert visit.naps.taken == [1]


async def test_each_call_names_the_program() -> None:
    seen: list[Mapping[str, str]] = []

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await scripted(lambda _path, _query: page([], pages=0))(scope, receive, send)

    await Visit(app).read()

    assert seen[0]["x-application-name"] == "notifier"
    assert seen[0]["x-application-version"]
    assert seen[0]["accept"] == "application/json"
