"""Values as TOML writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

_ESCAPED = {
    "\\": "\\\\",
    '"': '\\"',
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
}

Value = str | int | bool | time | Sequence[str]


def toml(value: Value) -> str:
    """One value, on one line; read by TOML it is the same value again."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case time():
            return f'"{value:%H:%M}"'
        case str():
            return f'"{"".join(_escaped(character) for character in value)}"'
        case _:
            return f"[{', '.join(toml(one) for one in value)}]"


def _escaped(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    return character if character.isprintable() else f"\\U{ord(character):08X}"
