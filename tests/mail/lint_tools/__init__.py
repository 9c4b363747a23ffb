"""Check our own mails more strictly than an operator's templates.

That is everything `notifier.mail.lint` finds, CSS that a mail program lacks, contrast, and the
headers of the finished mail.
"""

from __future__ import annotations

from notifier.mail.html import parse_html
from notifier.mail.lint import Expected, LintFinding, lint
from notifier.mail.lint.findings import gathered
from notifier.mail.render import RenderedMail
from tests.mail.lint_tools.contrast import hard_to_read
from tests.mail.lint_tools.headers import wrong_head
from tests.mail.lint_tools.styles import wrong_styles


def strict_lint(
    mail: RenderedMail, expected: Expected, content: bytes | None = None
) -> tuple[LintFinding, ...]:
    """List all that is wrong with a mail, the most serious first; `content` is the frozen one."""
    html = parse_html(mail.html)
    head = wrong_head(content) if content is not None else ()
    return gathered([*lint(mail, expected), *wrong_styles(html), *hard_to_read(html), *head])
