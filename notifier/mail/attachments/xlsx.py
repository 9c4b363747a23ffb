"""Everything that waits, as a workbook: dates, numbers and money that a spreadsheet can sort."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any

from babel.numbers import get_currency_precision, get_currency_symbol

from notifier.domain.columns import Column, Value, select_columns
from notifier.domain.digest import Digest, Entry
from notifier.errors import ExtraMissing
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language, load_language
from notifier.mail.freeze import Attachment

if TYPE_CHECKING:
    from xlsxwriter import Workbook

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

LONGEST_CELL = 16_000
"""Characters. A cell holds 32,767 UTF-16 units, of which a character may be two."""

MOST_DIGITS = 15
"""That a number of a spreadsheet has; one with more is written as text, and loses none."""

_OPTIONS = {
    "constant_memory": True,  # a row at a time, or 100,000 orders would need half a gigabyte
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_WIDTHS = {"items": 60, "tracking": 20, "tracking_url": 32, "shipped": 17, "first_attempt": 17}
_NARROW, _WIDE = 12, 16
_MONEY = frozenset({"value", "cod"})
# What may stand between the brackets of a currency in a number format.
_SYMBOL = re.compile(r"[^\[\]\-;\"\\]{1,8}")


def orders_xlsx(digest: Digest, language: str, columns: Sequence[str] = ()) -> Attachment:
    """Every order that waits, in the columns of the CSV. The same digest makes the same bytes.

    No cell is a formula or a link, whatever its text begins with, also when somebody edits it.
    Raises ExtraMissing where XlsxWriter is not installed.
    """
    words = load_language(language)
    out = BytesIO()
    with _new_workbook(out) as book:
        # Whatever clock made it: the bytes are those of the day.
        midnight = datetime.combine(digest.day, time(), UTC).replace(tzinfo=None)
        book.set_properties({"title": clean(digest.account_name), "created": midnight})
        _write(book, digest, words, select_columns(columns))
    return Attachment(f"orders-{digest.day.isoformat()}.xlsx", CONTENT_TYPE, out.getvalue())


def _new_workbook(out: BytesIO) -> Workbook:
    try:
        import xlsxwriter  # noqa: PLC0415 - an extra
    except ImportError:
        raise ExtraMissing("xlsx", "XlsxWriter") from None
    return xlsxwriter.Workbook(out, _OPTIONS)


def _write(book: Workbook, digest: Digest, words: Language, columns: tuple[Column, ...]) -> None:
    entries = digest.present
    sheet = book.add_worksheet(_sheet_name(words))
    _lay_out(sheet, columns, len(entries), words)
    pen = _Pen(book, sheet, digest, words)
    pen.headings(columns)
    pen.rows(entries, columns)


def _sheet_name(words: Language) -> str:
    """At most 31 characters, without those that stand for something in a formula."""
    return re.sub(r"[\[\]:*?/\\']", " ", words.gettext("To collect"))[:31].strip()


def _lay_out(sheet: Any, columns: tuple[Column, ...], rows: int, words: Language) -> None:
    """Headings that stay in sight, a filter for each, and a page of paper as wide as the table."""
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, rows, len(columns) - 1)
    for index, column in enumerate(columns):
        heading = len(words.gettext(column.heading)) + 4  # the button of the filter, too
        usual = _NARROW if column.numeric else _WIDE
        sheet.set_column(index, index, max(heading, _WIDTHS.get(column.name, usual)))
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&R&P/&N")


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes cells; a format is made once, however many cells have it."""

    book: Workbook
    sheet: Any
    digest: Digest
    words: Language
    formats: dict[str, Any] = field(default_factory=dict)

    def headings(self, columns: tuple[Column, ...]) -> None:
        looks = self.book.add_format(
            {"bold": True, "bg_color": "#E8EDF3", "bottom": 1, "valign": "vcenter"}
        )
        for index, column in enumerate(columns):
            self.sheet.write_string(0, index, self.words.gettext(column.heading), looks)

    def rows(self, entries: Iterable[Entry], columns: tuple[Column, ...]) -> None:
        for row, entry in enumerate(entries, 1):
            for index, column in enumerate(columns):
                self._cell(row, index, column.value(entry), self._numbers(column, entry))

    def _numbers(self, column: Column, entry: Entry) -> str:
        """How a number of this column is shown."""
        if column.name not in _MONEY:
            return "0"
        money = entry.order.cod if column.name == "cod" else entry.order.value
        return money_format(money.currency, self.words) if money else "0"

    def _cell(self, row: int, index: int, value: Value, numbers: str) -> None:
        sheet, plain = self.sheet, self._format
        match value:
            case None:
                return
            case bool():
                answer = self.words.gettext("yes") if value else self.words.gettext("no")
                sheet.write_string(row, index, answer)
            case int() | Decimal() if _fits(value):
                sheet.write_number(row, index, value, plain(numbers))
            case datetime():
                local = value.astimezone(self.digest.zone).replace(tzinfo=None)
                sheet.write_datetime(row, index, local, plain("yyyy-mm-dd hh:mm"))
            case date():
                sheet.write_datetime(row, index, value, plain("yyyy-mm-dd"))
            case _:
                text = clean(str(value), LONGEST_CELL)
                sheet.write_string(row, index, text, plain("@"))

    def _format(self, code: str) -> Any:
        if code not in self.formats:
            # The mark that people type as an apostrophe: text stays text when it is edited.
            looks = {"num_format": code} | ({"quote_prefix": True} if code == "@" else {})
            self.formats[code] = self.book.add_format(looks)
        return self.formats[code]


def _fits(number: int | Decimal) -> bool:
    """Whether a spreadsheet can hold a number to the last digit."""
    exact = Decimal(number)
    short = len(exact.as_tuple().digits) <= MOST_DIGITS
    return exact.is_finite() and short and abs(exact.adjusted()) <= MOST_DIGITS


def money_format(currency: str, words: Language) -> str:
    """How a spreadsheet shows amounts of a currency, as people write them: `#,##0.00 [$€]`."""
    symbol = get_currency_symbol(currency, locale=words.locale)
    digits = get_currency_precision(currency)
    number = "#,##0" + ("." + "0" * digits if digits else "")
    if not _SYMBOL.fullmatch(symbol):
        return number
    leads = words.locale.currency_formats["standard"].pattern.startswith("¤")
    return f"[${symbol}]{number}" if leads else f"{number}\u00a0[${symbol}]"
