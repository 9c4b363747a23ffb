"""Tables for a person: aligned to the terminal, complete when written to a file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

WIDE = 10_000


def print_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numeric: frozenset[int] = frozenset(),
) -> None:
    """Print rows below headings; on a terminal long cells wrap, elsewhere nothing is cut."""
    from rich import box  # noqa: PLC0415 - `notifier --help` does without
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index in numeric else "left", overflow="fold")
    for row in rows:
        # As Text, so that brackets in a product's title are not taken for markup.
        table.add_row(*(Text(cell) for cell in row))
    Console(width=width, soft_wrap=False, highlight=False).print(table)
