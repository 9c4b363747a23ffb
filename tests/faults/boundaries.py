"""Kill `notifier run` at a named boundary, start it again twice, and look.

    python -m tests.faults.boundaries

Each kill is a day of its own in one world. The processes are forked from a server that has loaded
the program once, so that many are cheap.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpcore  # noqa: F401 - like the next ones, loaded once for all of the processes

import notifier.cli.build_context
import notifier.cli.terminal
import notifier.config
import notifier.services.tick  # noqa: F401
from notifier.boundaries import Boundary, listening
from notifier.cli.commands.run import run
from notifier.cli.context import Invocation
from notifier.domain.settings import OnUnknown
from notifier.services.due import RunRequest
from tests.acceptance.world import EVERYBODY, ZONE, World, open_world
from tests.faults.world import Verdict, check_world, collect, judge
from tests.store.processes import FORKS, PATIENCE_SECONDS

# There is one server for all tests; whoever starts it first starts it for everybody.
FORKS.set_forkserver_preload(["tests.store.processes", __name__])

FIRST_DAY = date(2026, 11, 21)
RESTARTS = ("06:40", "07:15")
"""Past the lease of a run (20 min) and of a message (24 min), each time."""

TRANSACTIONS = frozenset({Boundary.COMMITTING, Boundary.COMMITTED})
"""Reached many times in a run; the others once, or once for each recipient."""

WINDOW = frozenset({Boundary.ANSWERED})
"""Where the server has the message, and the store does not know it."""


@dataclass(slots=True)
class Mortal:
    """A world, and the day it is in it."""

    world: World
    on_unknown: OnUnknown
    today: date = FIRST_DAY
    days: list[date] = field(default_factory=list)

    async def die(self, at: Boundary, nth: int = 1) -> bool:
        """Live through a day in which the first process dies there; whether it came so far."""
        self.days.append(self.today)
        self.world.now = datetime.fromisoformat(f"{self.today}T06:05").replace(tzinfo=ZONE)
        died = await asyncio.to_thread(
            _die, str(self.world.config), self.world.now.astimezone(UTC), at, nth
        )
        with contextlib.redirect_stdout(io.StringIO()):
            for restart in RESTARTS:
                await self.world.run(str(self.today), at=restart)
        self.today += timedelta(days=1)
        return died

    async def check(self) -> int:
        """Fail unless every promise was kept on all the days so far; gives the forgiven copies."""
        evidence = await collect(self.world.location.url, self.world.smtp.accepted)
        return check_world(
            evidence, recipients=EVERYBODY, days=self.days, on_unknown=self.on_unknown
        )

    async def verdict(self) -> Verdict:
        """What became of all the days so far."""
        evidence = await collect(self.world.location.url, self.world.smtp.accepted)
        return judge(evidence, recipients=EVERYBODY, days=self.days, on_unknown=self.on_unknown)


@asynccontextmanager
async def mortal(folder: Path, on_unknown: OnUnknown) -> AsyncIterator[Mortal]:
    """A world in which one good day has passed."""
    async with open_world(folder, "quiet_day") as world:
        world.configure(('tls = "none"', f'tls = "none"\non_unknown = "{on_unknown}"'))
        with contextlib.redirect_stdout(io.StringIO()):
            await world.run(str(FIRST_DAY - timedelta(days=1)))
        yield Mortal(world, on_unknown)


def _die(config: str, now: datetime, at: Boundary, nth: int) -> bool:
    """Let a process run until it dies; False when it came through."""
    process = FORKS.Process(target=_run_and_die, args=(config, now, at, nth))
    process.start()
    process.join(PATIENCE_SECONDS)
    code = process.exitcode
    process.close()
    assert code in (0, 3, -signal.SIGKILL), f"{at} {nth}: exit code {code}"
    return code == -signal.SIGKILL


def _run_and_die(config: str, now: datetime, at: Boundary, nth: int) -> None:
    left = nth

    def kill(reached: Boundary) -> None:
        nonlocal left
        left -= reached is at
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    quiet = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until it dies
    sys.stdout = sys.stderr = quiet
    with listening(kill):
        code = asyncio.run(run(Invocation(Path(config), clock=lambda: now), (), RunRequest()))
    sys.exit(code)


def times(at: Boundary) -> Iterator[int]:
    """1, 2, 3 …: the times a boundary is reached in one run."""
    number = 0
    while True:
        number += 1
        yield number


async def die_everywhere(on_unknown: OnUnknown) -> tuple[int, Verdict]:
    """Die each time each boundary is reached; prints and gives how many kills, and the verdict."""
    kills = 0
    with tempfile.TemporaryDirectory() as name:
        async with mortal(Path(name), on_unknown) as it:
            for at in Boundary:
                here = 0
                for nth in times(at):
                    if not await it.die(at, nth):
                        break
                    here += 1
                print(f"on_unknown={on_unknown}: {at:12} {here:4} kills", flush=True)
                kills += here
            return kills, await it.verdict()


def main() -> int:
    """The command; 1 when a promise was broken."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    good = True
    for on_unknown in OnUnknown:
        kills, verdict = asyncio.run(die_everywhere(on_unknown))
        broken = (*verdict.lost, *verdict.doubled, *verdict.wrong)
        print(
            f"on_unknown={on_unknown}: {kills} kills, lost {len(verdict.lost)}, doubled inside "
            f"the window {verdict.doubled_in_window}, outside {len(verdict.doubled)}, wrong "
            f"{len(verdict.wrong)}",
            *broken,
            sep="\n  ",
        )
        good = good and not broken
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
