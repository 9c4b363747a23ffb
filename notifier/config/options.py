"""The options of the schema: all of them in order, and the one at a path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import time
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from notifier.config.schema import Configuration
from notifier.config.toml import Where

Keys = Callable[[Where], Iterable[str]]
"""Returns the keys of the table at a path: which accounts and groups there are."""


def options(
    keys: Keys,
    section: type[BaseModel] = Configuration,
    at: Where = (),
) -> Iterator[tuple[Where, FieldInfo]]:
    """Yield every option below `section`; `keys` says which accounts and groups there are."""
    for name, option in section.model_fields.items():
        where = (*at, option.alias or name)
        inner, many = _section_in(option)
        if inner is None:
            yield where, option
        else:
            for table in [(*where, key) for key in keys(where)] if many else [where]:
                yield from options(keys, inner, table)


def section_at(where: Where) -> type[BaseModel] | None:
    """Return the section whose table is at `where`, None if no section is there."""
    section: type[BaseModel] | None = Configuration
    parts = iter(where)
    for part in parts:
        option = option_of(section, part)
        if option is None:
            return None
        section, many = _section_in(option)
        if many and next(parts, None) is None:
            return None
    return section


def option_of(section: type[BaseModel] | None, key: object) -> FieldInfo | None:
    """Return the option written as `key` in the table of a section."""
    fields = section.model_fields if section else {}
    return next((field for name, field in fields.items() if key == (field.alias or name)), None)


def example(option: FieldInfo) -> Any:
    """Return a value for an option: its example or, without one, its default."""
    return option.examples[0] if option.examples else option.default


def is_text(option: FieldInfo) -> bool:
    """Whether an option is written in quotes; others are numbers, booleans and lists."""
    return isinstance(example(option), str | time)


def is_table(option: FieldInfo) -> bool:
    """Whether an option is a table of options, or a table of such tables by name."""
    return _section_in(option)[0] is not None


def _section_in(option: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """Return the section an option is a table of, and whether it holds many of them by name."""
    kind = option.annotation
    many = get_origin(kind) is dict
    candidates = [get_args(kind)[1]] if many else [kind, *get_args(kind)]
    sections = (one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel))
    return next(sections, None), many
