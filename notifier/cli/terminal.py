"""Tables and a progress line for people; nothing is cut when output goes to a file or pipe."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

# A pipe has no width, and a program that reads it needs whole cells.
UNLIMITED_WIDTH = 10_000
# Characters of a column whose cells may wrap; narrower ones are hard to read.
MIN_WRAPPED_WIDTH = 24
COLUMN_GAP = 3


def print_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numeric: frozenset[int] = frozenset(),
) -> None:
    """Print rows below headings; long cells wrap on a terminal.

    Numbers, dates and single words never break: on a terminal too narrow for them, lines are
    longer than the terminal is wide. `numeric` are the indices of right-aligned columns.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else UNLIMITED_WIDTH
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    min_width = 0
    for index, heading in enumerate(headings):
        cells = [heading, *(row[index] for row in rows)]
        longest = max(len(cell) for cell in cells)
        wraps = index not in numeric and any(" " in cell for cell in cells[1:])
        column_width = min(longest, MIN_WRAPPED_WIDTH) if wraps else longest
        min_width += column_width + COLUMN_GAP
        table.add_column(
            heading,
            justify="right" if index in numeric else "left",
            # rich would shorten a long word, so that people could not copy an address.
            overflow="fold",
            no_wrap=not wraps,
            min_width=column_width,
        )
    for row in rows:
        # As Text, so that brackets in a product's title are not taken for markup.
        table.add_row(*(Text(cell) for cell in row))
    # Captured and printed by click: rich itself ends the program when the reader goes away.
    console = Console(
        width=max(width, min_width), highlight=False, file=io.StringIO(), color_system=None
    )
    with console.capture() as drawn:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()))


@contextmanager
def reading_progress() -> Iterator[Callable[[int, int], None] | None]:
    """Yield a function that shows how many of how many orders are read; None without a terminal."""
    # Control characters of a progress bar would fill the journal.
    if not sys.stderr.isatty():
        yield None
        return
    with Progress(transient=True) as bar:
        task = bar.add_task("Reading orders", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
