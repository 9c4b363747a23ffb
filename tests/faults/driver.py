"""`notifier run` as a process of its own, by a clock that stands where it is told.

python -m tests.faults.driver CONFIG 2026-11-21T05:05:00+00:00

It begins once it is told so: when its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path

import notifier.cli.assembly  # noqa: F401 - so that those who race have loaded all of it
from notifier.cli.context import Invocation
from notifier.cli.run import run
from notifier.run import Wish


def main(config: str, moment: str) -> int:
    """Run once; gives the exit code."""
    now = datetime.fromisoformat(moment)
    print("ready", flush=True)  # noqa: T201 - for who started this
    sys.stdin.read()
    return asyncio.run(run(Invocation(Path(config), clock=lambda: now), (), Wish()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
