"""The daemon's webhook: posted hints are stored, and their orders read within minutes."""

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
from tests.acceptance.test_daemon import due_today, running_daemon
from tests.acceptance.world import World

TOKEN = "canary-webhook-token-0123456789-abc"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def configure_webhook(world: World, port: int) -> str:
    """Configure the webhook and a digest that is due in ten hours; return the webhook's URL."""
    more = f'webhook_token = "{TOKEN}"\n\n[daemon]\nwebhook_listen = "127.0.0.1:{port}"\n'
    due_today(world, send_at="23:00", more=more)
    return f"http://127.0.0.1:{port}/hooks/{TOKEN}"


async def reading_state(world: World) -> ReadingState:
    async with open_store(world.location, read_only=True) as store:
        return await store.order_states.recall("ljubljana")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - another process cannot set our event
            await asyncio.sleep(0.05)


async def test_a_posted_hint_is_read_within_minutes_and_sends_no_mail(world: World) -> None:
    address = configure_webhook(world, free_port())
    async with running_daemon(world) as daemon:
        await daemon.wait_for_message("STATUS=Next digest due")
        (ready, *_) = world.marketplace.ready_ids()
        async with posting(world.marketplace, address) as posts:
            world.marketplace.set_ready(ready, ready=True)
            world.marketplace.notify()
            await posts.join()
        assert (await reading_state(world)).fresh == {ready}

        daemon.send_signal(signal.SIGHUP)  # starts a tick at once

        async def order_was_read() -> bool:
            state = (await reading_state(world)).order_states.get(ready)
            return state is not None and state.waits

        await until(order_was_read)
        assert await daemon.stop() == ExitCode.DONE
    assert (await reading_state(world)).hints == frozenset()
    assert await world.outbox() == []


async def test_a_taken_port_is_reported_and_the_ticks_continue(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configure_webhook(world, taken.getsockname()[1])
        async with running_daemon(world, stderr=asyncio.subprocess.PIPE) as daemon:
            await daemon.wait_for_message("STATUS=Next digest due")
            assert await daemon.stop() == ExitCode.DONE
            assert daemon.process.stderr
            log = (await daemon.process.stderr.read()).decode()

    assert "webhook endpoint cannot listen on 127.0.0.1:" in log
    assert "change daemon.webhook_listen" in log
    assert TOKEN not in log


async def test_after_a_reload_only_the_new_token_is_accepted(world: World) -> None:
    address = configure_webhook(world, free_port())
    async with running_daemon(world) as daemon, httpx.AsyncClient() as client:
        await daemon.wait_for_message("STATUS=Next digest due")
        before = await client.post(address, content=b"[1]")
        text = world.config.read_text().replace(TOKEN, TOKEN[::-1])
        world.config.write_text(text)
        daemon.send_signal(signal.SIGHUP)
        await daemon.wait_for_message("READY=1")
        after = [
            (await client.post(url, content=b"[1]")).status_code
            for url in (address, address.replace(TOKEN, TOKEN[::-1]))
        ]
        await daemon.stop()

    assert before.status_code == 202
    assert after == [404, 202]
