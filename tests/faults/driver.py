"""`notifier run` as a process of its own, by a clock that stands where it is told.

python -m tests.faults.driver CONFIG 2026-11-21T05:05:00+00:00 run

It begins once it is told so: when its standard input ends.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

import notifier.cli.build_context  # noqa: F401 - so that those who race have loaded all of it
from notifier.cli.commands.run import command as run
from notifier.cli.context import Invocation
from notifier.cli.entry import enter


@click.group
@click.argument("config", type=Path)
@click.argument("moment", type=datetime.fromisoformat)
@click.pass_context
def notifier_at(context: click.Context, config: Path, moment: datetime) -> None:
    """The command line of the notifier at a moment."""
    context.obj = Invocation(config, clock=lambda: moment)
    print("ready", flush=True)  # noqa: T201 - for who started this
    sys.stdin.read()


notifier_at.add_command(run, "run")

if __name__ == "__main__":
    sys.exit(enter(notifier_at))
