"""Everything that waits, as CSV for the spreadsheets of the people who get the mail."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from notifier.domain.columns import Column, Value, select_columns
from notifier.domain.digest import Digest
from notifier.domain.settings import CsvHeadings
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language, load_language
from notifier.mail.freeze import Attachment

MOST_PLAIN_BYTES = 1_000_000
"""Beyond this the file is compressed: mail servers count every byte."""

LONGEST_CELL = 2_000
"""Characters. The mail cuts titles; who opens the file wants to see them whole."""

# Full-width signs, too: spreadsheets in East Asian languages take them for the narrow ones.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def orders_csv(
    digest: Digest,
    language: str,
    headings: CsvHeadings = CsvHeadings.TRANSLATED,
    columns: Sequence[str] = (),
) -> Attachment:
    """Every order that waits, no matter how many the mail itself has room for.

    `columns` are names in the order wanted; none for all of them. UTF-8 with a byte order mark.
    Where the language writes a decimal comma, cells are separated by semicolons: that is what its
    spreadsheets open by a click.
    """
    words, wanted = load_language(language), select_columns(columns)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if words.decimal_symbol == "," else ",")
    writer.writerow(_headings(headings, wanted, words))
    for entry in digest.present:
        cells = (column.value(entry) for column in wanted)
        writer.writerow([_cell(value, digest, words) for value in cells])
    name = f"orders-{digest.day.isoformat()}.csv"
    content = out.getvalue().encode("utf-8-sig")
    if len(content) <= MOST_PLAIN_BYTES:
        return Attachment(name, "text/csv", content)
    # Without a time in it, the same orders make the same bytes.
    return Attachment(f"{name}.gz", "application/gzip", gzip.compress(content, mtime=0))


def _headings(headings: CsvHeadings, columns: Sequence[Column], words: Language) -> list[str]:
    if headings is CsvHeadings.NAMES:
        return [column.name for column in columns]
    return [words.gettext(column.heading) for column in columns]


def safe_cell(text: str) -> str:
    """Foreign text on one line that no spreadsheet takes for a formula (OWASP: CSV injection)."""
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
            return f"{value:f}".replace(".", language.decimal_symbol)
    return str(value)
