"""A progress line on a terminal; silent everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress


@contextmanager
def orders_read() -> Iterator[Callable[[int, int], None] | None]:
    """Show how many orders were read of how many; None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return

    with Progress(transient=True) as bar:
        task = bar.add_task("Reading orders", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
