"""Foreign text is reduced to one visible line, and makes no link in a mail."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.i18n.foreign_text import MAX_LENGTH, clean, defang, foreign

# What mail programs turn into links: schemes, www, and host names that end in letters.
LINK = re.compile(
    r"(?i)\bhttps?:|\b(?!hxxps?:)\w+://|\bwww\.\S|\\\\|[\w)\]-]\.(?:[^\W\d_]{2,}|xn--\w+)(?![\w-])"
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("  two \t lines\r\nof text ", "two lines of text", id="white space"),
        pytest.param("order \u202e4321\u202c", "order 4321", id="bidi override"),
        pytest.param("ke\u200bttle\ufeff", "kettle", id="zero width"),
        pytest.param("a\x00b\x1b[31mc", "ab[31mc", id="controls"),
        pytest.param("C\u030carka", "Čarka", id="composed"),
        pytest.param("a\ud800b\ufdd0c\ue000", "abc", id="surrogates, no characters, private use"),
        pytest.param("\u0338>slash", ">slash", id="a mark that would join what stands before it"),
        pytest.param("one\u2028two\u00a0three", "one two three", id="line separator, hard space"),
        pytest.param(
            "👩\u200d🔬 lab\u200dcoat", "👩\u200d🔬 labcoat", id="joiner in an emoji only"
        ),
        pytest.param("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥", id="joiner after a variation"),
    ],
)
def test_invisible_characters_are_removed(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_long_text_ends_with_an_ellipsis() -> None:
    assert clean("x" * MAX_LENGTH) == "x" * MAX_LENGTH
    assert clean("x" * 10_000_000) == "x" * (MAX_LENGTH - 1) + "…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://evil.example/x", "hxxps://evil. example/x"),
        ("HTTP://EVIL.EXAMPLE", "hxxp://EVIL. EXAMPLE"),
        ("www.1st.example", "www. 1st. example"),
        ("ftp://a.example", "ftp: //a. example"),
        ("buyer@evil.example", "buyer@evil. example"),
        ("evil。example", "evil. example"),
        ("\\\\server\\share", "\\ \\server\\share"),
        ("Kettle 1.7 l, d.o.o., 10:30", "Kettle 1.7 l, d.o.o., 10:30"),
        ("10 kom.bela", "10 kom. bela"),
        ("ABC.DE-1", "ABC.DE-1"),
    ],
)
def test_no_address_is_left_for_a_mail_program_to_link(text: str, shown: str) -> None:
    assert defang(text) == shown


def test_an_address_hidden_by_invisible_characters_is_found() -> None:
    assert foreign("ht\u200btps://evil.\u2060example") == "hxxps://evil. example"


@pytest.mark.parametrize("length", range(MAX_LENGTH - 20, MAX_LENGTH + 1))
def test_text_cut_within_an_address_does_not_end_in_a_link(length: int) -> None:
    assert not LINK.search(foreign(f"{'x' * length} www.evil.com"))


@given(st.text())
def test_any_text_becomes_one_short_visible_line(text: str) -> None:
    shown = clean(text)

    assert len(shown) <= MAX_LENGTH
    assert shown == shown.strip()
    assert "  " not in shown
    assert unicodedata.is_normalized("NFC", shown)
    hidden = {c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn"}}
    assert hidden <= {"\u200d"}


PIECES = (
    *("https", "http", "www", ".", "://", "//", "evil", "example", "com", "xn--p1ai", "@"),
    *("\u200b", "\u202e", "。", "\\", "-", "1", " ", "č", "/", ":", ")"),
)


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_text_becomes_a_link(text: str) -> None:
    assert not LINK.search(foreign(text))


def test_what_is_cut_ends_in_no_address() -> None:
    assert foreign("x" * 194 + " www.evil.example") == "x" * 194 + " www…"
