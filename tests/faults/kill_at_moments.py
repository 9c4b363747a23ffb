"""Kill `notifier run` at named moments, start it again twice, and look.

    python -m tests.faults.kill_at_moments

One run is traced by strace, and `moments.py` finds the moments in it. Then strace kills another run
at each. It delivers SIGKILL when a call is entered, and the call is not made any more.

Each kill begins with a copy of the same folder, so that calls have the same numbers in every run.
What the killed run did last is read from its own trace and must be the call that was meant. The
processes are forked from a server that has loaded the program once, so that many are cheap.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from multiprocessing.connection import Connection
from pathlib import Path

import httpcore  # noqa: F401 - like the next ones, loaded once for all of the processes

import notifier.cli.build_context
import notifier.cli.terminal
import notifier.config
import notifier.services.tick  # noqa: F401
from notifier.cli.commands.run import run
from notifier.cli.context import Invocation
from notifier.domain.settings import OnUnknown
from notifier.services.due import RunRequest
from tests.acceptance.world import EVERYBODY, World
from tests.faults.kill import FIRST_DAY, KillTrial, missing, new_trial
from tests.faults.moments import changes_of_creation, moments_of_a_run, moments_of_creation
from tests.faults.trace import MAIN, Call, read_trace
from tests.faults.world import Verdict
from tests.neighbours.smtp import Accepted, Step, says
from tests.store.processes import FORKS, PATIENCE_SECONDS

# There is one server for all tests; whoever starts it first starts it for everybody.
FORKS.set_forkserver_preload(["tests.store.processes", __name__])

PR_SET_PTRACER = 0x59616D61
PR_SET_PTRACER_ANY = 2 ** (8 * ctypes.sizeof(ctypes.c_ulong)) - 1

TRIES = 5
"""The main thread wakes its own loop where the store was very quick. strace counts that too."""


@dataclass(slots=True)
class MomentTrial:
    """A world that can be put back to the same moment before the day of the trial."""

    trial: KillTrial
    saved: Path
    accepted: Sequence[Accepted]

    @property
    def world(self) -> World:
        return self.trial.world

    async def record(self) -> list[Call]:
        """Trace a whole run."""
        names = (
            "openat,close,connect,sendto,recvfrom,pwrite64,fdatasync,fsync,ftruncate,rename,unlink"
        )
        self._restore()
        code, calls = await self._strace("-f", "-e", f"trace={names}")
        assert code == 0
        return calls

    async def kill_at(self, meant: Call) -> Verdict:
        """Live through the day; its first run is killed when it enters this call."""
        for _ in range(TRIES):
            self._restore()
            code, calls = await self._strace(
                # Without -f strace sees the main thread alone: others also wake it by sendto.
                *(("-f",) if meant.thread != MAIN else ()),
                *(("-P", meant.opened) if meant.opened else ()),
                *("-e", f"trace={meant.name}"),
                *("-e", f"inject={meant.name}:signal=SIGKILL:when={meant.number}"),
            )
            assert code == -signal.SIGKILL, f"{meant} never came: exit code {code}"
            if calls[-1].purpose == meant.purpose:
                break
        else:
            raise AssertionError(f"killed at {calls[-1].purpose}, not at {meant.purpose}")
        await self.trial.go_on()
        return await self.trial.verdict()

    def _restore(self) -> None:
        trial = self.trial
        shutil.rmtree(trial.world.folder)
        shutil.copytree(self.saved, trial.world.folder)
        trial.world.smtp.accepted[:] = self.accepted
        trial.today, trial.days = FIRST_DAY, []
        trial.wake()

    async def _strace(self, *options: str) -> tuple[int, list[Call]]:
        """Run under strace; the exit code, negative for a signal, and what was traced."""
        written = self.saved.with_name("strace.out")
        # Strings at full length: a page of SQLite's has 4,096 bytes.
        whole = ("strace", "-yy", "-s", "5000", "-o", str(written))
        code = await _run_under((*whole, *options), self.world)
        lines = written.read_text(encoding="utf-8", errors="replace").splitlines()
        written.unlink()  # it tells of buyers and passwords
        return code, read_trace(lines)


async def _run_under(strace: Sequence[str], world: World) -> int:
    """Let a forked process run with strace attached; its exit code, negative for a signal."""
    ours, theirs = FORKS.Pipe()
    now = world.now.astimezone(UTC)
    process = FORKS.Process(target=_run, args=(theirs, str(world.config), now))
    process.start()
    theirs.close()
    try:
        ours.recv()
        tracer = await asyncio.create_subprocess_exec(
            *strace, "-p", str(process.pid), stderr=asyncio.subprocess.PIPE
        )
        assert tracer.stderr is not None
        said = await asyncio.wait_for(tracer.stderr.readline(), PATIENCE_SECONDS)
        assert b"attached" in said, said
        ours.send("begin")
        await asyncio.wait_for(tracer.communicate(), PATIENCE_SECONDS)
        process.join(PATIENCE_SECONDS)
        assert process.exitcode is not None
        return process.exitcode
    finally:
        ours.close()
        process.kill()
        process.join()
        process.close()


def _run(parent: Connection, config: str, now: datetime) -> None:
    """`notifier run` in a process of its own, which begins when it is traced."""
    # Where the kernel lets nobody but a parent trace (Yama), this lets everybody.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(PR_SET_PTRACER_ANY), 0, 0, 0)
    parent.send("ready")
    parent.recv()
    quiet = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until it dies
    sys.stdout = sys.stderr = quiet
    sys.exit(asyncio.run(run(Invocation(Path(config), clock=lambda: now), (), RunRequest())))


@asynccontextmanager
async def moment_trial(
    folder: Path, on_unknown: OnUnknown = OnUnknown.RESEND, *, first_run: bool = False
) -> AsyncIterator[MomentTrial]:
    """Open a world on the day after a mail was refused, so that the trial's day ends an alarm.

    With `first_run` there is no store yet.
    """
    home, saved = folder / "world", folder / "saved"
    home.mkdir()
    async with new_trial(home, on_unknown, scenario="quiet_day") as trial:
        if not first_run:
            trial.world.smtp.script(Step.RCPT, says("550 5.1.1 unknown"), only=EVERYBODY[-1])
            await trial.live_through_the_day_before()
        shutil.copytree(home, saved)
        yield MomentTrial(trial, saved, list(trial.world.smtp.accepted))


async def kill_everywhere(folder: Path, on_unknown: OnUnknown, *, first_run: bool) -> bool:
    """Kill at every moment, each time it comes; prints, and gives whether all was well.

    Of a store's first run: at every call that changes something until the store is made.
    """
    label = f"on_unknown={on_unknown}, first run" if first_run else f"on_unknown={on_unknown}"
    async with moment_trial(folder, on_unknown, first_run=first_run) as trial:
        calls = await trial.record()
        if first_run:
            hits, places = moments_of_creation(calls), changes_of_creation(calls)
        else:
            hits = moments_of_a_run(calls, trial.world.smtp.port)
            places = list(dict.fromkeys(one.call for one in hits))
        for moment, times in Counter(one.moment for one in hits).items():
            print(f"{label}: {moment:14} {times:3} times", flush=True)
        verdicts = [await trial.kill_at(one) for one in places]
    lost, doubled, wrong = (
        [line for one in verdicts for line in getattr(one, kind)]
        for kind in ("lost", "doubled", "wrong")
    )
    print(
        f"{label}: {len(places)} kills, lost {len(lost)}, doubled inside the window "
        f"{sum(one.doubled_in_window for one in verdicts)}, outside {len(doubled)}, "
        f"wrong {len(wrong)}",
        *(lost + doubled + wrong),
        sep="\n  ",
        flush=True,
    )
    return not (lost or doubled or wrong)


def main() -> int:
    """The command; 1 when a promise was broken."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if why := missing():
        print(f"NOT CHECKED: {why}")
        return 1
    good = []
    for on_unknown, first_run in (*product(OnUnknown, (False,)), (OnUnknown.RESEND, True)):
        with tempfile.TemporaryDirectory() as name:
            trial = kill_everywhere(Path(name), on_unknown, first_run=first_run)
            good.append(asyncio.run(trial))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
