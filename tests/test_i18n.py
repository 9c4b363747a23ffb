"""Messages, plural forms, dates and money of every language."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Message

from notifier.i18n import SOURCE_LANGUAGE, available_languages, load_language
from notifier.orders import Money
from tools.catalogs import extract, is_settled, read

TRANSLATED = [code for code in available_languages() if code != SOURCE_LANGUAGE]


def forms(message: Message) -> list[str]:
    string_ = message.string
    return [string_] if isinstance(string_, str) else list(string_ or ())


def ids(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_english_is_there_without_a_catalog_and_slovenian_with_one() -> None:
    assert available_languages()[0] == "en"
    assert "sl" in available_languages()


def test_an_unknown_language_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r'no language "\.\./sl"; there is: en, '):
        load_language("../sl")


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalog_has_every_message_and_no_other(code: str) -> None:
    """`python -m tools.catalogs` brings them up to date."""
    meant = {str(message.id) for message in extract() if message.id}

    assert {str(message.id) for message in read(code) if message.id} == meant


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_message_is_translated_in_all_its_plural_forms(code: str) -> None:
    catalog = read(code)

    assert [message.id for message in catalog if message.id and not is_settled(message)] == []
    plurals = [message for message in catalog if message.id and message.pluralizable]
    assert [m.id for m in plurals if len(forms(m)) != catalog.num_plurals] == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_has_the_values_of_its_message(code: str) -> None:
    different = [
        (message.id, form)
        for message in read(code)
        if message.id
        for form in forms(message)
        if values(form) != values(ids(message)[-1])
    ]

    assert different == []


@pytest.mark.parametrize(
    ("count", "parcels", "new"),
    [
        (0, "0 pošiljk za prevzem", "0 novih"),
        (1, "1 pošiljka za prevzem", "1 nova"),
        (2, "2 pošiljki za prevzem", "2 novi"),
        (3, "3 pošiljke za prevzem", "3 nove"),
        (4, "4 pošiljke za prevzem", "4 nove"),
        (5, "5 pošiljk za prevzem", "5 novih"),
        (11, "11 pošiljk za prevzem", "11 novih"),
        (101, "101 pošiljka za prevzem", "101 nova"),
        (102, "102 pošiljki za prevzem", "102 novi"),
        (1203, "1.203 pošiljke za prevzem", "1.203 nove"),
    ],
)
def test_slovenian_counts_in_four_forms(count: int, parcels: str, new: str) -> None:
    slovenian = load_language("sl")

    assert (
        slovenian.ngettext("{count} parcel to collect", "{count} parcels to collect", count)
        == parcels
    )
    assert slovenian.ngettext("{count} new", "{count} new", count) == new


@pytest.mark.parametrize(("count", "days"), [(1, "1 day"), (2, "2 days"), (1000, "1,000 days")])
def test_english_counts_in_two_forms(count: int, days: str) -> None:
    assert load_language("en").ngettext("{count} day", "{count} days", count) == days


@pytest.mark.parametrize(
    ("code", "day", "full", "money", "list_"),
    [
        ("en", "2 Nov", "Monday, 2 November 2026", "€1,234.50", "a, b and c"),
        ("sl", "2. nov.", "ponedeljek, 2. november 2026", "1.234,50 €", "a, b in c"),
    ],
)
def test_dates_and_money_are_written_as_people_there_write_them(
    code: str, day: str, full: str, money: str, list_: str
) -> None:
    language = load_language(code)
    on = date(2026, 11, 2)

    assert language.day(on).replace("\u00a0", " ") == day
    assert language.full_day(on) == full
    assert language.money(Money(Decimal("1234.5"), "EUR")).replace("\u00a0", " ") == money
    assert language.enumeration(["a", "b", "c"]) == list_


def test_an_instant_is_told_on_the_clocks_of_its_zone() -> None:
    language, late = load_language("en"), datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    zone = ZoneInfo("Europe/Ljubljana")

    assert language.day_in(late, zone) == "23\u00a0Nov"
    assert language.time_in(late, zone) == "00:30"


def test_a_currency_babel_has_no_sign_for_is_told_by_its_code() -> None:
    assert "XQX" in load_language("sl").money(Money(Decimal(5), "XQX"))


@pytest.mark.parametrize("code", available_languages())
def test_an_absurd_sum_is_told_like_any_other(code: str) -> None:
    """As many pieces as an order may have, at the highest price, and all orders together."""
    told = load_language(code).money(Money(Decimal(10) ** 40, "EUR"))

    assert sum(character.isdigit() for character in told) == 43
