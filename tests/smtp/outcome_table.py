"""The outcome table of docs/delivery.md, read from the page so that it cannot become wrong."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "delivery.md"


def read_table() -> dict[tuple[str, str], str]:
    """Return the outcome by phase and column."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| phase |"))
    _, *columns = _cells(lines[start])
    table: dict[tuple[str, str], str] = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        phase, *outcomes = _cells(line)
        table |= {(phase.strip("`"), c): o for c, o in zip(columns, outcomes, strict=True)}
    return table


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
