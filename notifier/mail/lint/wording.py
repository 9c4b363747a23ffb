"""Subject, preview line and text part; and whether both parts of a mail say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from notifier.mail.html import Document
from notifier.mail.lint.expected import Expected
from notifier.mail.lint.findings import LintFinding, error, note, warning
from notifier.mail.render import MOST_HTML_BYTES, RenderedMail

CLIPPED_BYTES = 102_400
"""Gmail hides what comes after these behind a link."""
LONGEST_LINE = 78
"""RFC 5322, 2.1.1; of a subject, far more than any list of mails shows."""

_LEFT_OVER = re.compile(
    r"\{\{[^{}]{,60}\}\}|\{%[^{}]{,60}%\}|\{#[^{}]{,60}#\}|\{\{|\}\}|\{%|%\}|\{#|#\}|\{[a-z_]+\}"
)
"""What Jinja replaces, whole or in pieces; and a value that a catalog's message waits for."""
_ADDRESS = re.compile(r"(?i)\b[a-z]+://\S+")


def wrong_size(html: str) -> Iterator[LintFinding]:
    """Whether Gmail shows the whole of it. Lines are sent with two bytes at their end."""
    size = len(html.encode("utf-8", "replace")) + html.count("\n")
    remedy = f"make it smaller than {MOST_HTML_BYTES:,}: what is said of each order counts most"
    if size > CLIPPED_BYTES:
        yield error(f"it has {size:,} bytes, and Gmail hides the end", "the HTML part", remedy)
    elif size > MOST_HTML_BYTES:
        yield warning(
            f"it has {size:,} bytes, and Gmail hides what is beyond {CLIPPED_BYTES:,}",
            "the HTML part",
            remedy,
        )


def broken_templates(broken: str) -> Iterator[LintFinding]:
    """Whether it was made by other templates than was wished."""
    if broken:
        yield error(
            f"they cannot be used, and the built-in ones made the mail: {broken}",
            "your own templates",
            "mend the template",
        )


def wrong_subject(subject: str) -> Iterator[LintFinding]:
    """The one line that everybody reads."""
    if not subject.strip():
        yield error("it is empty", "the subject", "say how many parcels wait")
    if len(subject.splitlines()) > 1:
        yield error("it has more than one line", "the subject", "write one")
    if len(subject) > LONGEST_LINE:
        yield warning(
            f"it has {len(subject)} characters, and no list of mails shows so many",
            "the subject",
            f"write at most {LONGEST_LINE}, what matters first",
        )


def wrong_text(text: str) -> Iterator[LintFinding]:
    """The text part by itself."""
    if not text.strip():
        yield error(
            "there is none, for those who read no HTML, and filters hold that against a mail",
            "the text part",
            "write one",
        )
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LONGEST_LINE and "://" not in line:
            yield warning(
                f"a line is longer than {LONGEST_LINE} characters",
                f"the text part, line {number}",
                "break it, for example with the filter wrapped",
            )


def left_over(parts: RenderedMail, html: str, foreign: str) -> Iterator[LintFinding]:
    """What a template should have replaced, unless somebody else has written it.

    `html` is what the HTML part shows.
    """
    said = {
        "the subject": parts.subject,
        "the preview line": parts.preheader,
        "the text part": parts.text,
        "the HTML part": html,
    }
    for where, text in said.items():
        found = _LEFT_OVER.findall(" ".join(text.split()))
        for words in dict.fromkeys(words for words in found if words not in foreign):
            yield error(f'"{words}" looks like a template', where, "mend the template")


def without_preview(preheader: str, page: Document) -> Iterator[LintFinding]:
    """Whether the preview line stands in the mail, shown or not."""
    words = "".join(text.text for text in page.texts).split()
    if " ".join(preheader.split()) not in " ".join(words):
        yield note(
            "programs show the first words of the mail beside its subject, as there is no "
            "preview line",
            "the HTML part",
            "print mail.headline.preheader first, in an element that is not shown",
        )


def unlike(parts: RenderedMail, html: str, expected: Expected) -> Iterator[LintFinding]:
    """Where text and HTML do not show the same, or not what the day has."""
    text = " ".join(parts.text.split())
    in_html, in_text = _present(expected.orders, html), _present(expected.orders, text)
    yield from _missing("order", in_text, in_html, "the HTML part")
    yield from _missing("order", in_html, in_text, "the text part")
    for where, shown in (("the HTML part", html), ("the text part", text)):
        numbers = [*dict.fromkeys(" ".join(number.split()) for number in expected.numbers)]
        yield from _missing("headline number", numbers, _present(numbers, shown), where)
    yield from _too_few(expected.orders, in_html, len(parts.html))


def _present(names: Sequence[str], text: str) -> list[str]:
    """Those that stand in a text as words of their own, and not in an address."""
    words = _ADDRESS.sub(" ", text)
    return [name for name in names if _stands_in(words, " ".join(name.split()))]


def _stands_in(text: str, name: str) -> bool:
    """As a word: "12" in "12 new", and not in "EXT-12" or "120"."""
    if not name or name not in text:
        return False
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?!\w)", text))


def _missing(
    kind: str, wanted: Sequence[str], shown: Sequence[str], where: str
) -> Iterator[LintFinding]:
    missing = [*dict.fromkeys(name for name in wanted if name not in shown)]
    if missing:
        told = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        yield error(
            f"{kind} {told} is not in it ({len(missing)} of {len(wanted)})",
            where,
            "print the same in both parts",
        )


def _too_few(wanted: Sequence[str], shown: Sequence[str], size: int) -> Iterator[LintFinding]:
    """Rows are left out where there is no room for them, and only there, the last ones first."""
    if wanted and not shown:
        yield error("no order is in it", "the HTML part", "loop over orders.sections")
        return
    there = set(shown)
    first = next((n for n, name in enumerate(wanted) if name not in there), len(wanted))
    if first < len(wanted) and size < MOST_HTML_BYTES * 0.8:
        yield error(
            f"order {wanted[first]} is not in it, though there is room",
            "the HTML part",
            "loop over all rows of orders.sections",
        )
