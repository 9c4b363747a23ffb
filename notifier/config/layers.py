"""The sources of the configuration, and where each value in them was written.

A layer holds the values of one source: the environment, the file, or the files of secrets. It also
records the line or variable of each value, which messages name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from notifier.config.toml import Where, dotted
from notifier.errors import Problem

Tree = dict[str, Any]
"""Tables, lists and values as TOML has them."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; without a line, an environment variable or a whole file."""

    source: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """The values of one source, and their places."""

    tree: Tree = field(repr=False)
    places: Mapping[Where, Place]

    def place(self, where: Where) -> Place | None:
        """Find the place of `where`, or of the innermost table or list around it."""
        # A missing option has no line of its own, so its table's line is named.
        around = (where[:length] for length in range(len(where), 0, -1))
        return next((self.places[outer] for outer in around if outer in self.places), None)

    def find(self, where: Where) -> Any:
        """Return the value at `where`, None if this source does not set it."""
        found: Any = self.tree
        for part in where:
            if not isinstance(found, dict) or part not in found:
                return None
            found = found[part]
        return found

    def keys(self, where: Where) -> tuple[str, ...]:
        """Return the keys of the table at `where`, none if there is no table."""
        table = self.find(where)
        return tuple(table) if isinstance(table, dict) else ()


@dataclass(frozen=True, slots=True)
class Layers:
    """All sources, the one that wins first; the last one is the file."""

    file_name: str
    layers: tuple[Layer, ...]

    def find(self, where: Where) -> Any:
        """Return the value in force at `where`; for a table, that of the first layer with one."""
        found = (layer.find(where) for layer in self.layers)
        return next((value for value in found if value is not None), None)

    def text(self, where: Where) -> str | None:
        """Return the value in force at `where` if it is text; the schema refuses all else."""
        value = self.find(where)
        return value if isinstance(value, str) else None

    def keys(self, *where: str) -> tuple[str, ...]:
        """Return the keys of a table from all layers, those of the file first."""
        # The file is the last layer, but people know its accounts in the sequence of the file.
        tables = reversed([layer.keys(where) for layer in self.layers])
        return tuple(dict.fromkeys(key for table in tables for key in table))

    def problem(self, where: Where, message: str) -> Problem:
        """Describe a problem with the value at `where`, with the place it was written at."""
        places = (layer.place(where) for layer in self.layers)
        place = next((place for place in places if place), Place(self.file_name))
        return Problem(place.source, place.line, dotted(where), message)


def put(tree: Tree, where: Where, value: object) -> None:
    """Set one value, making the tables around it."""
    *tables, key = where
    for table in tables:
        tree = tree.setdefault(str(table), {})
    tree[str(key)] = value
