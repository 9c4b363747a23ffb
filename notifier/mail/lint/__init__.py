"""Find mistakes in a mail before it is sent, and explain how to correct them.

The lint only reports: `verify.py` stops a mail that must not be sent. It looks for the mistakes
that an operator's own templates can have; the tests check how well mail programs draw the built-in
ones (`tests/mail/lint_tools/`).
"""

from __future__ import annotations

from collections.abc import Iterator

from notifier.mail.html import parse_html
from notifier.mail.lint.content import (
    check_agreement,
    check_links,
    check_preview_line,
    check_size,
    check_subject,
    check_template_code,
    check_text,
    unusable_templates,
)
from notifier.mail.lint.expected import Expected, expected_hosts, expected_of
from notifier.mail.lint.findings import LintFinding, Severity, gathered
from notifier.mail.lint.markup import check_markup
from notifier.mail.render import RenderedMail

__all__ = [
    "Expected",
    "LintFinding",
    "Severity",
    "expected_hosts",
    "expected_of",
    "lint",
    "unusable_templates",
]


def lint(mail: RenderedMail, expected: Expected) -> tuple[LintFinding, ...]:
    """List the mistakes in a mail, the most serious first."""
    return gathered(_findings(mail, expected))


def _findings(mail: RenderedMail, expected: Expected) -> Iterator[LintFinding]:
    html = parse_html(mail.html)
    visible = html.visible_text()
    if mail.broken:
        yield unusable_templates(mail.broken)
    yield from check_size(mail.html)
    yield from check_subject(mail.subject)
    yield from check_text(mail.text)
    yield from check_template_code(mail, visible, expected.foreign)
    yield from check_markup(html, mail.language)
    yield from check_links(html, mail.text, expected)
    yield from check_preview_line(mail.preheader, html)
    yield from check_agreement(mail, visible, expected)
