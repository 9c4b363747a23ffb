"""Messages that are stored with their values, and translated when they are shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter

from notifier.i18n.foreign_text import storable
from notifier.i18n.language import SOURCE_LANGUAGE, Language, load_language

# The values that quote another program, or an English text of this one. Only these are marked as
# foreign in a mail; names, days and numbers read like the words around them.
_QUOTED = frozenset({"reason", "reply"})


class PieceKind(StrEnum):
    """The kind of a piece of a message."""

    WORDS = "words"
    COMMAND = "command"
    """To be typed exactly as shown."""
    QUOTED = "quoted"
    """The words of another program, in its own language."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a message, with the name of its placeholder if it is a value."""

    kind: PieceKind
    text: str
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the catalogs, with commands in backticks, and the values of its placeholders."""

    message: str
    values: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return the message in English, for the log and the commands."""
        return "".join(piece.text for piece in self.pieces(load_language(SOURCE_LANGUAGE), "`"))

    def pieces(self, language: Language, tick: str = "") -> Iterator[Piece]:
        """Yield the pieces of the translation, with `tick` before and after each command."""
        # Only backticks of the message make a command. Those of a value may come from a server,
        # which must not be able to show a person a command to type.
        values, kind = dict(self.values), PieceKind.WORDS
        for words, placeholder, _, _ in Formatter().parse(language.catalog.gettext(self.message)):
            for number, part in enumerate(words.split("`")):
                if number:
                    kind = PieceKind.WORDS if kind is PieceKind.COMMAND else PieceKind.COMMAND
                    yield Piece(kind, tick)
                yield Piece(kind, part)
            if placeholder:
                quoted = kind is PieceKind.WORDS and placeholder in _QUOTED
                value_kind = PieceKind.QUOTED if quoted else kind
                # A message of an older program may lack a value; the rest is still useful.
                yield Piece(value_kind, values.get(placeholder, ""), placeholder)

    def dump(self) -> str:
        """Return the message as text for the store."""
        return json.dumps({"message": self.message, "values": dict(self.values)})

    @classmethod
    def load(cls, text: str) -> Message:
        """Read the text of `dump`. Any other text was stored by an older program, and is quoted."""
        try:
            dumped = json.loads(text)
            return cls(dumped["message"], tuple(dumped["values"].items()))
        except (ValueError, TypeError, KeyError):
            return cls("{reason}", (("reason", text),))


def lazy(message: str, /, **values: object) -> Message:
    """Return a message of the catalogs, to be translated later.

    `tools/catalogs.py` finds the messages by the calls of this function. The values are cleaned, so
    that every store accepts them.
    """
    return Message(message, tuple((name, storable(str(value))) for name, value in values.items()))


def merge_pieces(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Join adjacent pieces of one kind, and drop empty ones."""
    kind, text = PieceKind.WORDS, ""
    for piece in pieces:
        if piece.text and piece.kind is not kind and text:
            yield Piece(kind, text)
            text = ""
        if piece.text:
            kind, text = piece.kind, text + piece.text
    if text:
        yield Piece(kind, text)
