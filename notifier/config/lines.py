"""On which line of a TOML text each key and each list element stands.

`tomllib` gives values without their places, and a message that does not name the line makes
people search. The text is known to be valid TOML when it comes here, so this only has to find
its way through it, not to judge it.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left

Where = tuple[str | int, ...]
"""The way to a value: `("accounts", "ljubljana", "recipients", 2)`."""

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
    """The line, counted from 1, of every table, key and list element of a valid TOML text.

    A table opened by a header stands where its header is; one that is only implied, on the first
    line that implies it. Of an array of tables (`[[…]]`, which no option is) the last one counts.
    """
    walk = _Walk(text)
    walk.document()
    return walk.lines


class _Walk:
    """One pass over the tokens; each method reads one thing and stops behind it."""

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
            self.lines.setdefault(where, self._line)
            where = (*where, self._key_part())
        return where

    def _key_part(self) -> str:
        token = self._tokens[self._at]
        self._at += 1
        if token.lastgroup == "bare":
            return token[0]
        return str(tomllib.loads(f"key = {token[0]}")["key"])

    def _value(self, where: Where) -> None:
        if self._skipped("["):
            self._array(where)
        elif self._skipped("{"):
            self._inline_table(where)
        else:
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
        """What comes next; either kind of line break is a line feed."""
        return self._tokens[self._at][0].lstrip("\r")

    @property
    def _line(self) -> int:
        return bisect_left(self._newlines, self._tokens[self._at].start()) + 1

    def _skipped(self, *marks: str) -> bool:
        found = self._at < len(self._tokens) and self._ahead in marks
        self._at += found
        return found
