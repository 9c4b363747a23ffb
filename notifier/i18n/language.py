"""One language: its messages, plural forms, dates, numbers and money.

English is the language of the source. Every other one is a catalog,
`locale/<code>/LC_MESSAGES/notifier.po`, read as it is: there is nothing to compile, and a new
language is one file. How dates and money are written comes from Unicode's CLDR, by Babel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, get_decimal_symbol

SOURCE_LANGUAGE = "en"
LOCALE_FOLDER = Path(__file__).parent / "locale"
CATALOG = Path("LC_MESSAGES") / "notifier.po"

# Plain "en" is American English in the CLDR; our shops are in Europe.
_LOCALES = {"en": "en_GB"}

# Babel rounds in the present context, whose 28 digits are not enough for what a seller may claim:
# a quadrillion pieces of a thing that costs a quadrillion must not cost the day's mail.
_MOST_DIGITS = 60

_WITHOUT_CENTS = frozenset({"HUF"})
"""The CLDR gives them two decimals, which nobody has written since the fillér was withdrawn."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (ISO 4217 code)."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Language:
    """One language. Messages have their values in braces; all results are plain text.

    Dates, numbers and money have non-breaking spaces in them.
    """

    code: str
    locale: Locale
    catalog: NullTranslations

    def gettext(self, message: str, /, **values: object) -> str:
        """The message in this language, with its values put in."""
        return self.catalog.gettext(message).format(**values)

    def ngettext(self, singular: str, plural: str, count: int, /, **values: object) -> str:
        """The form of the message that goes with `count`, which is also its value `{count}`."""
        form = self.catalog.ngettext(singular, plural, count)
        return form.format(**({"count": self.number(count)} | values))

    def day(self, day: date) -> str:
        """Day and short month: 22 Nov. It is not broken over two lines."""
        return format_skeleton("MMMd", day, locale=self.locale).replace(" ", "\u00a0")

    def full_day(self, day: date) -> str:
        """Sunday, 22 November 2026."""
        return format_date(day, "full", locale=self.locale)

    def day_in(self, moment: datetime, zone: ZoneInfo) -> str:
        """The day it was on the clocks of `zone`."""
        return self.day(moment.astimezone(zone).date())

    def time_in(self, moment: datetime, zone: ZoneInfo) -> str:
        """Hours and minutes on the clocks of `zone`: 06:05."""
        return format_skeleton("Hm", moment, tzinfo=zone, locale=self.locale)

    def number(self, number: int) -> str:
        """A whole number with its thousands apart."""
        return format_decimal(number, locale=self.locale)

    def money(self, money: Money) -> str:
        """An amount with its currency: €19.90."""
        with localcontext(prec=_MOST_DIGITS):
            text = format_currency(money.amount, money.currency, locale=self.locale)
        if money.currency in _WITHOUT_CENTS:
            return text.replace(f"{self.decimal_symbol}00", "")
        return text

    def enumeration(self, parts: Sequence[str]) -> str:
        """One, two and three."""
        return format_list(parts, locale=self.locale)

    @property
    def decimal_symbol(self) -> str:
        """What stands between units and tenths."""
        return get_decimal_symbol(self.locale)


def available_languages() -> tuple[str, ...]:
    """The codes of all languages, the source language first."""
    catalogs = LOCALE_FOLDER.glob(f"*/{CATALOG}")
    return (SOURCE_LANGUAGE, *sorted(path.parts[-3] for path in catalogs))


@cache
def load_language(code: str) -> Language:
    """The language of this code; raises ValueError when there is none."""
    if code not in available_languages():
        raise ValueError(f'no language "{code}"; there is: {", ".join(available_languages())}')
    return Language(code, Locale.parse(_LOCALES.get(code, code)), _read_catalog(code))


def _read_catalog(code: str) -> NullTranslations:
    """What gettext wants as a compiled file, made in memory; fuzzy translations are left out."""
    if code == SOURCE_LANGUAGE:
        return NullTranslations()
    with (LOCALE_FOLDER / code / CATALOG).open("rb") as file:
        catalog = read_po(file, locale=code)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)
