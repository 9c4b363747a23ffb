"""Sentences kept as what they mean: told in each language, and never made of what others said."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from notifier.i18n.language import available_languages, load_language
from notifier.i18n.messages import Message, Piece, PieceKind, lazy, merge_pieces

WORDS = {"account": "ljubljana", "number": "3", "reply": "550 `rm` {number} <b>"}


def told(sentence: Message, language: str = "en") -> list[tuple[str, str]]:
    pieces = merge_pieces(sentence.pieces(load_language(language)))
    return [(piece.kind.value, piece.text) for piece in pieces]


def test_a_sentence_has_words_commands_and_what_others_said() -> None:
    sentence = Message("{account}: mend it: `retry {number}`, as {reply}", tuple(WORDS.items()))

    assert told(sentence) == [
        ("words", "ljubljana: mend it: "),
        ("command", "retry 3"),
        ("words", ", as "),
        ("quoted", "550 `rm` {number} <b>"),
    ]
    assert str(sentence) == "ljubljana: mend it: `retry 3`, as 550 `rm` {number} <b>"


def test_a_command_may_stand_first_and_alone() -> None:
    assert told(Message("`notifier check`")) == [("command", "notifier check")]


def test_it_is_told_in_another_language() -> None:
    sentence = lazy("No mail can be sent now: {reason}", reason="no route")

    assert told(sentence, "sl") == [
        ("words", "Pošte trenutno ni mogoče pošiljati: "),
        ("quoted", "no route"),
    ]


@pytest.mark.parametrize("language", available_languages())
def test_a_place_that_nothing_was_kept_for_is_empty(language: str) -> None:
    assert told(Message("No mail can be sent now: {reason}"), language)[0][1].rstrip().endswith(":")


@pytest.mark.parametrize("values", [{}, {"reason": 'a "quoted" `word`, š\n'}])
def test_it_comes_out_of_the_store_as_it_went_in(values: dict[str, str]) -> None:
    sentence = Message("No mail can be sent now: {reason}", tuple(values.items()))

    assert Message.load(sentence.dump()) == sentence


def test_what_no_store_or_terminal_takes_is_replaced() -> None:
    assert lazy("{reply}", reply="550 \0 \ud800 š").values == (("reply", "550 ? ? š"),)


@pytest.mark.parametrize(
    "kept", ["the {list} cannot be `read`", "404", "[]", "{}", '{"message": 1}']
)
def test_a_sentence_of_an_older_version_says_itself(kept: str) -> None:
    assert str(Message.load(kept)) == kept


def test_neighbours_of_one_kind_are_one_piece() -> None:
    pieces: Iterable[Piece] = (
        Piece(PieceKind.WORDS, "a"),
        Piece(PieceKind.QUOTED, ""),
        Piece(PieceKind.WORDS, "b", "account"),
    )

    assert list(merge_pieces(iter(pieces))) == [Piece(PieceKind.WORDS, "ab")]
