"""Check the content of a mail: size, subject, text, links, and whether both parts agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from notifier.mail.html import Document, Element
from notifier.mail.lint.expected import Expected, host
from notifier.mail.lint.findings import LintFinding, error, note, warning
from notifier.mail.render import MOST_HTML_BYTES, RenderedMail

CLIPPED_BYTES = 102_400
"""Gmail hides the HTML after this many bytes behind a link."""
LONGEST_LINE = 78
"""Characters of a line (RFC 5322, 2.1.1); a list of mails shows far fewer of a subject."""

_TEMPLATE_CODE = re.compile(
    # The limit of 60 keeps a search in a row of braces from taking quadratic time.
    r"\{\{[^{}]{,60}\}\}|\{%[^{}]{,60}%\}|\{#[^{}]{,60}#\}|\{\{|\}\}|\{%|%\}|\{#|#\}|\{[a-z_]+\}"
)
"""Delimiters of Jinja, alone or with their content; and an unfilled value of a message."""
_ADDRESS = re.compile(r"(?i)\b[a-z]+://\S+")
_LINKED = re.compile(r"(?i)\b(?:https?|ftp|file)://[^\s<>\"]+|\bwww\.[^\s<>\"]+")
"""Plain text that mail programs turn into a link."""
_SCHEME = re.compile(r"(?i)\s*([a-z][a-z0-9+.-]*):")
# They open a program of the reader, and no server learns of it.
_HARMLESS = ("mailto", "tel")


def unusable_templates(why: str) -> LintFinding:
    """Build the finding that the built-in templates had to make the mail."""
    return error(
        f"they cannot be used, and the built-in ones made the mail: {why}",
        "your own templates",
        "correct the template",
    )


def check_size(html: str) -> Iterator[LintFinding]:
    """Check that Gmail shows the whole HTML part; in a mail, a line end has two bytes."""
    # "replace": the lint also reads mails that could not be sent, with half a surrogate pair.
    size = len(html.encode("utf-8", "replace")) + html.count("\n")
    if size <= MOST_HTML_BYTES:
        return
    found = error if size > CLIPPED_BYTES else warning
    yield found(
        f"it has {size:,} bytes, and Gmail hides everything after {CLIPPED_BYTES:,}",
        "the HTML part",
        f"make it smaller than {MOST_HTML_BYTES:,}: shorten what is repeated for each order",
    )


def check_subject(subject: str) -> Iterator[LintFinding]:
    """Check that the subject is one line of a reasonable length."""
    if not subject.strip():
        yield error("it is empty", "the subject", "write how many parcels are waiting")
    if len(subject.splitlines()) > 1:
        yield error("it has more than one line", "the subject", "write one line")
    if len(subject) > LONGEST_LINE:
        yield warning(
            f"it has {len(subject)} characters, more than mail programs show",
            "the subject",
            f"write at most {LONGEST_LINE}, the most important first",
        )


def check_text(text: str) -> Iterator[LintFinding]:
    """Check that there is a text part, with lines that fit."""
    if not text.strip():
        yield error(
            "it is empty; some readers need it, and spam filters expect it",
            "the text part",
            "write it in body.txt",
        )
    for number, line in enumerate(text.splitlines(), 1):
        # An address must not be broken: mail programs would link only its first line.
        if len(line) > LONGEST_LINE and "://" not in line:
            yield warning(
                f"the line is longer than {LONGEST_LINE} characters",
                f"the text part, line {number}",
                "break it, for example with the filter wrapped",
            )


def check_template_code(mail: RenderedMail, visible: str, foreign: str) -> Iterator[LintFinding]:
    """Find template code that was not replaced; other people's text may contain braces."""
    # Jinja leaves a misspelt delimiter ("{ { mail.day }}") in the mail without an error.
    places = {
        "the subject": mail.subject,
        "the preview line": mail.preheader,
        "the text part": mail.text,
        "the HTML part": visible,
    }
    for where, text in places.items():
        found = _TEMPLATE_CODE.findall(" ".join(text.split()))
        for code in dict.fromkeys(code for code in found if code not in foreign):
            yield error(f'"{code}" looks like template code', where, "correct the template")


def check_preview_line(preheader: str, html: Document) -> Iterator[LintFinding]:
    """Check that the preview line is in the HTML part, visible or hidden."""
    # All texts, because it is usually in a hidden element.
    words = "".join(text.text for text in html.texts).split()
    if " ".join(preheader.split()) not in " ".join(words):
        yield note(
            "there is no preview line, so mail programs show the first words of the mail "
            "beside its subject",
            "the HTML part",
            "print mail.headline.preheader first, in a hidden element",
        )


def check_agreement(mail: RenderedMail, visible: str, expected: Expected) -> Iterator[LintFinding]:
    """Check that both parts have the same orders, and the headline numbers of the digest."""
    text = " ".join(mail.text.split())
    in_html, in_text = _present(expected.orders, visible), _present(expected.orders, text)
    # Compared with each other, because both leave out the orders without room.
    yield from _missing("order", in_text, in_html, "the HTML part")
    yield from _missing("order", in_html, in_text, "the text part")
    for where, shown in (("the HTML part", visible), ("the text part", text)):
        numbers = [" ".join(number.split()) for number in expected.numbers]
        yield from _missing("headline number", numbers, _present(numbers, shown), where)
    yield from _left_out(expected.orders, in_html, len(mail.html))


def _present(names: Sequence[str], text: str) -> list[str]:
    """Return the names that the text contains as words of their own, outside of addresses."""
    # A link alone shows no number to the reader, although its address contains one.
    words = _ADDRESS.sub(" ", text)
    return [name for name in names if _contains(words, " ".join(name.split()))]


def _contains(text: str, name: str) -> bool:
    """Whether a text has a name as a word: "12" in "12 new", but not in "EXT-12" or "120"."""
    if not name or name not in text:
        return False
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?!\w)", text))


def _missing(
    kind: str, wanted: Sequence[str], shown: Sequence[str], where: str
) -> Iterator[LintFinding]:
    missing = [*dict.fromkeys(name for name in wanted if name not in shown)]
    if missing:
        named = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
        yield error(
            f"{kind} {named} is missing ({len(missing)} of {len(set(wanted))})",
            where,
            "print the same in both parts",
        )


def _left_out(orders: Sequence[str], shown: Sequence[str], size: int) -> Iterator[LintFinding]:
    """Check that rows are left out only for lack of room."""
    if orders and not shown:
        yield error("it contains no order", "the HTML part", "loop over orders.sections")
        return
    present = set(shown)
    first = next((name for name in orders if name not in present), None)
    # The last fifth may stay empty, because the next row may need more than is left.
    if first is not None and size < MOST_HTML_BYTES * 0.8:
        yield error(
            f"order {first} is missing, though there is room for it",
            "the HTML part",
            "loop over all rows of orders.sections",
        )


def check_links(html: Document, text: str, expected: Expected) -> Iterator[LintFinding]:
    """Check every address in both parts, also those in plain text, which mail programs link."""
    for element in html.named("a", "area"):
        address = element.attributes.get("href", "").strip()
        if address:
            yield from _check_address(address, element, expected)
        elif "href" in element.attributes:
            yield warning("the link has no address", element, "add one, or remove the element")
    for piece in html.texts:
        if piece.element is None or piece.element.tag not in ("style", "script"):
            for found in _LINKED.findall(piece.text):
                yield from _check_address(found, piece.element or f"line {piece.line}", expected)
    for number, line in enumerate(text.splitlines(), 1):
        for found in _LINKED.findall(line):
            yield from _check_address(found, f"the text part, line {number}", expected)


def _check_address(address: str, where: Element | str, expected: Expected) -> Iterator[LintFinding]:
    # Mail programs link "www.…" and add the scheme.
    address = f"http://{address}" if address.lower().startswith("www.") else address
    scheme = _SCHEME.match(address)
    if not scheme:
        yield error(
            f'the link "{address[:60]}" does not work in a mail, which has no address of its own',
            where,
            "write the whole address, with https://",
        )
    elif scheme[1].lower() in ("http", "https"):
        yield from _check_web_address(address, where, expected)
    elif scheme[1].lower() not in _HARMLESS:
        yield error(
            f'mail programs do not open the link "{address[:60]}"',
            where,
            "link to a web page with https://",
        )


def _check_web_address(
    address: str, where: Element | str, expected: Expected
) -> Iterator[LintFinding]:
    # A link to any other host can come only from a template, or from foreign text that it links.
    name = host(address)
    if not any(name == ours or name.endswith(f".{ours}") for ours in expected.hosts):
        yield error(
            f"the link leads to {name or address[:60]}, which is neither the host of order_url "
            "nor a carrier nor the sender's domain",
            where,
            "remove the link",
        )
    if address.lower().startswith("http:"):
        yield warning(
            "the link is not encrypted",
            where,
            "write https; an address from the marketplace cannot be changed here",
        )
