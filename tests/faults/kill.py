"""Kill `notifier run` at the N-th system call of a kind, start it again twice, and look.

    python -m tests.faults.kill --all
    python -m tests.faults.kill --all --every 5

Each kill is a day of its own in one world, so that what one leaves behind is the next one's past.
strace counts for each thread: calls of the loop and of the store's thread have numbers of their
own, and the first of them that comes to N dies.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from notifier.domain.settings import OnUnknown
from tests.acceptance.world import EVERYBODY, ZONE, World, open_world
from tests.faults.world import Verdict, check_world, collect, judge
from tests.neighbours.smtp import Conversation, Step

SYSTEM_CALLS = ("pwrite64", "fdatasync", "sendto", "recvfrom", "connect")
ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60
FIRST_DAY = date(2026, 11, 21)
_RESTARTS = ("06:40", "07:15")
"""Past the lease of a run (20 min) and of a message (24 min), each time."""


@dataclass(slots=True)
class KillTrial:
    """A world, and the day it is in it."""

    world: World
    on_unknown: OnUnknown
    store: str
    today: date = FIRST_DAY
    days: list[date] = field(default_factory=list)

    async def kill(self, system_call: str, number: int) -> bool:
        """Live through a day in which the first process dies there; whether it came so far."""
        self.wake()
        code = await strace(self.world, system_call, number)
        assert code in (0, 3, -signal.SIGKILL), f"{system_call} {number}: exit code {code}"
        await self.go_on()
        return code == -signal.SIGKILL

    async def kill_at_the_dot(self) -> None:
        """Live through a day in which the first process dies once the server has its mail."""
        self.wake()
        process = await start(self.world)

        async def keep_and_kill(conversation: Conversation) -> int:
            conversation.keep()
            process.kill()
            return 0

        self.world.smtp.script(Step.DOT, keep_and_kill)
        assert await ended(process) == -signal.SIGKILL
        await self.go_on()

    async def live_through_the_day_before(self) -> None:
        """Run on the day before the first one of the trial, which it does not judge."""
        with contextlib.redirect_stdout(io.StringIO()):
            await self.world.run(str(FIRST_DAY - timedelta(days=1)))

    def wake(self, at: str = "06:05") -> None:
        """Let it be some time of the day; by default the digest is due."""
        self.world.now = datetime.fromisoformat(f"{self.today}T{at}").replace(tzinfo=ZONE)

    async def go_on(self) -> None:
        """Start it again twice, and let the day be over."""
        with contextlib.redirect_stdout(io.StringIO()):
            for at in _RESTARTS:
                await self.world.run(str(self.today), at=at)
        self.next_day()

    def next_day(self) -> None:
        """Let the day be over."""
        self.days.append(self.today)
        self.today += timedelta(days=1)

    async def check(self) -> int:
        """Fail unless every promise was kept on all the days so far; gives the forgiven copies."""
        evidence = await collect(self.store, self.world.smtp.accepted)
        return check_world(
            evidence, recipients=EVERYBODY, days=self.days, on_unknown=self.on_unknown
        )

    async def verdict(self) -> Verdict:
        """What became of all the days so far."""
        evidence = await collect(self.store, self.world.smtp.accepted)
        return judge(evidence, recipients=EVERYBODY, days=self.days, on_unknown=self.on_unknown)


@asynccontextmanager
async def kill_trial(
    folder: Path, on_unknown: OnUnknown = OnUnknown.RESEND, *, store: str | None = None
) -> AsyncIterator[KillTrial]:
    """Open a world in which one good day has passed."""
    async with new_trial(folder, on_unknown, store=store) as trial:
        await trial.live_through_the_day_before()
        yield trial


@asynccontextmanager
async def new_trial(
    folder: Path,
    on_unknown: OnUnknown = OnUnknown.RESEND,
    *,
    store: str | None = None,
    scenario: str = "small_shop",
) -> AsyncIterator[KillTrial]:
    """Open a world without a store."""
    async with open_world(folder, scenario) as world:
        url = store or f"sqlite:///{folder / 'notifier.db'}"
        world.configure(
            ("[smtp]", f'[store]\nurl = "{url}"\n\n[smtp]'),
            ('tls = "none"', f'tls = "none"\non_unknown = "{on_unknown}"'),
        )
        yield KillTrial(world, on_unknown, url)


async def strace(world: World, system_call: str, number: int) -> int:
    """`notifier run` as a process that dies there; its exit code, negative for a signal."""
    process = await start(
        world,
        *("strace", "-f", "-o", "/dev/null", "-e", f"trace={system_call}"),
        *("-e", f"inject={system_call}:signal=SIGKILL:when={number}"),
    )
    return await ended(process)


async def start(
    world: World,
    *under: str,
    stdin: int = asyncio.subprocess.DEVNULL,
    stderr: int = asyncio.subprocess.DEVNULL,
) -> asyncio.subprocess.Process:
    """`notifier run` as a process by the world's clock, `under` another program.

    It begins when its standard input ends.
    """
    return await asyncio.create_subprocess_exec(
        *(*under, sys.executable, "-m", "tests.faults.driver"),
        *(str(world.config), world.now.astimezone(UTC).isoformat(), "run"),
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE if stdin == asyncio.subprocess.PIPE else stdin,
        stderr=stderr,
        env={"PATH": os.environ["PATH"], "HOME": str(world.folder), "PYTHONPATH": str(ROOT)},
        cwd=world.folder,
    )


async def ended(process: asyncio.subprocess.Process) -> int:
    try:
        return await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def missing() -> str | None:
    """Why nothing can be killed here; None when it can."""
    return None if shutil.which("strace") else "strace is not installed (Debian: strace)"


def numbers(every: int) -> Iterator[int]:
    """1, 2, 3 …, or with gaps; the first is always there."""
    number = 1
    while True:
        yield number
        number += every


async def kill_everywhere(on_unknown: OnUnknown, every: int) -> bool:
    """Kill at every N until the process comes through; prints and gives whether all was well."""
    with tempfile.TemporaryDirectory() as name:
        async with kill_trial(Path(name), on_unknown) as trial:
            total = 0
            for system_call in SYSTEM_CALLS:
                kills = await _kill_all_of(trial, system_call, every)
                total += kills
                print(f"on_unknown={on_unknown}: {system_call:9} {kills:4} kills", flush=True)
            verdict = await trial.verdict()
    print(
        f"on_unknown={on_unknown}: {total} kills, lost {len(verdict.lost)}, doubled inside the "
        f"window {verdict.doubled_in_window}, outside {len(verdict.doubled)}, wrong "
        f"{len(verdict.wrong)}"
    )
    for line in (*verdict.lost, *verdict.doubled, *verdict.wrong):
        print(f"  {line}")
    return not (verdict.lost or verdict.doubled or verdict.wrong)


async def _kill_all_of(trial: KillTrial, system_call: str, every: int) -> int:
    for kills, number in enumerate(numbers(every)):
        if not await trial.kill(system_call, number):
            return kills
    raise AssertionError("unreachable")


def main() -> int:
    """The command; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", required=True, help="every N")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="every K-th N only")
    chosen = parser.parse_args()
    if why := missing():
        print(f"NOT CHECKED: {why}")
        return 1
    good = [asyncio.run(kill_everywhere(one, chosen.every)) for one in OnUnknown]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
