"""Find what is wrong with a mail before anybody gets it, and say how to correct it.

::

    content   size, subject, text part, template code left over; do both parts say the same?
    markup    what mail programs remove, what would be loaded, what is missing for some readers
    links     where the mail leads
    expected  which orders, numbers and hosts belong in this mail
    findings  what a finding holds

A lint reports and prevents nothing: the checks that stop a mail are in `guard`. It looks for what
a template can get wrong. How well mail programs draw the built-in templates is a matter of the
tests (`tests/mail/lint_tools/`).
"""

from __future__ import annotations

from collections.abc import Iterator

from notifier.mail.html import parse_html
from notifier.mail.lint.content import (
    check_agreement,
    check_preview_line,
    check_size,
    check_subject,
    check_template_code,
    check_text,
    unusable_templates,
)
from notifier.mail.lint.expected import Expected, expected_hosts, expected_of
from notifier.mail.lint.findings import LintFinding, Severity, gathered
from notifier.mail.lint.links import check_links
from notifier.mail.lint.markup import check_markup
from notifier.mail.render import RenderedMail

__all__ = ["Expected", "LintFinding", "Severity", "expected_hosts", "expected_of", "lint"]


def lint(parts: RenderedMail, expected: Expected) -> tuple[LintFinding, ...]:
    """List what is wrong with a mail, the most serious first."""
    return gathered(_findings(parts, expected))


def _findings(parts: RenderedMail, expected: Expected) -> Iterator[LintFinding]:
    html = parse_html(parts.html)
    visible = html.visible_text()
    if parts.broken:
        yield unusable_templates(parts.broken)
    yield from check_size(parts.html)
    yield from check_subject(parts.subject)
    yield from check_text(parts.text)
    yield from check_template_code(parts, visible, expected.foreign)
    yield from check_markup(html, parts.language)
    yield from check_links(html, parts.text, expected)
    yield from check_preview_line(parts.preheader, html)
    yield from check_agreement(parts, visible, expected)
