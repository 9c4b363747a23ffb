"""Style sheets of a mail."""

from __future__ import annotations

from collections.abc import Iterator

from notifier.mail.html import Document, Text
from tests.mail.lint_tools.css import Sheet, sheet
from tests.mail.lint_tools.support import MOST_STYLE_BYTES

LONGEST = 2 * MOST_STYLE_BYTES
"""Characters of a style sheet that are read; a longer one is a finding anyway."""


def sheets(page: Document) -> Iterator[Sheet]:
    """Read the style elements in order."""
    return (sheet(text.text[:LONGEST], text.line) for text in style_texts(page))


def style_texts(page: Document) -> Iterator[Text]:
    """Yield the texts of the style elements."""
    return (t for t in page.texts if t.element is not None and t.element.tag == "style")
