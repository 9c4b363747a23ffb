"""Options from environment variables: NOTIFIER_SMTP__PORT wins over `port` in `[smtp]`.

pydantic-settings could read variables too, but it ignores a misspelt one, adds an account for a
mistyped id, knows no hyphens in ids, and cannot say which variable holds a mistake.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.fields import FieldInfo

from notifier.config.layers import Layer, Place, Tree, put
from notifier.config.options import Keys, is_text, options
from notifier.config.toml import Where
from notifier.config.values import nearest
from notifier.errors import Problem

PREFIX = "NOTIFIER_"
DELIMITER = "__"
RESERVED = frozenset({"NOTIFIER_CONFIG"})
"""Variables that are no options."""


def from_environment(environ: Mapping[str, str], keys: Keys) -> Layer:
    """Read the options that variables set; they can change accounts and groups, but add none."""
    tree: Tree = {}
    places: dict[Where, Place] = {}
    # Names are built from the options and not taken apart: the name of a group may contain the
    # delimiter.
    known = _variables(keys)
    for name in _ours(environ):
        if name in known:
            where, option = known[name]
            put(tree, where, _value(environ[name], option))
            places[where] = Place(name)
    return Layer(tree, places)


def unknown_variables(environ: Mapping[str, str], keys: Keys) -> Iterator[Problem]:
    """Find variables that look like options and are none; a misspelt one would do nothing."""
    known = _variables(keys)
    for name in _ours(environ):
        if name not in known:
            guess = nearest(name.removeprefix(PREFIX), (one.removeprefix(PREFIX) for one in known))
            advice = f"did you mean {PREFIX}{guess}?" if guess else "remove it from the environment"
            yield Problem(name, None, "", f"is not an option; {advice}")


def _ours(environ: Mapping[str, str]) -> list[str]:
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in RESERVED)


def _variables(keys: Keys) -> dict[str, tuple[Where, FieldInfo]]:
    return {variable(where): (where, option) for where, option in options(keys)}


def variable(where: Where) -> str:
    """Name the variable of an option. Names cannot have hyphens, so those become underscores."""
    parts = (re.sub(r"[^A-Z0-9]", "_", str(part).upper()) for part in where)
    return PREFIX + DELIMITER.join(parts)


def _value(text: str, option: FieldInfo) -> Any:
    """Take text as it is, and read numbers, booleans and lists as TOML.

    What TOML cannot read stays text; the schema then says what it should have been.
    """
    if is_text(option):
        return text
    # TOML, because it is the language of the file: one way to write a list or a boolean.
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    # A line break in the variable could smuggle in further keys.
    return read["value"] if len(read) == 1 else text
