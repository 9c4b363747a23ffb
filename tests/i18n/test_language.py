"""Messages, plural forms, dates and money of every language."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from notifier.i18n.language import Money, available_languages, load_language


def test_english_and_every_catalog_are_available() -> None:
    assert available_languages() == ("en", "cs", "hr", "hu", "pl", "sk", "sl")


def test_an_unknown_language_is_refused_with_the_available_ones() -> None:
    with pytest.raises(ValueError, match=r'no language "\.\./sl"; choose from: en, '):
        load_language("../sl")


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


@pytest.mark.parametrize(
    ("code", "one", "two", "five", "twenty_two"),
    [
        ("cs", "1 zásilka", "2 zásilky", "5 zásilek", "22 zásilek"),
        ("sk", "1 zásielka", "2 zásielky", "5 zásielok", "22 zásielok"),
        ("pl", "1 przesyłka", "2 przesyłki", "5 przesyłek", "22 przesyłki"),
        ("hr", "1 pošiljka", "2 pošiljke", "5 pošiljaka", "22 pošiljke"),
        ("hu", "1 átveendő csomag", "2 átveendő csomag", "5 átveendő csomag", "22 átveendő csomag"),
    ],
)
def test_each_language_counts_in_its_own_way(
    code: str, one: str, two: str, five: str, twenty_two: str
) -> None:
    language = load_language(code)

    counted = [
        language.ngettext("{count} parcel to collect", "{count} parcels to collect", count)
        for count in (1, 2, 5, 22)
    ]

    assert all(map(str.startswith, counted, (one, two, five, twenty_two)))


@pytest.mark.parametrize(("count", "days"), [(1, "1 day"), (2, "2 days"), (1000, "1,000 days")])
def test_english_counts_in_two_forms(count: int, days: str) -> None:
    assert load_language("en").ngettext("{count} day", "{count} days", count) == days


@pytest.mark.parametrize(
    ("code", "day", "full", "money", "list_"),
    [
        ("en", "2 Nov", "Monday, 2 November 2026", "€1,234.50", "a, b and c"),
        ("cs", "2. 11.", "pondělí 2. listopadu 2026", "1 234,50 €", "a, b a c"),
        ("hr", "2. stu", "ponedjeljak, 2. studenoga 2026.", "1.234,50 €", "a, b i c"),
        ("hu", "nov. 2.", "2026. november 2., hétfő", "1 234,50 EUR", "a, b és c"),
        ("pl", "2 lis", "poniedziałek, 2 listopada 2026", "1 234,50 €", "a, b i c"),
        ("sk", "2. 11.", "pondelok 2. novembra 2026", "1 234,50 €", "a, b a c"),
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
    assert language.enumeration(["a", "b", "c"]).replace("\u00a0", " ") == list_


def test_an_instant_is_shown_in_its_time_zone() -> None:
    language, late = load_language("en"), datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    zone = ZoneInfo("Europe/Ljubljana")

    assert language.day_in(late, zone) == "23\u00a0Nov"
    assert language.time_in(late, zone) == "00:30"


def test_a_currency_without_a_symbol_is_shown_by_its_code() -> None:
    assert "XQX" in load_language("sl").money(Money(Decimal(5), "XQX"))


@pytest.mark.parametrize("code", available_languages())
def test_an_absurd_sum_is_formatted_like_any_other(code: str) -> None:
    """As many pieces as an order may have, at the highest price, and all orders together."""
    shown = load_language(code).money(Money(Decimal(10) ** 40, "EUR"))

    assert sum(character.isdigit() for character in shown) == 43


@pytest.mark.parametrize(
    ("code", "amount", "shown"),
    [
        ("hu", "2499800", "2 499 800 Ft"),
        ("hu", "1249.50", "1 249,50 Ft"),
        ("en", "2499800", "HUF2,499,800"),
        ("sl", "1e30", "1.000.000.000.000.000.000.000.000.000.000 HUF"),
    ],
)
def test_forints_have_no_cents_unless_there_are_some(code: str, amount: str, shown: str) -> None:
    money = load_language(code).money(Money(Decimal(amount), "HUF"))

    assert money.replace("\u00a0", " ").replace("\u202f", " ") == shown
