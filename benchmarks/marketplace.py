"""A simulated marketplace in a process of its own, for the benchmarks of reading."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

from notifier.parts import MarketplaceAccess, Secret
from notifier.plan import Frequency, Policy

CLIENT_ID = "demo-client-id"

_SERVE = """
import asyncio, sys
from datetime import UTC, datetime
from notifier.simulator import World, serve

async def main(orders, latency, limit, window):
    world = World.from_scenario(
        "season", seed=1, start=datetime.now(UTC), in_transit=orders, latency_seconds=latency,
        rate_limit=limit, window_seconds=window, clock=lambda: datetime.now(UTC),
    )
    async with serve(world) as url:
        print(url, len(world.shipped_ids()), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(world.requests, sum(day.refused for day in world.calls_by_day.values()), flush=True)

orders, latency, limit, window = sys.argv[1:]
asyncio.run(main(int(orders), float(latency), int(limit), int(window)))
"""


class Simulated:
    """The marketplace while it runs: its address, how many orders it lists."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            raise RuntimeError("it says nothing")
        url, orders = process.stdout.readline().split()
        self.url, self.orders = url, int(orders)
        self._process = process

    def ask_counts(self) -> tuple[int, int]:
        """End it; calls made, and those that were refused because of the limit."""
        out, _ = self._process.communicate("\n", timeout=30)
        made, refused = out.split()
        return int(made), int(refused)


@contextlib.contextmanager
def simulated(
    orders: int, *, latency: float = 0.04, limit: int = 10**9, window_seconds: int = 86_400
) -> Iterator[Simulated]:
    """Serve a season with so many orders in transit while the block runs."""
    words = (str(orders), str(latency), str(limit), str(window_seconds))
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


def access(url: str, concurrency: int | None = None) -> MarketplaceAccess:
    """Everything is read; the rest as it is by default."""
    chosen = {} if concurrency is None else {"concurrency": concurrency}
    return MarketplaceAccess(
        url,
        Secret(CLIENT_ID),
        "Europe/Prague",
        policy=Policy(Frequency.ALL),
        run_timeout=timedelta(minutes=30),
        **chosen,
    )
