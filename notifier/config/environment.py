"""Options from environment variables: NOTIFIER_SMTP__PORT stands over `port` in `[smtp]`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from notifier.config.layers import Layer, Place, Tree, put
from notifier.config.lines import Where
from notifier.config.options import Keys, is_text, options
from notifier.config.values import nearest
from notifier.errors import Problem

PREFIX = "NOTIFIER_"
DELIMITER = "__"
RESERVED = frozenset({"NOTIFIER_CONFIG"})
"""Variables that say something else than an option."""


def from_environment(environ: Mapping[str, str], keys: Keys) -> Layer:
    """What the environment says; it may change accounts and groups, but not add any."""
    tree: Tree = {}
    places: dict[Where, Place] = {}
    known = _variables(keys)
    for name in _ours(environ):
        if name in known:
            where, option = known[name]
            put(tree, where, _value(environ[name], option))
            places[where] = Place(name)
    return Layer(tree, places)


def unknown_variables(environ: Mapping[str, str], keys: Keys) -> Iterator[Problem]:
    """Each variable that looks like an option and is none: a misspelt one would be silent."""
    known = _variables(keys)
    for name in _ours(environ):
        if name not in known:
            guess = nearest(name.removeprefix(PREFIX), (one.removeprefix(PREFIX) for one in known))
            advice = f"did you mean {PREFIX}{guess}?" if guess else "take it out of the environment"
            yield Problem(name, None, "", f"is no option; {advice}")


def _ours(environ: Mapping[str, str]) -> list[str]:
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in RESERVED)


def _variables(keys: Keys) -> dict[str, tuple[Where, FieldInfo]]:
    return {variable(where): (where, option) for where, option in options(keys)}


def variable(where: Where) -> str:
    """The variable of an option. It cannot have hyphens, so that they are underscores there."""
    parts = (re.sub(r"[^A-Z0-9]", "_", str(part).upper()) for part in where)
    return PREFIX + DELIMITER.join(parts)


def _value(text: str, option: FieldInfo) -> Any:
    """Text as it is; numbers, booleans and lists as TOML writes them.

    What TOML cannot read stays text, and the schema says what it should have been.
    """
    if is_text(option):
        return text
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return read["value"] if len(read) == 1 else text
