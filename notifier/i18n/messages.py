"""Sentences that are kept as what they mean, and told in whichever language is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter

from notifier.i18n.foreign_text import storable
from notifier.i18n.language import SOURCE_LANGUAGE, Language, load_language

_SAID = frozenset({"reason", "reply"})
"""Places of what somebody else said, or the program in its own English words."""


class PieceKind(StrEnum):
    """What a piece of a sentence is."""

    WORDS = "words"
    COMMAND = "command"
    """To be typed as it is."""
    SAID = "said"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a sentence; where it is no text of ours, it stands in a place of that name."""

    kind: PieceKind
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the catalogs, with commands in backticks, and what stands in its places."""

    message: str
    values: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """The sentence in English, as the log and the commands tell it."""
        return "".join(piece.text for piece in self.pieces(load_language(SOURCE_LANGUAGE), "`"))

    def pieces(self, language: Language, tick: str = "") -> Iterator[Piece]:
        """The sentence in a language; only its own backticks make a command, never a value's.

        `tick` stands on both sides of a command.
        """
        values, kind = dict(self.values), PieceKind.WORDS
        for words, place, _, _ in Formatter().parse(language.catalog.gettext(self.message)):
            for number, part in enumerate(words.split("`")):
                if number:
                    kind = PieceKind.WORDS if kind is PieceKind.COMMAND else PieceKind.COMMAND
                    yield Piece(kind, tick)
                yield Piece(kind, part)
            if place:
                is_said = kind is PieceKind.WORDS and place in _SAID
                yield Piece(PieceKind.SAID if is_said else kind, values.get(place, ""), place)

    def dump(self) -> str:
        """As text, for the store."""
        return json.dumps({"message": self.message, "values": dict(self.values)})

    @classmethod
    def load(cls, text: str) -> Message:
        """Of a text that was dumped; any other one, as the store had before, says itself."""
        try:
            said = json.loads(text)
            return cls(said["message"], tuple(said["values"].items()))
        except (ValueError, TypeError, KeyError):
            return cls("{reason}", (("reason", text),))


def lazy(message: str, /, **values: object) -> Message:
    """Make a message to be translated when it is read; the catalogs collect messages from here.

    Its values are cleaned, so that every store accepts them.
    """
    return Message(message, tuple((name, storable(str(value))) for name, value in values.items()))


def merged(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same with neighbours of one kind in one piece, and without empty ones."""
    kind, text = PieceKind.WORDS, ""
    for piece in pieces:
        if piece.text and piece.kind is not kind and text:
            yield Piece(kind, text)
            text = ""
        if piece.text:
            kind, text = piece.kind, text + piece.text
    if text:
        yield Piece(kind, text)
