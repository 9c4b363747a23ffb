"""How fast the marketplace is read, beside reading its orders one by one over one connection.

The simulator is a process of its own and takes 40 ms for each answer. One by one is what the
marketplace's official client does; a sample of it is scaled up. Each of the others is the median of
three, with the CPU of the client beside it: what else runs on the machine makes the seconds more
and the ratio less, and leaves the CPU nearly as it is.

With a limit of R calls a second, told by its headers over a window of ten seconds unless another
is given, the time is set beside N/R; a call that is answered 429 is one too many. With a limit of
the day, which others use too, a call that is taken from the reserve is one too many as well.

    python benchmarks/reading.py
    python benchmarks/reading.py --orders 500
    python benchmarks/reading.py --window-seconds 1
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
from marketplace import CLIENT_ID, Simulated, access, simulated

from notifier.domain.reading import Complete
from notifier.http import HttpClient
from notifier.sources.mall import Marketplace

SAMPLE = 200
TIMES = 3
RATES = (50, 100, 200)
DAILY, OTHERS, RESERVE = 150, 60, 40


class Took(NamedTuple):
    """What one reading cost."""

    seconds: float
    cpu_seconds: float
    calls: int


async def read(shop: Simulated, concurrency: int | None = None) -> Took:
    """Read everything."""
    async with HttpClient() as http:
        began, cpu_began = time.perf_counter(), time.process_time()
        reading = await Marketplace(
            access(shop.url, concurrency), http, clock=lambda: datetime.now(UTC)
        ).read(())
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    if not isinstance(reading, Complete):
        raise SystemExit(f"not everything was read: {reading.why}")
    return Took(seconds, cpu_seconds, reading.calls)


async def read_what_is_allowed(shop: Simulated) -> None:
    """Read until only the reserve is left."""
    async with HttpClient() as http:
        reads = access(shop.url, reserve_calls=RESERVE)
        await Marketplace(reads, http, clock=lambda: datetime.now(UTC)).read(())


def read_one_by_one(shop: Simulated) -> float:
    """Seconds of the list once and of each detail, scaled up from a sample."""
    with httpx.Client(params={"client_id": CLIENT_ID}, base_url=shop.url) as client:
        query = {"filter": "basic", "status": "eq:shipped", "mdp": "true", "page_size": "100"}
        began = time.perf_counter()
        answer = client.get("/v1/orders", params=query).json()
        page_seconds = time.perf_counter() - began
        ids = [row["id"] for row in answer["data"]]
        sample = [ids[number % len(ids)] for number in range(SAMPLE)]
        began = time.perf_counter()
        for id_ in sample:
            client.get(f"/v1/orders/{id_}").raise_for_status()
        each = (time.perf_counter() - began) / SAMPLE
    return each * shop.orders + page_seconds * int(answer["paging"]["pages"])


def compare(orders: int) -> None:
    """Beside one by one, without a limit."""
    with simulated(orders) as shop:
        plain = read_one_by_one(shop)
        print(f"{shop.orders} orders, 40 ms an answer; {os.cpu_count()} CPUs, {load()} busy before")
        print(f"{'one by one':24}{plain:8.1f} s")
        for concurrency in (None, 8, 16, 32):
            took = sorted(asyncio.run(read(shop, concurrency)) for _ in range(TIMES))[TIMES // 2]
            name = "by default" if concurrency is None else f"{concurrency} at the same time"
            print(
                f"{name:24}{took.seconds:8.1f} s{plain / took.seconds:8.1f} times as fast, "
                f"{took.cpu_seconds:.1f} s CPU, {took.calls} calls"
            )
    print(f"{load()} busy after")


def load() -> str:
    """How many CPUs were wanted in the last minute, by us and by others."""
    return f"{os.getloadavg()[0]:.1f}"


def keep_limits(orders: int, window_seconds: int) -> None:
    """Those of a few seconds, and that of a day."""
    for rate in RATES:
        limit = rate * window_seconds
        with simulated(orders, limit=limit, window_seconds=window_seconds) as shop:
            took = asyncio.run(read(shop))
            refused = shop.ask_counts().refused
        of_ideal = took.seconds / (took.calls / rate)
        print(
            f"{rate:4} calls a second     {took.seconds:8.1f} s{of_ideal:8.2f} of N/R, "
            f"{took.calls} calls, {refused} refused"
        )
    with simulated(200, limit=DAILY, others=OTHERS) as shop:
        asyncio.run(read_what_is_allowed(shop))
        counts = shop.ask_counts()
    print(
        f"{DAILY} calls a day, of which others take {OTHERS} and {RESERVE} are kept: {counts.made} "
        f"calls, {counts.refused} refused, {counts.left} left"
    )


def main() -> None:
    """Read in each way, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--window-seconds", type=int, default=10)
    asked = parser.parse_args()
    compare(asked.orders)
    keep_limits(asked.orders, asked.window_seconds)


if __name__ == "__main__":
    main()
