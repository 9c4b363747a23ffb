"""How fast the marketplace is read, beside reading its orders one by one over one connection.

The simulator is a process of its own and takes 40 ms for each answer. One by one is what the
marketplace's official client does; a sample of it is scaled up. With a limit of R calls a second,
told by its headers over a window of ten seconds, the time is set beside N/R; a call that is
answered 429 is one too many.

    python benchmarks/reading.py
    python benchmarks/reading.py --orders 500
"""

from __future__ import annotations

import argparse
import asyncio
import time
from datetime import UTC, datetime

import httpx
from marketplace import CLIENT_ID, Simulated, access, simulated

from notifier.http import HttpClient
from notifier.marketplace import Marketplace
from notifier.reading import Complete

SAMPLE = 200
WINDOW_SECONDS = 10
RATES = (50, 100, 200)


async def read(shop: Simulated, concurrency: int | None = None) -> tuple[float, int]:
    """Seconds of one reading of everything, and its calls."""
    async with HttpClient() as http:
        began = time.perf_counter()
        reading = await Marketplace(
            access(shop.url, concurrency), http, clock=lambda: datetime.now(UTC)
        ).read(())
        seconds = time.perf_counter() - began
    if not isinstance(reading, Complete):
        raise SystemExit(f"not everything was read: {reading.why}")
    return seconds, reading.calls


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
    return each * shop.orders + page_seconds * answer["paging"]["pages"]


def main() -> None:
    """Read in each way, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000)
    orders = parser.parse_args().orders
    with simulated(orders) as shop:
        plain = read_one_by_one(shop)
        print(f"{shop.orders} orders, 40 ms an answer")
        print(f"{'one by one':24}{plain:8.1f} s")
        for concurrency in (None, 8, 16, 24, 32):
            seconds, calls = asyncio.run(read(shop, concurrency))
            name = "by default" if concurrency is None else f"{concurrency} at the same time"
            print(f"{name:24}{seconds:8.1f} s{plain / seconds:8.1f} times as fast, {calls} calls")
    for rate in RATES:
        limit = rate * WINDOW_SECONDS
        with simulated(orders, limit=limit, window_seconds=WINDOW_SECONDS) as shop:
            seconds, calls = asyncio.run(read(shop))
            _, refused = shop.ask_counts()
        print(
            f"{rate:4} calls a second     {seconds:8.1f} s{seconds / (calls / rate):8.2f} of N/R, "
            f"{calls} calls, {refused} refused"
        )


if __name__ == "__main__":
    main()
