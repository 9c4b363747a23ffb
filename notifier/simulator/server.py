"""The simulator on sockets: it serves a world over HTTP, and posts its webhook to a URL."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence

import httpx
import uvicorn

from notifier.simulator.app import create_app
from notifier.simulator.webhook import Post, Webhook
from notifier.simulator.world import World

SECONDS_BETWEEN_POSTS = 60.0
POST_TIMEOUT_SECONDS = 10.0


class _Server(uvicorn.Server):
    """A server that reports when it listens, and leaves signal handlers to its caller."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    # uvicorn would replace the handlers of SIGINT and SIGTERM.
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextlib.asynccontextmanager
async def serve(
    world: World, host: str = "127.0.0.1", port: int = 0, *, others: Sequence[World] = ()
) -> AsyncIterator[str]:
    """Serve while the block runs, and yield the base URL. Port 0 takes any free one.

    Raise OSError when the address is in use.
    """
    listener = socket.create_server((host, port))
    # asyncio sets this only on sockets it creates; without it, each answer waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        create_app(world, others),
        lifespan="off",
        access_log=False,
        log_config=None,  # the caller's logging stays as it is
        log_level="warning",
        date_header=False,  # the world has a clock of its own
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.listening.wait()
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@contextlib.asynccontextmanager
async def posting(
    world: World,
    url: str,
    *,
    lost_share: float = 0.0,
    seed: int = 1,
    every_seconds: float = SECONDS_BETWEEN_POSTS,
) -> AsyncIterator[asyncio.Queue[Post]]:
    """Post the world's changes to `url` while the block runs.

    Changes made by `advance` are posted at once, those of a running clock every minute. Yield the
    queue of pending posts; `await queue.join()` waits until it is empty. No post is repeated,
    whatever the answer.
    """
    queue: asyncio.Queue[Post] = asyncio.Queue()
    world.listen(Webhook(queue.put_nowait, lost_share, seed))
    async with httpx.AsyncClient(timeout=POST_TIMEOUT_SECONDS) as client:
        tasks = (
            asyncio.create_task(_post_all(client, url, queue)),
            asyncio.create_task(_notify_regularly(world, every_seconds)),
        )
        try:
            yield queue
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            world.webhook = None


async def _post_all(client: httpx.AsyncClient, url: str, queue: asyncio.Queue[Post]) -> None:
    headers = {"Content-Type": "application/json"}
    while True:
        post = await queue.get()
        # A receiver that is down misses the post, because the marketplace repeats none.
        with contextlib.suppress(httpx.HTTPError):
            await client.post(url, content=post.body, headers=headers)
        queue.task_done()


async def _notify_regularly(world: World, every_seconds: float) -> None:
    while True:
        await asyncio.sleep(every_seconds)
        world.notify()
