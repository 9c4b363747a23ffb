"""Where settings come from: the layers, what each holds, and where each value was written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from notifier.config.lines import Where
from notifier.config.toml import toml
from notifier.errors import Problem

Tree = dict[str, Any]
"""Tables, lists and values as TOML knows them, keys included."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file; or, without a line, a file or an environment variable as a whole."""

    source: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source says, and where it says it."""

    tree: Tree = field(repr=False)
    places: Mapping[Where, Place]

    def place(self, where: Where) -> Place | None:
        """The place of `where`, or of the innermost thing around it that is written here."""
        around = (where[:length] for length in range(len(where), 0, -1))
        return next((self.places[outer] for outer in around if outer in self.places), None)

    def find(self, where: Where) -> Any:
        """The value at `where`, None if this layer says nothing about it."""
        found: Any = self.tree
        for part in where:
            if not isinstance(found, dict) or part not in found:
                return None
            found = found[part]
        return found

    def keys(self, where: Where) -> tuple[str, ...]:
        """The keys of the table at `where`, none if there is no table."""
        table = self.find(where)
        return tuple(table) if isinstance(table, dict) else ()


@dataclass(frozen=True, slots=True)
class Layers:
    """All that is said, the source that wins first; the last one is the file itself."""

    file_name: str
    layers: tuple[Layer, ...]

    def find(self, where: Where) -> Any:
        """The value that counts at `where`; a table is that of the first layer with one."""
        found = (layer.find(where) for layer in self.layers)
        return next((value for value in found if value is not None), None)

    def keys(self, *where: str) -> tuple[str, ...]:
        """The keys of a table, those of all layers together, as the file has them first."""
        tables = reversed([layer.keys(where) for layer in self.layers])
        return tuple(dict.fromkeys(key for table in tables for key in table))

    def problem(self, where: Where, message: str) -> Problem:
        """A problem with the value at `where`, told where that value was written."""
        places = (layer.place(where) for layer in self.layers)
        place = next((place for place in places if place), Place(self.file_name))
        return Problem(place.source, place.line, dotted(where), message)

    def sources(self, settings: type[BaseSettings]) -> tuple[PydanticBaseSettingsSource, ...]:
        """The layers as pydantic-settings wants them, to merge: the first that speaks wins."""
        return tuple(_Source(settings, layer.tree) for layer in self.layers)


class _Source(PydanticBaseSettingsSource):
    """A layer that has been read already, so that a missing file cannot go unnoticed."""

    def __init__(self, settings: type[BaseSettings], tree: Tree) -> None:
        super().__init__(settings)
        self._tree = tree

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Never asked: the whole tree is given at once."""
        raise NotImplementedError

    def __call__(self) -> Tree:
        return self._tree


def put(tree: Tree, where: Where, value: object) -> None:
    """Set one value, making the tables around it."""
    *tables, key = where
    for table in tables:
        tree = tree.setdefault(str(table), {})
    tree[str(key)] = value


def dotted(where: Where) -> str:
    """The way to a value as TOML writes it: `accounts.ljubljana.recipients[2]`, `groups."a.b"`."""
    return "".join(_written_parts(where)).removeprefix(".")


def _written_parts(where: Where) -> Iterator[str]:
    for part in where:
        if isinstance(part, int):
            yield f"[{part}]"
        else:
            yield f".{part}" if _BARE_KEY.fullmatch(part) else f".{toml(part)}"
