"""Cut what the marketplace says after every single byte, by FIN and by RST.

    python -m tests.faults.cuts
    python -m tests.faults.cuts --every 7

The list has three pages of 1 KB, six orders have 1 to 2 KB each, and two of them wait. However a
reading ends, it says that something is missing, or nothing is.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from notifier.domain.reading import Complete, Failed, Reading
from notifier.http import HttpClient
from notifier.simulator import World, serve
from notifier.sources.mall import Marketplace
from tests.faults.proxy import Cut, through
from tests.sources.mall.neighbour import Naps, access

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
WAITING = (4500002, 4500005)
BYTES = 2500
"""More than any one answer has: behind that, everything gets through, in the end."""


def a_shop() -> World:
    """Six orders, of which two wait."""
    world = World.from_scenario("failing", start=START, faults=())
    for id_ in [*world.shipped_ids()]:
        world.remove_order(id_)
    for id_ in range(4500001, 4500007):
        world.add_order(id=id_, ready_to_return=id_ in WAITING)
    return world


async def read(
    base_url: str,
    http: HttpClient,
    *,
    request_timeout: timedelta = timedelta(seconds=5),
    run_timeout: timedelta = timedelta(minutes=15),
) -> Reading:
    """One reading over a socket, of one call at a time; it never sleeps between its tries."""
    settings = access(
        base_url,
        page_size=2,
        concurrency=1,
        request_timeout=request_timeout,
        run_timeout=run_timeout,
    )
    source = Marketplace(settings, http, clock=lambda: START, sleep=Naps(), jitter=lambda: 1.0)
    return await source.read(())


def fault_of(reading: Reading) -> str | None:
    """What is wrong with how a reading of this shop ended; None where nothing is."""
    if isinstance(reading, Failed):
        return None if reading.why else "a failure without a reason"
    found = tuple(order.id for order in reading.orders)
    if isinstance(reading, Complete):
        return None if found == WAITING else f"complete, and yet {found}"
    return None if set(found) <= set(WAITING) and reading.why else f"incomplete with {found}"


@dataclass(slots=True)
class Cuts:
    """What became of readings whose answers were cut."""

    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def at(self, counts: Iterable[int], *, hard: bool) -> None:
        """Read once for each of these numbers of bytes, after which it is over."""
        async with serve(a_shop()) as base_url, HttpClient() as http:
            for count in counts:
                async with through(base_url, Cut(count, hard=hard)) as broken:
                    reading = await read(broken, http)
                self.ends[type(reading).__name__] += 1
                if fault := fault_of(reading):
                    self.wrong.append(f"{Cut(count, hard=hard)}: {fault}")


async def cut_everywhere(every: int) -> Cuts:
    """At every so manieth byte, both ways."""
    cuts = Cuts()
    for hard in (False, True):
        await cuts.at(range(0, BYTES, every), hard=hard)
    return cuts


def main() -> int:
    """The command; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="K", help="every K-th byte only")
    cuts = asyncio.run(cut_everywhere(parser.parse_args().every))
    ends = ", ".join(f"{name} {count}" for name, count in sorted(cuts.ends.items()))
    print(f"{cuts.ends.total()} readings cut, lost {len(cuts.wrong)} ({ends})")
    for line in cuts.wrong:
        print(f"  {line}")
    return 1 if cuts.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
