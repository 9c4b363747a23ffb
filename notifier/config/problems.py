"""The schema's errors in plain words: what is wrong, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from notifier.config.layers import Layers
from notifier.config.options import example, is_table, option_of, options, section_at
from notifier.config.toml import Where, dotted, toml
from notifier.config.values import nearest
from notifier.errors import Problem

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


def problems_of(error: ValidationError, layers: Layers) -> Iterator[Problem]:
    """Describe each error of the schema with its place, never with the value of a secret."""
    found = error.errors(include_url=False, include_input=False)
    misspelt = {
        _meant(_where(details)) for details in found if details["type"] == "extra_forbidden"
    }
    for details in found:
        where = _where(details)
        if details["type"] != "missing" or where not in misspelt:
            yield layers.problem(where, _wording(details, where))


def _where(details: ErrorDetails) -> Where:
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
            return f"must not be more than {limits['max_length']}; take some out"
        case kind if kind in _MUST_BE:
            must_be = _MUST_BE[kind].format(**limits).replace("'", '"')
            return f"{must_be}; write {_example(where)}"
        case _:
            return f"{details['msg']}; write {_example(where)}"


def _example(where: Where) -> str:
    """Show what could be at `where`: a line, the element of a list, or a table in words."""
    *table, key = where
    if isinstance(key, int):
        option = option_of(section_at(tuple(table[:-1])), table[-1])
        return toml(example(option)[0]) if option else "text"
    option = option_of(section_at(tuple(table)), key)
    if option is None or (is_table(option) and not option.examples):
        return f"[{dotted(where)}]"
    shown = example(option)
    return str(shown) if is_table(option) else f"{key} = {toml(shown)}"


def _unknown(where: Where) -> str:
    """Say what an unknown key was meant to be: a misspelt option, or one of another table."""
    if meant := _meant(where):
        return f'is not an option; did you mean "{meant[-1]}"?'
    elsewhere = _tables()
    if guess := nearest(str(where[-1]), elsewhere):
        return f'is not an option here; did you mean "{guess}" in [{elsewhere[guess]}]?'
    return f"is not an option; the options here are {', '.join(_keys(where[:-1]))}"


def _meant(where: Where) -> Where | None:
    """Return the option of the same table that an unknown key was most likely meant to be."""
    guess = nearest(str(where[-1]), _keys(where[:-1]))
    return (*where[:-1], guess) if guess else None


def _keys(table: Where) -> list[str]:
    section = section_at(table)
    return [field.alias or name for name, field in section.model_fields.items()] if section else []


def _tables() -> dict[str, str]:
    """Map the name of each option to the first table that has it."""
    found: dict[str, str] = {}
    for where, _ in options(lambda table: ["ID" if table == ("accounts",) else "NAME"]):
        found.setdefault(str(where[-1]), ".".join(map(str, where[:-1])))
    return found
