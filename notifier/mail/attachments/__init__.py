"""Files that go with a mail, made from the same columns as everything else."""

from __future__ import annotations

from importlib.util import find_spec

from notifier.domain.recipients import AttachmentKind

EXTRAS = {AttachmentKind.XLSX: ("xlsx", "xlsxwriter"), AttachmentKind.SHEET: ("pdf", "reportlab")}
"""The extra and the module that a kind needs."""


def is_installed(module: str) -> bool:
    """Whether a library is there, without loading it."""
    return find_spec(module) is not None
