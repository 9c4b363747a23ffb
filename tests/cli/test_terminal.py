"""Tables on terminals of any width."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

ROWS = [
    ("4400000001", "2026-11-23", "2 × Namizna svetilka LED, črna; 1 × Polnilnik USB-C 65 W, bel"),
    ("4400000301", "2026-11-22", "3 × Čajnik"),
]
PROGRAM = f"""
from notifier.cli.terminal import print_table
print_table(("Order", "First seen", "Items"), {ROWS!r}, numeric=frozenset({{0}}))
"""


@pytest.mark.parametrize("columns", [30, 60, 80, 200])
def test_numbers_and_dates_are_never_broken(columns: int) -> None:
    ours, theirs = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(columns)}
    subprocess.run([sys.executable, "-c", PROGRAM], stdout=theirs, env=environ, check=True)
    os.close(theirs)
    drawn = os.read(ours, 100_000).decode()
    os.close(ours)

    for order, day, items in ROWS:
        assert order in drawn
        assert day in drawn
        assert all(word in drawn for word in items.split())
    if columns >= 60:
        assert max(map(len, drawn.splitlines())) <= columns
