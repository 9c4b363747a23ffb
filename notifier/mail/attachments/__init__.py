"""Files that go with a mail, made from the same columns as everything else."""

from __future__ import annotations

from enum import StrEnum
from importlib.util import find_spec


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


EXTRAS = {AttachmentKind.XLSX: ("xlsx", "xlsxwriter"), AttachmentKind.SHEET: ("pdf", "reportlab")}
"""The extra and the module that a kind needs."""


def is_installed(module: str) -> bool:
    """Whether a library is there, without loading it."""
    return find_spec(module) is not None
