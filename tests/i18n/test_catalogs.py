"""Every catalog is complete, and keeps the values and the typography of its messages."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from notifier.i18n.language import SOURCE_LANGUAGE, Language, available_languages, load_language
from tools.catalogs import extract, is_settled, read

TRANSLATED = [code for code in available_languages() if code != SOURCE_LANGUAGE]
each_catalog = pytest.mark.parametrize("code", TRANSLATED)

GLOSSARIES = Path(__file__).parents[2] / "docs" / "glossary"
COUNTS = (*range(206), 1000, 1001, 1002, 1003, 1005, 100_000)
WITHOUT_WORDS = {"{title} – {account}, {day}", "{oldest} – {place}"}


def forms(message: Message) -> list[str]:
    string_ = message.string
    return [string_] if isinstance(string_, str) else list(string_ or ())


def ids(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


COMMAND = re.compile(r"`[^`]*`")


def translations(code: str) -> Iterator[tuple[str, str]]:
    """Yield every form of every message, with its original."""
    for message in read(code):
        if message.id:
            for form in forms(message):
                yield ids(message)[-1], form


def values(text: str) -> Counter[tuple[str, str | None, str | None]]:
    """Return the values of a text with their formats, and how often each occurs."""
    parsed = string.Formatter().parse(text)
    return Counter((name, spec, how) for _, name, spec, how in parsed if name is not None)


@each_catalog
def test_a_catalog_has_every_message_and_no_other(code: str) -> None:
    """`python -m tools.catalogs` brings them up to date."""
    meant = {str(message.id) for message in extract() if message.id}

    assert {str(message.id) for message in read(code) if message.id} == meant


@each_catalog
def test_every_message_is_translated_in_all_its_plural_forms(code: str) -> None:
    catalog = read(code)

    assert [message.id for message in catalog if message.id and not is_settled(message)] == []
    plurals = [message for message in catalog if message.id and message.pluralizable]
    assert [m.id for m in plurals if len(forms(m)) != catalog.num_plurals] == []


@each_catalog
def test_no_message_is_left_in_english(code: str) -> None:
    originals = {original for message in read(code) for original in ids(message)}

    left = {form for _, form in translations(code) if form in originals}

    assert left <= WITHOUT_WORDS


@each_catalog
def test_a_translation_has_the_values_of_its_message(code: str) -> None:
    """As often as the message has them, in the same format."""
    assert [
        (original, form)
        for original, form in translations(code)
        if values(form) != values(original)
    ] == []


@each_catalog
def test_plural_forms_are_those_of_unicode(code: str) -> None:
    """And every form is used by some number."""
    language = load_language(code)
    for message in read(code):
        if not message.pluralizable:
            continue
        singular, plural = ids(message)
        got = {
            (language.locale.plural_form(count), language.catalog.ngettext(singular, plural, count))
            for count in COUNTS
        }
        assert len(got) == len({category for category, _ in got}), message.id
        assert {form for _, form in got} == set(forms(message))


def ending(text: str) -> str:
    return text[-1] if text[-1] in ".:!?…}" else ""


def alike(ending_: str, other: str) -> bool:
    """A value may come last in one language and not in another."""
    return ending_ == other or "}" in (ending_, other)


@each_catalog
def test_a_translation_ends_with_the_same_punctuation(code: str) -> None:
    """No other test notices a missing full stop or an extra space."""
    assert [
        (original, form)
        for original, form in translations(code)
        if form != form.strip() or not alike(ending(form), ending(original))
    ] == []


def filled(text: str, original: str, language: Language) -> str:
    """Return the text with dates of its language and plain other values.

    With a time zone the date is a whole one, with the day of the week.
    """
    on = date(2026, 11, 22)
    day = language.full_day(on) if "{zone}" in original else language.day(on)
    times = {name: f"{day}, 13:00" for name in ("time", "begin", "end") if name in text}
    plain = {name: "5" for name, _, _ in values(text)}
    return text.format(**plain | times | {"day": day, "days": day})


@each_catalog
def test_an_inserted_date_makes_no_double_full_stop_and_no_gap(code: str) -> None:
    """In some languages a date ends with a full stop of its own: 22. nov."""
    texts = [filled(form, original, load_language(code)) for original, form in translations(code)]

    assert [text for text in texts if re.search(r"\.\.|\s\s|\s[.,;:!?]|\(\s|\s\)", text)] == []


@each_catalog
def test_a_text_that_begins_with_a_capital_does_so_with_values(code: str) -> None:
    """A heading that begins with a short month, nov. 21., would begin with a small letter."""
    language = load_language(code)

    small = [
        form
        for original, form in translations(code)
        if original.split()[0].istitle() and filled(form, original, language)[0].islower()
    ]

    assert small == []


@each_catalog
def test_a_label_within_a_line_begins_with_a_small_letter_like_its_message(code: str) -> None:
    assert [
        form
        for original, form in translations(code)
        if original[0].islower() and not form[0].islower() and form[0] != "{"
    ] == []


@each_catalog
def test_commands_are_the_same_in_every_language(code: str) -> None:
    assert [
        (original, form)
        for original, form in translations(code)
        if sorted(COMMAND.findall(form)) != sorted(COMMAND.findall(original))
    ] == []


@each_catalog
def test_a_translation_has_typographic_quotes_and_dashes(code: str) -> None:
    """Quotation marks, dashes and ellipses are those of the language."""
    assert [
        form
        for _, form in translations(code)
        if re.search(r"[\"'`´]|\.\.\.| - |--", COMMAND.sub("", form))
    ] == []


@pytest.mark.parametrize(
    ("code", "quoted"),
    [
        ("en", "“office”"),
        ("cs", "„office“"),
        ("hr", "„office”"),
        ("hu", "„office”"),
        ("pl", "„office”"),
        ("sk", "„office“"),
        ("sl", "»office«"),
    ],
)
def test_a_quoted_name_has_the_quotation_marks_of_the_language(code: str, quoted: str) -> None:
    text = load_language(code).gettext(
        "You get this mail because you are in the contact group “{group}”.", group="office"
    )

    assert quoted in text


def glossary(code: str) -> dict[str, str]:
    """The words of a language's glossary by the English ones."""
    rows = (GLOSSARIES / f"{code}.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in row.split("|")[1:4]] for row in rows if row.startswith("| ")]
    return {english: word for english, word, _ in cells[1:]}


def test_every_language_has_a_glossary_of_the_same_words() -> None:
    assert {path.stem for path in GLOSSARIES.glob("*.md")} == set(TRANSLATED)
    assert len({frozenset(glossary(code)) for code in TRANSLATED}) == 1
    assert all(all(glossary(code).values()) for code in TRANSLATED)


@pytest.mark.parametrize(
    ("english", "message"),
    [
        ("cash on delivery", "Cash on delivery"),
        ("currency", "Currency"),
        ("first delivery attempt", "First delivery attempt"),
        ("first seen", "First seen"),
        ("days waiting", "Days waiting"),
        ("overdue", "Overdue"),
        ("order", "Order"),
        ("place of return", "Place to collect"),
        ("pickup password", "Pickup password: {password}"),
        ("shipped", "Shipped"),
        ("to collect", "To collect"),
        ("tracking number", "Tracking number"),
        ("value", "Value"),
    ],
)
@each_catalog
def test_a_word_of_the_glossary_is_the_one_in_the_mail(
    code: str, english: str, message: str
) -> None:
    translation = load_language(code).catalog.gettext(message)

    assert glossary(code)[english].casefold() in translation.casefold()
