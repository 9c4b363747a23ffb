"""All waiting orders as a workbook, with dates and numbers that a spreadsheet can sort.

Importing this module loads XlsxWriter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from io import BytesIO
from typing import Any

from babel.numbers import get_currency_precision, get_currency_symbol
from xlsxwriter import Workbook

from notifier.domain.columns import Column, Value, select_columns
from notifier.domain.digest import Digest, Entry
from notifier.domain.settings import MailOptions
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language, load_language
from notifier.mail.freeze import Attachment

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# A cell holds 32,767 UTF-16 units, and a character may need two.
LONGEST_CELL = 16_000
"""Limit in characters."""

# A spreadsheet stores a number as a double, and replaces further digits by zeros.
MOST_DIGITS = 15
"""Limit of digits; a longer number is written as text."""

_OPTIONS = {
    "constant_memory": True,  # one row at a time; 100,000 orders would need half a gigabyte
    # A second guard: only write() guesses formulas and links, and the cells below name their type.
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_WIDTHS = {"items": 60, "tracking": 20, "tracking_url": 32, "shipped": 17, "first_attempt": 17}
_NARROW, _WIDE = 12, 16
_MONEY = frozenset({"value", "cod"})
# The characters that a number format allows between the brackets of a currency.
_SYMBOL = re.compile(r"[^\[\]\-;\"\\]{1,8}")


def orders_xlsx(digest: Digest, options: MailOptions) -> Attachment:
    """Write every waiting order, in the columns of the CSV; the same digest makes the same bytes.

    No text becomes a formula or a link, not even when somebody edits its cell.
    """
    language = load_language(options.language)
    out = BytesIO()
    with Workbook(out, _OPTIONS) as book:
        # Otherwise the time of creation would change the bytes.
        midnight = datetime.combine(digest.day, time(), UTC).replace(tzinfo=None)
        book.set_properties({"title": clean(digest.account_name), "created": midnight})
        _write(book, digest, language, select_columns(options.columns))
    return Attachment(f"orders-{digest.day.isoformat()}.xlsx", CONTENT_TYPE, out.getvalue())


def _write(book: Workbook, digest: Digest, language: Language, columns: tuple[Column, ...]) -> None:
    entries = digest.present
    sheet = book.add_worksheet(_sheet_name(language))
    _lay_out(sheet, columns, len(entries), language)
    pen = _Pen(book, sheet, digest, language)
    pen.headings(columns)
    pen.rows(entries, columns)


def _sheet_name(language: Language) -> str:
    # Spreadsheets allow 31 characters, and none that has a meaning in formulas.
    return re.sub(r"[\[\]:*?/\\']", " ", language.gettext("To collect"))[:31].strip()


def _lay_out(sheet: Any, columns: tuple[Column, ...], rows: int, language: Language) -> None:
    """Fix the headings, add a filter to each, and print the whole width on one page."""
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, rows, len(columns) - 1)
    for index, column in enumerate(columns):
        heading = len(language.gettext(column.heading)) + 4  # the button of the filter, too
        usual = _NARROW if column.numeric else _WIDE
        sheet.set_column(index, index, max(heading, _WIDTHS.get(column.name, usual)))
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&R&P/&N")


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes cells, and makes each format only once."""

    book: Workbook
    sheet: Any
    digest: Digest
    language: Language
    formats: dict[str, Any] = field(default_factory=dict)

    def headings(self, columns: tuple[Column, ...]) -> None:
        style = self.book.add_format(
            {"bold": True, "bg_color": "#E8EDF3", "bottom": 1, "valign": "vcenter"}
        )
        for index, column in enumerate(columns):
            self.sheet.write_string(0, index, self.language.gettext(column.heading), style)

    def rows(self, entries: Iterable[Entry], columns: tuple[Column, ...]) -> None:
        for row, entry in enumerate(entries, 1):
            for index, column in enumerate(columns):
                self._cell(row, index, column.value(entry), self._numbers(column, entry))

    def _numbers(self, column: Column, entry: Entry) -> str:
        """Return the number format of a cell."""
        if column.name not in _MONEY:
            return "0"
        money = entry.order.cod if column.name == "cod" else entry.order.value
        return money_format(money.currency, self.language) if money else "0"

    def _cell(self, row: int, index: int, value: Value, numbers: str) -> None:
        sheet, plain = self.sheet, self._format
        match value:
            case None:
                return
            # Before int, of which bool is a subclass; datetime before date for the same reason.
            case bool():
                answer = self.language.gettext("yes") if value else self.language.gettext("no")
                sheet.write_string(row, index, answer)
            case int() | Decimal() if _fits(value):
                sheet.write_number(row, index, value, plain(numbers))
            case datetime():
                # A workbook knows no time zones.
                local = value.astimezone(self.digest.zone).replace(tzinfo=None)
                sheet.write_datetime(row, index, local, plain("yyyy-mm-dd hh:mm"))
            case date():
                sheet.write_datetime(row, index, value, plain("yyyy-mm-dd"))
            case _:
                text = clean(str(value), LONGEST_CELL)
                sheet.write_string(row, index, text, plain("@"))

    def _format(self, code: str) -> Any:
        if code not in self.formats:
            properties: dict[str, Any] = {"num_format": code}
            if code == "@":
                # Like a typed apostrophe: text stays text when somebody edits the cell.
                properties["quote_prefix"] = True
            self.formats[code] = self.book.add_format(properties)
        return self.formats[code]


def _fits(number: int | Decimal) -> bool:
    """Whether a spreadsheet keeps all digits of a number."""
    exact = Decimal(number)
    short = len(exact.as_tuple().digits) <= MOST_DIGITS
    return exact.is_finite() and short and abs(exact.adjusted()) <= MOST_DIGITS


def money_format(currency: str, language: Language) -> str:
    """Return the number format of a currency in a language: `#,##0.00 [$€]`."""
    symbol = get_currency_symbol(currency, locale=language.locale)
    digits = get_currency_precision(currency)
    number = "#,##0" + ("." + "0" * digits if digits else "")
    if not _SYMBOL.fullmatch(symbol):
        return number
    # "€ 5" or "5 €", as the language has it.
    leads = language.locale.currency_formats["standard"].pattern.startswith("¤")
    return f"[${symbol}]{number}" if leads else f"{number}\u00a0[${symbol}]"
