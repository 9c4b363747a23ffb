"""A simulated marketplace in a separate process, for the benchmarks of reading."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from notifier.domain.reading_plan import Frequency, Policy
from notifier.domain.settings import MarketplaceAccess, Secret

CLIENT_ID = "demo-client-id"

_SERVE = """
import asyncio, sys
from datetime import UTC, datetime
from notifier.simulator import World, serve

async def main(orders, latency, limit, window, others):
    world = World.from_scenario(
        "season", seed=1, start=datetime.now(UTC), in_transit=orders, latency_seconds=latency,
        rate_limit=limit, window_seconds=window, others=others, clock=lambda: datetime.now(UTC),
    )
    async with serve(world) as url:
        print(url, len(world.shipped_ids()), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        refused = sum(day.refused for day in world.calls_by_day.values())
        print(world.requests, refused, world.rate.remaining(world.clock.order_time), flush=True)

orders, latency, limit, window, others = sys.argv[1:]
asyncio.run(main(int(orders), float(latency), int(limit), int(window), int(others)))
"""


class Counts(NamedTuple):
    """Numbers of calls, counted by the marketplace."""

    made: int
    refused: int
    """How many of them were answered with 429."""
    left: int
    """How many more calls the limit allows."""


class Simulated:
    """The running marketplace: its URL and the number of orders it lists."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            raise RuntimeError("the simulator has no standard output")
        url, orders = process.stdout.readline().split()
        self.url, self.orders = url, int(orders)
        self._process = process

    def stop(self) -> Counts:
        """Stop the marketplace and return its counts."""
        out, _ = self._process.communicate("\n", timeout=30)
        return Counts(*map(int, out.split()))


@contextlib.contextmanager
def simulated(
    orders: int,
    *,
    latency: float = 0.04,
    limit: int = 10**9,
    window_seconds: int = 86_400,
    others: int = 0,
) -> Iterator[Simulated]:
    """Serve a season with this many orders in transit while the block runs."""
    words = (str(orders), str(latency), str(limit), str(window_seconds), str(others))
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Simulated(process)
        finally:
            process.kill()


def access(
    url: str, concurrency: int | None = None, *, reserve_calls: int = 0
) -> MarketplaceAccess:
    """Return marketplace access with default settings that reads every order."""
    reads = MarketplaceAccess(
        url,
        Secret(CLIENT_ID),
        "Europe/Prague",
        policy=Policy(Frequency.ALL),
        run_timeout=timedelta(minutes=30),
        reserve_calls=reserve_calls,
    )
    return reads if concurrency is None else replace(reads, concurrency=concurrency)
