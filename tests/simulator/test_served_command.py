"""`notifier simulator --latency`, as somebody on the network sees it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

QUERY = {"client_id": "demo-client-id"}


@asynccontextmanager
async def served(*options: str) -> AsyncIterator[str]:
    """The command while it runs; gives its base URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "notifier", "simulator", "--port", "0", *options),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        yield next(word.rstrip(";") for word in line.split() if word.startswith("http://"))
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 60)


@pytest.mark.parametrize(("options", "waits"), [((), False), (("--latency", "3600"), True)])
async def test_an_answer_waits_for_the_latency_it_was_told(
    options: tuple[str, ...], *, waits: bool
) -> None:
    async with served(*options) as base_url, httpx.AsyncClient(base_url=base_url) as client:
        asked = asyncio.create_task(client.get("/v1/orders", params=QUERY))
        seen = 0
        while not seen:
            seen = (await client.get("/simulator/state")).json()["requests"]
        for _ in range(20):  # many more answers than one without latency is behind these
            await client.get("/simulator/state")

        assert asked.done() is not waits
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
