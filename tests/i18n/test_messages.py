"""Messages translated when they are read; foreign words in them never become commands."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from notifier.i18n.language import available_languages, load_language
from notifier.i18n.messages import Message, Piece, PieceKind, lazy, merge_pieces

WORDS = {"account": "ljubljana", "number": "3", "reply": "550 `rm` {number} <b>"}


def translated(sentence: Message, language: str = "en") -> list[tuple[str, str]]:
    pieces = merge_pieces(sentence.pieces(load_language(language)))
    return [(piece.kind.value, piece.text) for piece in pieces]


def test_a_message_has_words_commands_and_quotations() -> None:
    sentence = Message("{account}: mend it: `retry {number}`, as {reply}", tuple(WORDS.items()))

    assert translated(sentence) == [
        ("words", "ljubljana: mend it: "),
        ("command", "retry 3"),
        ("words", ", as "),
        ("quoted", "550 `rm` {number} <b>"),
    ]
    assert str(sentence) == "ljubljana: mend it: `retry 3`, as 550 `rm` {number} <b>"


def test_a_message_may_be_one_command() -> None:
    assert translated(Message("`notifier check`")) == [("command", "notifier check")]


def test_it_is_translated_into_another_language() -> None:
    sentence = lazy("No mail can be sent now: {reason}", reason="no route")

    assert translated(sentence, "sl") == [
        ("words", "Pošte trenutno ni mogoče pošiljati: "),
        ("quoted", "no route"),
    ]


@pytest.mark.parametrize("language", available_languages())
def test_a_placeholder_without_a_value_is_empty(language: str) -> None:
    assert (
        translated(Message("No mail can be sent now: {reason}"), language)[0][1]
        .rstrip()
        .endswith(":")
    )


@pytest.mark.parametrize("values", [{}, {"reason": 'a "quoted" `word`, š\n'}])
def test_it_comes_out_of_the_store_as_it_went_in(values: dict[str, str]) -> None:
    sentence = Message("No mail can be sent now: {reason}", tuple(values.items()))

    assert Message.load(sentence.dump()) == sentence


def test_characters_that_stores_refuse_are_replaced() -> None:
    assert lazy("{reply}", reply="550 \0 \ud800 š").values == (("reply", "550 ? ? š"),)


@pytest.mark.parametrize(
    "kept", ["the {list} cannot be `read`", "404", "[]", "{}", '{"message": 1}']
)
def test_a_text_of_an_older_version_stays_as_it_is(kept: str) -> None:
    assert str(Message.load(kept)) == kept


def test_adjacent_pieces_of_one_kind_are_joined() -> None:
    pieces: Iterable[Piece] = (
        Piece(PieceKind.WORDS, "a"),
        Piece(PieceKind.QUOTED, ""),
        Piece(PieceKind.WORDS, "b", "account"),
    )

    assert list(merge_pieces(iter(pieces))) == [Piece(PieceKind.WORDS, "ab")]
