"""Posts what the webhook tells to a URL, in the background."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx

from notifier.simulator.webhook import Post, Webhook
from notifier.simulator.world import World

SECONDS_BETWEEN = 60.0
PATIENCE_SECONDS = 10.0


@contextlib.asynccontextmanager
async def posting(
    world: World,
    url: str,
    *,
    lost_share: float = 0.0,
    seed: int = 1,
    every_seconds: float = SECONDS_BETWEEN,
) -> AsyncIterator[asyncio.Queue[Post]]:
    """Post the world's changes to `url` while the block runs: those of `advance` at once, and
    every minute what has changed by a running clock.

    Gives the queue of what is still to be posted; `await queue.join()` waits until nothing is.
    Whatever is answered, or nothing at all, no post is repeated.
    """
    queue: asyncio.Queue[Post] = asyncio.Queue()
    world.listen(Webhook(queue.put_nowait, lost_share, seed))
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        tasks = (
            asyncio.create_task(_post_all(client, url, queue)),
            asyncio.create_task(_tell_regularly(world, every_seconds)),
        )
        try:
            yield queue
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            world.webhook = None


async def _post_all(client: httpx.AsyncClient, url: str, queue: asyncio.Queue[Post]) -> None:
    while True:
        post = await queue.get()
        headers = {"Content-Type": "application/json"}
        with contextlib.suppress(httpx.HTTPError):
            await client.post(url, content=post.body, headers=headers)
        queue.task_done()


async def _tell_regularly(world: World, every_seconds: float) -> None:
    while True:
        await asyncio.sleep(every_seconds)
        world.tell()
