"""Commands of the notifier, one after the other in one process, by a clock that stands.

python -m tests.faults.commands CONFIG 2026-11-21T05:05:00+00:00 < LINES

A line is what would be typed after `notifier`. After each its exit code is printed.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import shlex
import sys
import traceback
from datetime import datetime
from pathlib import Path

import click

from notifier.cli import LazyGroup
from notifier.cli.context import Invocation
from notifier.cli.entry import enter


def notifier_at(config: Path, moment: datetime) -> click.Command:
    """The command line of the notifier at a moment, its log always told in full."""

    @click.group(cls=LazyGroup)
    @click.pass_context
    def command(context: click.Context) -> None:
        context.obj = Invocation(config, verbose=True, clock=lambda: moment)
        context.obj.log_steps()

    return command


def main() -> None:
    """Do as we are told; a bug is shown as Python shows it."""
    command = notifier_at(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
    for line in sys.stdin:
        sys.argv[1:] = shlex.split(line)
        try:
            code = enter(command)
        except Exception:  # noqa: BLE001 - the next command has its turn
            traceback.print_exc()
            code = 1
        print(f"{line.strip()} -> {code}", flush=True)


if __name__ == "__main__":
    main()
