"""Where a mail leads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from notifier.mail.html import Document, Element
from notifier.mail.lint.expected import Expected, host
from notifier.mail.lint.findings import LintFinding, error, warning

_IN_TEXT = re.compile(r"(?i)\b(?:https?|ftp|file)://[^\s<>\"]+|\bwww\.[^\s<>\"]+")
_SCHEME = re.compile(r"(?i)\s*([a-z][a-z0-9+.-]*):")
_HARMLESS = ("mailto", "tel")


def wrong_links(page: Document, text: str, expected: Expected) -> Iterator[LintFinding]:
    """Every address in both parts: ours, and one that can be followed safely."""
    for element in page.named("a", "area"):
        if address := element.attributes.get("href", "").strip():
            yield from _address(address, element, expected)
    for piece in page.texts:
        if piece.element is None or piece.element.tag not in ("style", "script"):
            line = piece.line
            for found in _IN_TEXT.findall(piece.text):
                yield from _address(found, piece.element or f"line {line}", expected)
    for number, line_of_text in enumerate(text.splitlines(), 1):
        for found in _IN_TEXT.findall(line_of_text):
            yield from _address(found, f"the text part, line {number}", expected)


def _address(address: str, where: Element | str, expected: Expected) -> Iterator[LintFinding]:
    address = f"http://{address}" if address.lower().startswith("www.") else address
    scheme = _SCHEME.match(address)
    if not scheme:
        yield error(
            f'"{address[:60]}" leads nowhere, as a mail is no page of a site',
            where,
            "write the whole address, with https://",
        )
    elif scheme[1].lower() in ("http", "https"):
        yield from _of_the_web(address, where, expected)
    elif scheme[1].lower() not in _HARMLESS:
        yield error(
            f'"{address[:60]}" is opened by no mail program', where, "lead to a page of the web"
        )


def _of_the_web(address: str, where: Element | str, expected: Expected) -> Iterator[LintFinding]:
    if not _is_ours(host(address), expected):
        yield error(
            f"it leads to {host(address) or address[:60]}, which is neither the portal of "
            "order_url, nor a carrier, nor the sender's domain",
            where,
            "take the link out",
        )
    if address.lower().startswith("http:"):
        yield warning(
            "it leads there without encryption",
            where,
            "write https; a carrier's own address is as the marketplace tells it",
        )


def _is_ours(name: str, expected: Expected) -> bool:
    return any(name == ours or name.endswith(f".{ours}") for ours in expected.hosts)
