"""The webhook: which changes are posted, in which posts, and how a URL receives them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from notifier.simulator import Post, Webhook
from notifier.simulator.server import posting
from tests.simulator.conftest import START, a_world


def posts_of(
    days: int = 5, *, at_once: bool = False, lost_share: float = 0, seed: int = 1
) -> list[Post]:
    posts: list[Post] = []
    webhook = Webhook(posts.append, lost_share, seed)
    world = a_world("season", in_transit=200, webhook=webhook)
    for _ in range(1 if at_once else days):
        world.advance(days if at_once else 1)
    return posts


def test_every_change_of_a_status_or_of_the_flag_is_posted() -> None:
    posts: list[Post] = []
    world = a_world("season", in_transit=200, webhook=Webhook(posts.append))
    for _ in range(10):
        posts.clear()
        before = {view.order.id: (view.status, view.ready) for view in world.book}
        world.advance()
        after = {view.order.id: (view.status, view.ready) for view in world.book}
        ids = {id_ for post in posts for id_ in post.ids}
        assert ids == {id_ for id_, state in after.items() if before.get(id_) != state}


def test_an_event_of_the_carrier_alone_is_not_posted() -> None:
    posts: list[Post] = []
    world = a_world("quiet_day", webhook=Webhook(posts.append))
    on_their_way_back = {view.order.id for view in world.listed() if view.comes_back}
    world.advance()
    ids = {id_ for post in posts for id_ in post.ids}

    assert on_their_way_back & ids == set(world.ready_ids())


def test_a_minute_has_one_post_and_minutes_come_in_order() -> None:
    posts = posts_of()
    minutes = [post.at for post in posts]

    assert minutes == sorted(set(minutes))
    assert {minute.second for minute in minutes} == {0}
    assert minutes[0] > START
    assert minutes[-1] <= START + timedelta(days=5, minutes=1)
    assert any(len(post.ids) > 1 for post in posts)


def test_days_at_once_post_the_same_as_day_by_day() -> None:
    assert posts_of(at_once=True) == posts_of()


def test_a_share_of_the_posts_is_lost_and_each_time_the_same_ones() -> None:
    everything, some = posts_of(), posts_of(lost_share=0.1)

    assert some == posts_of(lost_share=0.1)
    assert set(some) < set(everything)
    assert 0.05 < 1 - len(some) / len(everything) < 0.15
    assert some != posts_of(lost_share=0.1, seed=2)


def test_a_change_by_hand_is_posted_too() -> None:
    posts: list[Post] = []
    world = a_world(webhook=Webhook(posts.append))
    order_id = world.shipped_ids()[0]

    world.set_ready(order_id, True)
    world.notify()
    world.notify()

    assert [post.ids for post in posts] == [(order_id,)]


def test_a_body_is_a_bare_array_of_ids() -> None:
    assert Post(START, (123456, 1234567)).body == b"[123456,1234567]"


@asynccontextmanager
async def receiver(
    posted: list[bytes], status: int = 200, arrived: asyncio.Event | None = None
) -> AsyncIterator[str]:
    """Keep each received request in `posted`, and yield the URL."""

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().splitlines()
            if b"content-length" in line
        )
        posted.append(head + await reader.readexactly(length))
        if arrived:
            arrived.set()
        writer.write(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks/token"


@pytest.mark.parametrize("status", [200, 500])
async def test_changes_are_posted_to_a_url_once_whatever_the_answer(status: int) -> None:
    posted: list[bytes] = []
    world = a_world()
    order_id = world.shipped_ids()[0]
    async with receiver(posted, status) as url, posting(world, url) as queue:
        world.set_ready(order_id, True)
        world.notify()
        await queue.join()

    [request] = posted
    assert request.startswith(b"POST /hooks/token HTTP/1.1\r\n")
    assert b"content-type: application/json" in request.lower()
    assert request.endswith(b"\r\n\r\n[%d]" % order_id)


async def test_a_receiver_that_is_down_misses_the_post() -> None:
    world = a_world()
    async with receiver([]) as url:
        pass
    async with posting(world, url) as queue:
        world.set_ready(world.shipped_ids()[0], True)
        world.notify()
        await queue.join()


async def test_changes_by_a_running_clock_are_posted_regularly() -> None:
    posted: list[bytes] = []
    now = START
    world = a_world("small_shop", clock=lambda: now)
    arrived = asyncio.Event()
    async with (
        receiver(posted, arrived=arrived) as url,
        posting(world, url, every_seconds=0.001),
    ):
        now += timedelta(days=1)
        await arrived.wait()

    assert posted
