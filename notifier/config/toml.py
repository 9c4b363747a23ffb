"""TOML text: the line each value is on, and how to write a value.

`tomllib` returns values without their places, and a message without a line number makes people
search for the mistake.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import time

Where = tuple[str | int, ...]
"""The path of a value: `("accounts", "ljubljana", "recipients", 2)`."""

Value = str | int | bool | time | Sequence[str]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# The sequence matters: three quotes must be tried before one.
_TOKEN = re.compile(
    r'''
    (?P<blank>   [ \t]+ | \#[^\n]* )
  | (?P<newline> \r?\n )
  | (?P<quoted>  """(?:\\.|[^\\])*?"{3,5} | \'{3}.*?\'{3,5} | "(?:\\.|[^"\\])*" | '[^']*' )
  | (?P<mark>    [\[\]{}=,.] )
  | (?P<bare>    [^\s\[\]{}=,.\#"']+ )
    ''',
    re.VERBOSE | re.DOTALL,
)


def lines_of(text: str) -> dict[Where, int]:
    """Return the line, counted from 1, of every table, key and list element of valid TOML.

    A table is on the line of its header or, without one, on the first line that implies it. In an
    array of tables (`[[…]]`, which no option is) the last one wins.
    """
    walk = _Walk(text)
    walk.document()
    return walk.lines


class _Walk:
    """One pass over the tokens of a text that `tomllib` has accepted, so nothing is checked again.

    Each method reads one thing and stops behind it.
    """

    def __init__(self, text: str) -> None:
        self.lines: dict[Where, int] = {}
        self._newlines = [found.start() for found in re.finditer("\n", text)]
        self._tokens = [token for token in _TOKEN.finditer(text) if token.lastgroup != "blank"]
        self._at = 0

    def document(self) -> None:
        table: Where = ()
        while self._at < len(self._tokens):
            if self._ahead == "[":
                table = self._header()
            elif not self._skipped("\n"):
                self._pair(table)

    def _header(self) -> Where:
        line = self._line
        while self._skipped("["):
            pass
        where = self._key(())
        self.lines[where] = line
        while self._skipped("]"):
            pass
        return where

    def _pair(self, table: Where) -> None:
        line = self._line
        where = self._key(table)
        self.lines[where] = line
        self._skipped("=")
        self._value(where)

    def _key(self, table: Where) -> Where:
        where = (*table, self._key_part())
        while self._skipped("."):
            # The table of a dotted key may have a header of its own, which is the better place.
            self.lines.setdefault(where, self._line)
            where = (*where, self._key_part())
        return where

    def _key_part(self) -> str:
        token = self._tokens[self._at]
        self._at += 1
        if token.lastgroup == "bare":
            return token[0]
        # The library decodes the escapes of a quoted key.
        return str(tomllib.loads(f"key = {token[0]}")["key"])

    def _value(self, where: Where) -> None:
        if self._skipped("["):
            self._array(where)
        elif self._skipped("{"):
            self._inline_table(where)
        else:
            # A number or time can be several tokens (1.5), so everything up to its end is skipped.
            while self._at < len(self._tokens) and self._ahead not in {"\n", ",", "]", "}"}:
                self._at += 1

    def _array(self, where: Where) -> None:
        index = 0
        while not self._skipped("]"):
            if not self._skipped("\n", ","):
                self.lines[(*where, index)] = self._line
                self._value((*where, index))
                index += 1

    def _inline_table(self, where: Where) -> None:
        while not self._skipped("}"):
            if not self._skipped("\n", ","):
                self._pair(where)

    @property
    def _ahead(self) -> str:
        """The next token; both kinds of line break are a line feed."""
        return self._tokens[self._at][0].lstrip("\r")

    @property
    def _line(self) -> int:
        return bisect_left(self._newlines, self._tokens[self._at].start()) + 1

    def _skipped(self, *marks: str) -> bool:
        found = self._at < len(self._tokens) and self._ahead in marks
        self._at += found
        return found


_ESCAPED = {
    "\\": "\\\\",
    '"': '\\"',
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
}


def toml(value: Value) -> str:
    """Write one value on one line, so that TOML reads the same value again."""
    match value:
        # Before int, because True is an int as well.
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


def dotted(where: Where) -> str:
    """Write a path as TOML does: `accounts.ljubljana.recipients[2]`, `groups."a.b"`."""
    return "".join(_written_parts(where)).removeprefix(".")


def _written_parts(where: Where) -> Iterator[str]:
    for part in where:
        if isinstance(part, int):
            yield f"[{part}]"
        else:
            yield f".{part}" if _BARE_KEY.fullmatch(part) else f".{toml(part)}"
