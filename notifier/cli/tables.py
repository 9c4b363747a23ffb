"""Tables for a person: aligned to the terminal, complete when written to a file."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Sequence

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 10_000
LEAST_WIDTH = 24
"""Of a column whose cells may wrap."""
GAP = 3


def print_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numeric: frozenset[int] = frozenset(),
) -> None:
    """Print rows below headings; on a terminal long cells wrap, elsewhere nothing is cut.

    Numbers, dates and single words never break: where the terminal is too narrow for a row of
    them, its lines run on instead.
    """

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    least = 0
    for index, heading in enumerate(headings):
        cells = [heading, *(row[index] for row in rows)]
        whole = max(len(cell) for cell in cells)
        wraps = index not in numeric and any(" " in cell for cell in cells[1:])
        least += min(whole, LEAST_WIDTH if wraps else whole) + GAP
        table.add_column(
            heading,
            justify="right" if index in numeric else "left",
            overflow="fold",
            no_wrap=not wraps,
            min_width=min(whole, LEAST_WIDTH) if wraps else whole,
        )
    for row in rows:
        # As Text, so that brackets in a product's title are not taken for markup.
        table.add_row(*(Text(cell) for cell in row))
    # Written by click: rich ends the program when the reader goes away.
    page = Console(width=max(width, least), highlight=False, file=io.StringIO(), color_system=None)
    with page.capture() as drawn:
        page.print(table)
    lines = (line.rstrip() for line in drawn.get().splitlines())
    click.echo("\n".join(lines))
