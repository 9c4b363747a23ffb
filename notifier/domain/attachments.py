"""The files that may go with a mail; `mail/attachments/` makes them."""

from __future__ import annotations

from enum import StrEnum


class AttachmentKind(StrEnum):
    """What may go with a mail, the most important first: what does not fit goes from the end."""

    CSV = "csv"
    XLSX = "xlsx"
    SHEET = "sheet"
    """The pick-up sheet, to be printed."""


class CsvHeadings(StrEnum):
    """What the first row of the CSV says."""

    TRANSLATED = "translated"
    NAMES = "names"
    """The names of the columns, the same in every language: for programs."""
