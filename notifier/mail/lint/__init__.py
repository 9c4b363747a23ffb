"""What is wrong with a mail before anybody gets it, and the way out.

::

    page css          the HTML as elements and texts; its style sheets and attributes
    cascade colours   which values win for an element; what a colour is
    markup            elements, attributes, what would be loaded, what screen readers need
    support styles    which program lacks what; where the mail uses it
    contrast          text against its background, in light and dark
    links             where it leads
    wording           size, subject, text part, left-overs; both parts say the same
    head              the headers of the finished mail

It reads as mail programs do, forgiving everything, and decides nothing: see `guard` for what stops
a mail.
"""

from __future__ import annotations

from collections.abc import Iterator

from notifier.mail.html import parse_html
from notifier.mail.lint.contrast import hard_to_read, visible_text
from notifier.mail.lint.expected import Expected, expected_hosts, expected_of
from notifier.mail.lint.findings import LintFinding, Severity, gathered
from notifier.mail.lint.head import wrong_head
from notifier.mail.lint.links import wrong_links
from notifier.mail.lint.markup import wrong_markup
from notifier.mail.lint.styles import wrong_styles
from notifier.mail.lint.wording import (
    broken_templates,
    left_over,
    unlike,
    without_preview,
    wrong_size,
    wrong_subject,
    wrong_text,
)
from notifier.mail.render import RenderedMail

__all__ = ["Expected", "LintFinding", "Severity", "expected_hosts", "expected_of", "lint"]


def lint(
    parts: RenderedMail, expected: Expected, content: bytes | None = None
) -> tuple[LintFinding, ...]:
    """What is wrong with a mail, the gravest first; `content` is the finished one."""
    return gathered(_wrong(parts, expected, content))


def _wrong(parts: RenderedMail, expected: Expected, content: bytes | None) -> Iterator[LintFinding]:
    page = parse_html(parts.html)
    shown = visible_text(page)
    yield from broken_templates(parts.broken)
    yield from wrong_size(parts.html)
    yield from wrong_subject(parts.subject)
    yield from wrong_text(parts.text)
    yield from left_over(parts, shown, expected.foreign)
    yield from wrong_markup(page, parts.language)
    yield from wrong_styles(page)
    yield from hard_to_read(page)
    yield from wrong_links(page, parts.text, expected)
    yield from without_preview(parts.preheader, page)
    yield from unlike(parts, shown, expected)
    if content is not None:
        yield from wrong_head(content)
