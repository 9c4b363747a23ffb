"""Links of a mail: complete, safe, and to a host that belongs in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from notifier.mail.html import Document, Element
from notifier.mail.lint.expected import Expected, host
from notifier.mail.lint.findings import LintFinding, error, warning

_IN_TEXT = re.compile(r"(?i)\b(?:https?|ftp|file)://[^\s<>\"]+|\bwww\.[^\s<>\"]+")
_SCHEME = re.compile(r"(?i)\s*([a-z][a-z0-9+.-]*):")
_HARMLESS = ("mailto", "tel")


def check_links(html: Document, text: str, expected: Expected) -> Iterator[LintFinding]:
    """Check every address in both parts, also those in plain text, which mail programs link."""
    for element in html.named("a", "area"):
        address = element.attributes.get("href", "").strip()
        if address:
            yield from _address(address, element, expected)
        elif "href" in element.attributes:
            yield warning("the link has no address", element, "add one, or remove the element")
    for piece in html.texts:
        if piece.element is None or piece.element.tag not in ("style", "script"):
            for found in _IN_TEXT.findall(piece.text):
                yield from _address(found, piece.element or f"line {piece.line}", expected)
    for number, line in enumerate(text.splitlines(), 1):
        for found in _IN_TEXT.findall(line):
            yield from _address(found, f"the text part, line {number}", expected)


def _address(address: str, where: Element | str, expected: Expected) -> Iterator[LintFinding]:
    address = f"http://{address}" if address.lower().startswith("www.") else address
    scheme = _SCHEME.match(address)
    if not scheme:
        yield error(
            f'the link "{address[:60]}" does not work in a mail, which has no address of its own',
            where,
            "write the whole address, with https://",
        )
    elif scheme[1].lower() in ("http", "https"):
        yield from _web_address(address, where, expected)
    elif scheme[1].lower() not in _HARMLESS:
        yield error(
            f'mail programs do not open the link "{address[:60]}"',
            where,
            "link to a web page with https://",
        )


def _web_address(address: str, where: Element | str, expected: Expected) -> Iterator[LintFinding]:
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
