"""The most memory that a run takes, from reading to the frozen messages, by the orders it reads.

Each size is read in a process of its own, with the details of all orders, from a simulator in
another; then the digest of what waits is composed, rendered and frozen for two recipients.

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
    """Peak memory in MB, and what it printed."""
    # Code given by -c does not see the folder of this file, as a script does.
    path = os.pathsep.join([str(Path(__file__).resolve().parent), *sys.path])
    environ = {**os.environ, "PYTHONPATH": path}
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
    out = child.stdout.read() if child.stdout else ""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"it failed with {child.returncode}")
    return usage.ru_maxrss / 1024, out


def main() -> None:
    """Read each size, print."""
    before: tuple[int, float] | None = None
    for size in SIZES:
        with simulated(size, latency=0.0) as shop, tempfile.TemporaryDirectory() as folder:
            megabytes, out = peak(sys.executable, "-c", _RUN, shop.url, folder)
        more = ""
        if before:
            per_thousand = (megabytes - before[1]) / (shop.orders - before[0]) * 1000
            more = f", {per_thousand:.1f} MB for each 1,000 more"
        waiting = out.split()[0]
        print(f"{shop.orders:6} orders, {waiting:>5} wait: {megabytes:6.0f} MB{more}")
        before = shop.orders, megabytes


if __name__ == "__main__":
    main()
