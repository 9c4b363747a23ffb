"""All waiting orders as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from notifier.domain.columns import Column, Value, select_columns
from notifier.domain.digest import Digest
from notifier.domain.settings import CsvHeadings, MailOptions
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language, load_language
from notifier.mail.freeze import Attachment

# Mail servers limit the size of a mail; below this, a file that opens directly is more useful.
MOST_PLAIN_BYTES = 1_000_000
"""Size above which the file is compressed."""

# Ten times the limit in the mail: the file has long titles whole.
LONGEST_CELL = 2_000
"""Limit in characters."""

# OWASP also names TAB and CR, but clean() has removed them from the beginning of a text.
# Spreadsheets in East Asian languages also read the full-width signs as formulas.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def orders_csv(digest: Digest, options: MailOptions) -> Attachment:
    """Write every waiting order, in UTF-8 with a byte order mark.

    The delimiter is a semicolon if the language has a decimal comma.
    """
    language, columns = load_language(options.language), select_columns(options.columns)
    # Spreadsheets take the delimiter from the language of the computer, and without the byte order
    # mark Excel reads the file in an old code page.
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if language.decimal_symbol == "," else ",")
    writer.writerow(_headings(options.csv_headings, columns, language))
    for entry in digest.present:
        cells = (column.value(entry) for column in columns)
        writer.writerow([_cell(value, digest, language) for value in cells])
    name = f"orders-{digest.day.isoformat()}.csv"
    content = out.getvalue().encode("utf-8-sig")
    if len(content) <= MOST_PLAIN_BYTES:
        return Attachment(name, "text/csv", content)
    # Without the time of compression, the same orders make the same bytes.
    return Attachment(f"{name}.gz", "application/gzip", gzip.compress(content, mtime=0))


def _headings(headings: CsvHeadings, columns: Sequence[Column], language: Language) -> list[str]:
    if headings is CsvHeadings.NAMES:
        return [column.name for column in columns]
    return [language.gettext(column.heading) for column in columns]


def safe_cell(text: str) -> str:
    """Return foreign text on one line that a spreadsheet never runs as a formula (OWASP)."""
    line = clean(text, LONGEST_CELL)
    return f"'{line}" if line.startswith(_FORMULA) else line


def _cell(value: Value, digest: Digest, language: Language) -> str:
    match value:
        case None:
            return ""
        case bool():
            return language.gettext("yes") if value else language.gettext("no")
        case str():
            return safe_cell(value)
        case datetime():
            return value.astimezone(digest.zone).strftime("%Y-%m-%d %H:%M")
        case Decimal():
            # "f", because str() writes an exponent for some amounts: Decimal("1E+3").
            return f"{value:f}".replace(".", language.decimal_symbol)
    return str(value)
