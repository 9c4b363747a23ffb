"""Languages: messages, plural forms, dates, numbers and money.

The source is in English. Every other language is one catalog,
`locale/<code>/LC_MESSAGES/notifier.po`, read without compiling. The forms of dates and money come
from Unicode's CLDR through Babel.
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

# Babel rounds in the current decimal context, whose 28 digits are too few for an absurd amount: a
# quadrillion pieces at a quadrillion each must not stop the day's mail.
_MAX_DIGITS = 60

# The CLDR writes the forint with two decimals, although the fillér is out of use.
_WITHOUT_CENTS = frozenset({"HUF"})


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (ISO 4217 code)."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Language:
    """One language. All results are plain text; dates and numbers have non-breaking spaces."""

    code: str
    locale: Locale
    catalog: NullTranslations

    def gettext(self, message: str, /, **values: object) -> str:
        """Translate a message and fill in its `{values}`."""
        return self.catalog.gettext(message).format(**values)

    def ngettext(self, singular: str, plural: str, count: int, /, **values: object) -> str:
        """Translate a message in the plural form of `count`, which is also its value `{count}`."""
        form = self.catalog.ngettext(singular, plural, count)
        return form.format(**({"count": self.number(count)} | values))

    def day(self, day: date) -> str:
        """Return day and short month, such as 22 Nov."""
        # A narrow column would otherwise put day and month on two lines.
        return format_skeleton("MMMd", day, locale=self.locale).replace(" ", "\u00a0")

    def full_day(self, day: date) -> str:
        """Return a whole date, such as Sunday, 22 November 2026."""
        return format_date(day, "full", locale=self.locale)

    def day_in(self, moment: datetime, zone: ZoneInfo) -> str:
        """Return the local day of an instant in `zone`."""
        return self.day(moment.astimezone(zone).date())

    def time_in(self, moment: datetime, zone: ZoneInfo) -> str:
        """Return hours and minutes of an instant in `zone`, such as 06:05."""
        return format_skeleton("Hm", moment, tzinfo=zone, locale=self.locale)

    def number(self, number: int) -> str:
        """Return an integer with a separator between thousands."""
        return format_decimal(number, locale=self.locale)

    def money(self, money: Money) -> str:
        """Return an amount with its currency, such as €19.90."""
        with localcontext(prec=_MAX_DIGITS):
            text = format_currency(money.amount, money.currency, locale=self.locale)
        if money.currency in _WITHOUT_CENTS:
            return text.replace(f"{self.decimal_symbol}00", "")
        return text

    def enumeration(self, parts: Sequence[str]) -> str:
        """Join texts, such as "one, two and three"."""
        return format_list(parts, locale=self.locale)

    @property
    def decimal_symbol(self) -> str:
        return get_decimal_symbol(self.locale)


def available_languages() -> tuple[str, ...]:
    """Return the codes of all languages, the source language first."""
    catalogs = LOCALE_FOLDER.glob(f"*/{CATALOG}")
    return (SOURCE_LANGUAGE, *sorted(path.parts[-3] for path in catalogs))


# Reading and compiling a catalog takes far longer than a translation.
@cache
def load_language(code: str) -> Language:
    """Return the language of this code; raises ValueError for an unknown one."""
    if code not in available_languages():
        raise ValueError(f'no language "{code}"; choose from: {", ".join(available_languages())}')
    return Language(code, Locale.parse(_LOCALES.get(code, code)), _read_catalog(code))


def _read_catalog(code: str) -> NullTranslations:
    # gettext reads compiled catalogs only. One compiled at build time can be older than its source,
    # so it is compiled in memory. That leaves out fuzzy messages, which are guesses.
    if code == SOURCE_LANGUAGE:
        return NullTranslations()
    with (LOCALE_FOLDER / code / CATALOG).open("rb") as file:
        catalog = read_po(file, locale=code)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)
