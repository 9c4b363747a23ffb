"""A mail's HTML as a tree, to ask what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import html5lib


def parse(html: str) -> Element:
    """Return the root element; raise html5lib.html5parser.ParseError at the first mistake."""
    # Not notifier.mail.html, which repairs mistakes: a test must find them.
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(html)
    return root


def elements(root: Element) -> Iterator[Element]:
    """Yield every element in order, without comments."""
    return (element for element in root.iter() if is_element(element))


def is_element(node: Element) -> bool:
    """Whether a node is an element: the tag of a comment is not a string."""
    tag: object = node.tag
    return isinstance(tag, str)


def links(root: Element) -> list[str]:
    """Return the targets of the links, in order."""
    return [element.attrib["href"] for element in elements(root) if "href" in element.attrib]


def order_ids(root: Element) -> list[str]:
    """Return the numbers of the orders in the tables, in order."""
    headings = (e for e in elements(root) if e.tag == "th" and e.get("scope") == "row")
    return [(heading[0].text or "").strip() for heading in headings]


def shape(root: Element) -> list[tuple[str, tuple[str, ...]]]:
    """Return the elements with the names of their attributes, which no text may change."""
    return [(str(e.tag), tuple(sorted(map(str, e.attrib)))) for e in elements(root)]
