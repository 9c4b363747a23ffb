"""How fast the marketplace is read, compared with one call after the other over one connection.

The simulator runs in a separate process and takes 40 ms for each answer. Reading one by one, as the
marketplace's official client does, is measured on a sample and scaled up. Each other row is the
median of three readings, with the CPU time of the client: a busy machine changes the seconds, but
hardly the CPU time.

With a limit of R calls per second, given in headers for a window of ten seconds (or
--window-seconds), the time is compared with N/R; calls answered with 429 break the limit. A daily
limit that other systems share must leave the reserve untouched.

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
    """Time and calls of one reading."""

    seconds: float
    cpu_seconds: float
    calls: int


async def read(shop: Simulated, concurrency: int | None = None) -> Took:
    """Read all orders."""
    async with HttpClient() as http:
        began, cpu_began = time.perf_counter(), time.process_time()
        reading = await Marketplace(
            access(shop.url, concurrency), http, clock=lambda: datetime.now(UTC)
        ).read(())
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    if not isinstance(reading, Complete):
        raise SystemExit(f"not every order was read: {reading.why}")
    return Took(seconds, cpu_seconds, reading.calls)


async def read_up_to_the_reserve(shop: Simulated) -> None:
    """Read until only the reserved calls are left."""
    async with HttpClient() as http:
        reads = access(shop.url, reserve_calls=RESERVE)
        await Marketplace(reads, http, clock=lambda: datetime.now(UTC)).read(())


def read_one_by_one(shop: Simulated) -> float:
    """Return the seconds of the list and of all details, scaled up from a sample."""
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
    """Compare with reading one by one, without a limit."""
    with simulated(orders) as shop:
        plain = read_one_by_one(shop)
        print(
            f"{shop.orders} orders, 40 ms per answer; {os.cpu_count()} CPUs, load {load()} before"
        )
        print(f"{'one by one':24}{plain:8.1f} s")
        for concurrency in (None, 8, 16, 32):
            took = sorted(asyncio.run(read(shop, concurrency)) for _ in range(TIMES))[TIMES // 2]
            name = "by default" if concurrency is None else f"{concurrency} at the same time"
            print(
                f"{name:24}{took.seconds:8.1f} s{plain / took.seconds:8.1f} times as fast, "
                f"{took.cpu_seconds:.1f} s CPU, {took.calls} calls"
            )
    print(f"load {load()} after")


def load() -> str:
    """Return the load average of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


def keep_limits(orders: int, window_seconds: int) -> None:
    """Read under limits of a few seconds, then under a daily limit."""
    for rate in RATES:
        limit = rate * window_seconds
        with simulated(orders, limit=limit, window_seconds=window_seconds) as shop:
            took = asyncio.run(read(shop))
            refused = shop.stop().refused
        of_ideal = took.seconds / (took.calls / rate)
        print(
            f"{rate:4} calls per second    {took.seconds:8.1f} s{of_ideal:8.2f} of N/R, "
            f"{took.calls} calls, {refused} refused"
        )
    with simulated(200, limit=DAILY, others=OTHERS) as shop:
        asyncio.run(read_up_to_the_reserve(shop))
        counts = shop.stop()
    print(
        f"{DAILY} calls per day, {OTHERS} used by others, {RESERVE} reserved: {counts.made} "
        f"calls, {counts.refused} refused, {counts.left} left"
    )


def main() -> None:
    """Run all comparisons and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--window-seconds", type=int, default=10)
    arguments = parser.parse_args()
    compare(arguments.orders)
    keep_limits(arguments.orders, arguments.window_seconds)


if __name__ == "__main__":
    main()
