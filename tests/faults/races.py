"""Several `notifier run` at the same moment on one store, round after round, a day each.

python -m tests.faults.races --rounds 25
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.world import EVERYBODY
from tests.faults.kill import KillTrial, ended, kill_trial, start
from tests.faults.world import Verdict
from tests.neighbours import postgres

PROCESSES = 6
STORES = ("sqlite", "postgresql")


async def race(trial: KillTrial, rounds: int) -> None:
    """Let six processes want the same, once a day; each ends well."""
    for _ in range(rounds):
        trial.wake()
        codes = await _all_at_once(trial)
        assert codes == [0] * PROCESSES, codes
        trial.next_day()


async def _all_at_once(trial: KillTrial) -> list[int]:
    pipe = asyncio.subprocess.PIPE
    racers = await asyncio.gather(*(start(trial.world, stdin=pipe) for _ in range(PROCESSES)))
    for racer in racers:
        assert racer.stdout is not None
        assert await racer.stdout.readline() == b"ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.close()
    return await asyncio.gather(*(ended(racer) for racer in racers))


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of a new store of that kind."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'notifier.db'}"
        return
    with postgres.running_cluster() as url:
        yield url


def missing(kind: str) -> str | None:
    """Why there can be no such store here; None when there can."""
    return postgres.missing() if kind == "postgresql" else None


async def _verdict(kind: str, rounds: int) -> tuple[Verdict, int]:
    with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as url:
        async with kill_trial(Path(name), store=url) as trial:
            await race(trial, rounds)
            return await trial.verdict(), len(trial.world.receivers)


def main() -> int:
    """The command; 1 when a promise was broken or could not be tried."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    rounds, good = parser.parse_args().rounds, True
    for kind in STORES:
        if why := missing(kind):
            print(f"NOT CHECKED: {kind}: {why}")
            good = False
            continue
        found, mails = asyncio.run(_verdict(kind, rounds))
        doubled = len(found.doubled) + found.doubled_in_window
        good = good and not (found.lost or doubled or found.wrong)
        print(
            f"{kind}: {rounds} rounds of {PROCESSES} processes, {mails} mails "
            f"(wanted: {(rounds + 1) * len(EVERYBODY)}), lost {len(found.lost)}, doubled {doubled}"
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
