"""Everything that waits, as CSV for a spreadsheet."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import datetime
from decimal import Decimal

from notifier.columns import COLUMNS, Value
from notifier.digest import Digest
from notifier.freeze import Attachment
from notifier.i18n import load_language
from notifier.text import clean

MOST_PLAIN_BYTES = 1_000_000
"""Beyond this the file is compressed: mail servers count every byte."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def orders_csv(digest: Digest, language: str) -> Attachment:
    """Every order that waits, no matter how many the mail itself has room for.

    UTF-8 with a byte order mark, which spreadsheets want to be told; headings translated.
    """
    _ = load_language(language).gettext
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_(column.heading) for column in COLUMNS.values()])
    for entry in digest.present:
        writer.writerow([_cell(column.value(entry), digest) for column in COLUMNS.values()])
    content = out.getvalue().encode("utf-8-sig")
    name = f"orders-{digest.day.isoformat()}.csv"
    if len(content) <= MOST_PLAIN_BYTES:
        return Attachment(name, "text/csv", content)
    # Without a time in it, the same orders make the same bytes.
    return Attachment(f"{name}.gz", "application/gzip", gzip.compress(content, mtime=0))


def safe_cell(text: str) -> str:
    """Text no spreadsheet takes for a formula (OWASP: CSV injection); one line, nothing hidden."""
    safe = f"'{text}" if text.startswith(_FORMULA) else text
    return clean(safe, longest=2_000)


def _cell(value: Value, digest: Digest) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case str():
            return safe_cell(value)
        case datetime():
            value = value.astimezone(digest.zone).strftime("%Y-%m-%d %H:%M")
        case Decimal():
            value = f"{value:f}"
    return str(value)
