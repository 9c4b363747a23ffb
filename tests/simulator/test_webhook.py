"""What the marketplace posts by itself: which orders changed, minute by minute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from notifier.simulator import Post, Webhook
from notifier.simulator.server import posting
from tests.simulator.conftest import START, a_world


def told_by(
    days: int = 5, *, at_once: bool = False, lost_share: float = 0, seed: int = 1
) -> list[Post]:
    posts: list[Post] = []
    webhook = Webhook(posts.append, lost_share, seed)
    world = a_world("season", in_transit=200, webhook=webhook)
    for _ in range(1 if at_once else days):
        world.advance(days if at_once else 1)
    return posts


def test_every_change_of_a_status_or_of_the_flag_is_told() -> None:
    posts: list[Post] = []
    world = a_world("season", in_transit=200, webhook=Webhook(posts.append))
    for _ in range(10):
        posts.clear()
        before = {view.order.id: (view.status, view.ready) for view in world.book}
        world.advance()
        after = {view.order.id: (view.status, view.ready) for view in world.book}
        told = {id_ for post in posts for id_ in post.ids}
        assert told == {id_ for id_, state in after.items() if before.get(id_) != state}


def test_what_only_the_carrier_notes_is_not_told() -> None:
    posts: list[Post] = []
    world = a_world("quiet_day", webhook=Webhook(posts.append))
    on_their_way_back = {view.order.id for view in world.listed() if view.comes_back}
    world.advance()
    told = {id_ for post in posts for id_ in post.ids}

    assert on_their_way_back & told == set(world.ready_ids())


def test_a_minute_has_one_post_and_minutes_come_in_order() -> None:
    posts = told_by()
    minutes = [post.at for post in posts]

    assert minutes == sorted(set(minutes))
    assert {minute.second for minute in minutes} == {0}
    assert minutes[0] > START
    assert minutes[-1] <= START + timedelta(days=5, minutes=1)
    assert any(len(post.ids) > 1 for post in posts)


def test_days_at_once_tell_the_same_as_day_by_day() -> None:
    assert told_by(at_once=True) == told_by()


def test_a_share_of_the_posts_is_lost_always_the_same_ones() -> None:
    everything, some = told_by(), told_by(lost_share=0.1)

    assert some == told_by(lost_share=0.1)
    assert set(some) < set(everything)
    assert 0.05 < 1 - len(some) / len(everything) < 0.15
    assert some != told_by(lost_share=0.1, seed=2)


def test_what_is_set_by_hand_is_told_too() -> None:
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
    posted: list[bytes], status: int = 200, came: asyncio.Event | None = None
) -> AsyncIterator[str]:
    """A socket that keeps each request as it came; gives its URL."""

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().splitlines()
            if b"content-length" in line
        )
        posted.append(head + await reader.readexactly(length))
        if came:
            came.set()
        writer.write(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks/token"


@pytest.mark.parametrize("status", [200, 500])
async def test_changes_are_posted_to_a_url_once_whatever_it_answers(status: int) -> None:
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


async def test_a_receiver_that_is_away_loses_what_it_is_posted() -> None:
    world = a_world()
    async with receiver([]) as url:
        pass
    async with posting(world, url) as queue:
        world.set_ready(world.shipped_ids()[0], True)
        world.notify()
        await queue.join()


async def test_a_running_clock_is_told_of_regularly() -> None:
    posted: list[bytes] = []
    now = START
    world = a_world("small_shop", clock=lambda: now)
    came = asyncio.Event()
    async with (
        receiver(posted, came=came) as url,
        posting(world, url, every_seconds=0.001),
    ):
        now += timedelta(days=1)
        await came.wait()

    assert posted
