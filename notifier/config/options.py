"""The options of the schema: all in order, the one at a path, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import time
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from notifier.config.layers import Layers
from notifier.config.schema import Configuration
from notifier.config.toml import Where, dotted, toml
from notifier.config.values import nearest
from notifier.errors import Problem

# pydantic's own texts speak of types of Python, which an operator need not know.
_MUST_BE = {
    "string_type": "must be text in quotes",
    "is_instance_of": "must be text in quotes",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "time_type": "must be a time of day in quotes",
    "list_type": "must be a list",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "enum": "must be one of {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must not be empty",
}

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


def _section_at(where: Where) -> type[BaseModel] | None:
    """Return the section whose table is at `where`, None if no section is there."""
    section: type[BaseModel] | None = Configuration
    parts = iter(where)
    for part in parts:
        option = _option_of(section, part)
        if option is None:
            return None
        section, many = _section_in(option)
        if many and next(parts, None) is None:
            return None
    return section


def _option_of(section: type[BaseModel] | None, key: object) -> FieldInfo | None:
    """Return the option written as `key` in the table of a section."""
    fields = section.model_fields if section else {}
    return next((field for name, field in fields.items() if key == (field.alias or name)), None)


def example(option: FieldInfo) -> Any:
    """Return a value for an option: its example or, without one, its default."""
    return option.examples[0] if option.examples else option.default


def is_text(option: FieldInfo) -> bool:
    """Whether an option is written in quotes; others are numbers, booleans and lists."""
    return isinstance(example(option), str | time)


def _is_table(option: FieldInfo) -> bool:
    """Whether an option is a table of options, or a table of such tables by name."""
    return _section_in(option)[0] is not None


def _section_in(option: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """Return the section an option is a table of, and whether it holds many of them by name."""
    kind = option.annotation
    many = get_origin(kind) is dict
    candidates = [get_args(kind)[1]] if many else [kind, *get_args(kind)]
    sections = (one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel))
    return next(sections, None), many


def problems_of(error: ValidationError, layers: Layers) -> Iterator[Problem]:
    """Describe each error of the schema with its place, never with the value of a secret."""
    # The input may be a secret.
    found = error.errors(include_url=False, include_input=False)
    # A misspelt option that is required would be reported twice: as unknown and as missing.
    misspelt = {
        _meant(_where(details)) for details in found if details["type"] == "extra_forbidden"
    }
    for details in found:
        where = _where(details)
        if details["type"] != "missing" or where not in misspelt:
            yield layers.problem(where, _wording(details, where))


def _where(details: ErrorDetails) -> Where:
    # pydantic adds "[key]" to the place of a wrong key of a table.
    return tuple(part for part in details["loc"] if part != "[key]")


def _wording(details: ErrorDetails, where: Where) -> str:
    limits = details.get("ctx", {})
    match details["type"]:
        case "missing":
            return f"is missing; write {_example(where)}"
        case "extra_forbidden":
            return _unknown(where)
        case "value_error":
            return str(limits["error"])
        case "too_long":
            return f"must not be more than {limits['max_length']}; remove some"
        case kind if kind in _MUST_BE:
            # pydantic quotes the values of an enum as Python does; TOML needs double quotes here.
            must_be = _MUST_BE[kind].format(**limits).replace("'", '"')
            return f"{must_be}; write {_example(where)}"
        case _:
            return f"{details['msg']}; write {_example(where)}"


def _example(where: Where) -> str:
    """Show what could be at `where`: a line, the element of a list, or a table in words."""
    *table, key = where
    if isinstance(key, int):
        option = _option_of(_section_at(tuple(table[:-1])), table[-1])
        return toml(example(option)[0]) if option else "text"
    option = _option_of(_section_at(tuple(table)), key)
    if option is None or (_is_table(option) and not option.examples):
        return f"[{dotted(where)}]"
    shown = example(option)
    return str(shown) if _is_table(option) else f"{key} = {toml(shown)}"


def _unknown(where: Where) -> str:
    """Suggest the option that an unknown key was meant to be, of this or another table."""
    if meant := _meant(where):
        return f'is not an option; did you mean "{meant[-1]}"?'
    # Only after the options of the same table, where a typo is likelier than a wrong table.
    elsewhere = _tables()
    if guess := nearest(str(where[-1]), elsewhere):
        return f'is not an option here; did you mean "{guess}" in [{elsewhere[guess]}]?'
    return f"is not an option; the options here are {', '.join(_keys(where[:-1]))}"


def _meant(where: Where) -> Where | None:
    """Return the option of the same table that an unknown key was most likely meant to be."""
    guess = nearest(str(where[-1]), _keys(where[:-1]))
    return (*where[:-1], guess) if guess else None


def _keys(table: Where) -> list[str]:
    section = _section_at(table)
    return [field.alias or name for name, field in section.model_fields.items()] if section else []


def _tables() -> dict[str, str]:
    """Map the name of each option to the first table that has it."""
    found: dict[str, str] = {}
    for where, _ in options(lambda table: ["ID" if table == ("accounts",) else "NAME"]):
        found.setdefault(str(where[-1]), ".".join(map(str, where[:-1])))
    return found
