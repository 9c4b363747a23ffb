"""The webhook in the daemon: what the marketplace posts is in the store, and soon looked into."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable

import httpx

from notifier.domain.reading_plan import ReadingState
from notifier.errors import ExitCode
from notifier.simulator.server import posting
from notifier.store import open_store
from tests.acceptance.test_daemon import due_today, serving
from tests.acceptance.world import World

TOKEN = "canary-webhook-token-0123456789-abc"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def listen(world: World, port: int) -> str:
    """Nothing is due for ten hours; the webhook is open. Gives its address."""
    more = f'webhook_token = "{TOKEN}"\n\n[daemon]\nwebhook_listen = "127.0.0.1:{port}"\n'
    due_today(world, send_at="23:00", more=more)
    return f"http://127.0.0.1:{port}/hooks/{TOKEN}"


async def recalled(world: World) -> ReadingState:
    async with open_store(world.location, read_only=True) as store:
        return await store.order_states.recall("ljubljana")


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await is_so():  # noqa: ASYNC110 - it is another process that is looked at
            await asyncio.sleep(0.05)


async def test_what_is_posted_is_looked_into_within_minutes_and_mails_nobody(world: World) -> None:
    address = listen(world, free_port())
    async with serving(world) as daemon:
        await daemon.says("STATUS=Next digest due")
        (ready, *_) = world.marketplace.ready_ids()
        async with posting(world.marketplace, address) as posts:
            world.marketplace.set_ready(ready, ready=True)
            world.marketplace.notify()
            await posts.join()
        assert (await recalled(world)).fresh == {ready}

        daemon.gets(signal.SIGHUP)  # a tick now

        async def is_seen() -> bool:
            seen = (await recalled(world)).order_states.get(ready)
            return seen is not None and seen.waits

        await until(is_seen)
        assert await daemon.stops() == ExitCode.DONE
    assert (await recalled(world)).hints == frozenset()
    assert await world.outbox() == []


async def test_a_port_that_is_taken_is_told_and_the_mail_goes_on(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen(world, taken.getsockname()[1])
        async with serving(world, stderr=asyncio.subprocess.PIPE) as daemon:
            await daemon.says("STATUS=Next digest due")
            assert await daemon.stops() == ExitCode.DONE
            assert daemon.process.stderr
            told = (await daemon.process.stderr.read()).decode()

    assert "webhook endpoint cannot listen on 127.0.0.1:" in told
    assert "change daemon.webhook_listen" in told
    assert TOKEN not in told


async def test_a_new_configuration_opens_the_door_with_the_new_token_alone(world: World) -> None:
    address = listen(world, free_port())
    async with serving(world) as daemon, httpx.AsyncClient() as client:
        await daemon.says("STATUS=Next digest due")
        before = await client.post(address, content=b"[1]")
        text = world.config.read_text().replace(TOKEN, TOKEN[::-1])
        world.config.write_text(text)
        daemon.gets(signal.SIGHUP)
        await daemon.says("READY=1")
        after = [
            (await client.post(one, content=b"[1]")).status_code
            for one in (address, address.replace(TOKEN, TOKEN[::-1]))
        ]
        await daemon.stops()

    assert before.status_code == 202
    assert after == [404, 202]
