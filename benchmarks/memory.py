"""The peak memory of a run, from reading to frozen messages, by the number of orders.

Each size runs in a separate process, and the simulator in another one. The run reads the details
of all orders, then composes, renders and freezes the digest for two recipients.

    python benchmarks/memory.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from marketplace import simulated

SIZES = (5_000, 10_000, 20_000)

_RUN = """
import asyncio, sys
from datetime import UTC, datetime, time
from pathlib import Path
from context import make_context
from marketplace import access
from notifier.http import HttpClient
from notifier.sources.mall import Marketplace
from notifier.domain.settings import Account, StoreLocation
from notifier.domain.recipients import Mailbox, Recipient
from notifier.services.due import RunRequest
from notifier.services.run import run_account
from notifier.domain.schedule import Schedule
from notifier.store import AccountState, open_store

async def main(url, folder):
    clock = lambda: datetime.now(UTC)
    account = Account(
        "shop", "Shop", access(url), Schedule(time(0), "UTC", time(23, 59)),
        tuple(Recipient(Mailbox(f"{name}@example.com"), "en") for name in "ab"), "en",
    )
    location = StoreLocation(f"sqlite:///{folder}/notifier.db")
    async with open_store(location) as store, HttpClient() as http:
        memory = AccountState(store.order_states, store.meta, account.id)
        source = Marketplace(account.access, http, clock=clock, state_store=memory)
        context = make_context(store, source=lambda _: source)
        report = await run_account(account, context, RunRequest(now=True))
    assert report.digest and report.digest.gap is None, report
    print(len(report.digest.present), len(report.messages))

asyncio.run(main(*sys.argv[1:]))
"""


def peak(*command: str) -> tuple[float, str]:
    """Run a command; return its peak memory in MB and its output."""
    # Unlike a script, code given by -c cannot import modules from the folder of this file.
    path = os.pathsep.join([str(Path(__file__).resolve().parent), *sys.path])
    environ = {**os.environ, "PYTHONPATH": path}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
    out = child.stdout.read() if child.stdout else ""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"the run failed with {child.returncode}")
    return usage.ru_maxrss / 1024, out


def main() -> None:
    """Measure each size and print the results."""
    previous: tuple[int, float] | None = None
    for size in SIZES:
        with simulated(size, latency=0.0) as shop, tempfile.TemporaryDirectory() as folder:
            megabytes, out = peak(sys.executable, "-c", _RUN, shop.url, folder)
        growth = ""
        if previous:
            per_thousand = (megabytes - previous[1]) / (shop.orders - previous[0]) * 1000
            growth = f", {per_thousand:.1f} MB for each 1,000 more"
        waiting = out.split()[0]
        print(f"{shop.orders:6} orders, {waiting:>5} wait: {megabytes:6.0f} MB{growth}")
        previous = shop.orders, megabytes


if __name__ == "__main__":
    main()
