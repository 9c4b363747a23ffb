"""Let system calls of `notifier run` fail: a disk that is full or broken, a network that is down.

    python -m tests.faults.errors
    python -m tests.faults.errors --every 5

Each failure is a day of its own in one world; `+` means that from this call on all of them fail.
However a run ends, it ends with an exit code of the documentation and without a traceback.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from notifier.domain.settings import OnUnknown
from notifier.errors import ExitCode
from tests.faults.kill import KillTrial, ended, kill_trial, missing, start

EXPECTED = frozenset(ExitCode) - {ExitCode.BUG, ExitCode.USAGE, ExitCode.CONFIG}

FAILURES = (
    *product(("pwrite64", "fdatasync", "ftruncate"), ("EIO", "ENOSPC")),
    *product(("connect",), ("ECONNREFUSED", "ETIMEDOUT")),
)
"""Not sendto and recvfrom: the event loop wakes itself over a socket, too, and one of these that is
cut is no fault there is."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One system call that fails, and from which time on."""

    system_call: str
    error: str
    number: int
    for_ever: bool = False

    def __str__(self) -> str:
        return f"{self.system_call} {self.error} {self.when}"

    @property
    def when(self) -> str:
        return f"{self.number}{'+' * self.for_ever}"


async def fail(trial: KillTrial, failure: Failure) -> bool:
    """Live through a day in which the first run meets it; whether it came so far."""
    trial.wake()
    traced, said = trial.world.folder / "strace.out", trial.world.folder / "stderr.out"
    inject = f"inject={failure.system_call}:error={failure.error}:when={failure.when}"
    with said.open("wb") as stderr:
        process = await start(
            trial.world,
            *("strace", "-f", "-o", str(traced), "-e", f"trace={failure.system_call}"),
            *("-e", inject),
            stderr=stderr.fileno(),
        )
        code = await ended(process)
    words = said.read_text(encoding="utf-8")
    assert code in EXPECTED, f"{failure}: exit code {code}: {words}"
    assert "Traceback" not in words, f"{failure}: {words}"
    await trial.go_on()
    return "(INJECTED)" in traced.read_text(encoding="utf-8")


async def fail_everywhere(on_unknown: OnUnknown, every: int) -> bool:
    """Fail at every N until a run does not come so far; prints and gives whether all was well."""
    total = 0
    with tempfile.TemporaryDirectory() as name:
        async with kill_trial(Path(name), on_unknown) as trial:
            for (system_call, error), for_ever in product(FAILURES, (False, True)):
                number, hits = 1, 0
                while await fail(trial, Failure(system_call, error, number, for_ever)):
                    number, hits = number + every, hits + 1
                which = f"{system_call} {error}{'+' * for_ever}"
                print(f"on_unknown={on_unknown}: {which:22} {hits:4} failures", flush=True)
                total += hits
            found = await trial.verdict()
    broken = (*found.lost, *found.doubled, *found.wrong)
    print(
        f"on_unknown={on_unknown}: {total} failures, lost {len(found.lost)}, doubled inside the "
        f"window {found.doubled_in_window}, outside {len(found.doubled)}, wrong {len(found.wrong)}",
        *broken,
        sep="\n  ",
    )
    return not broken


def main() -> int:
    """The command; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="K", help="every K-th N only")
    every = parser.parse_args().every
    if why := missing():
        print(f"NOT CHECKED: {why}")
        return 1
    good = [asyncio.run(fail_everywhere(one, every)) for one in OnUnknown]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
