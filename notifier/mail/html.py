"""Parse the HTML of a mail into elements and texts; no input raises an error.

The standard library's parser finds the tags. This module decides which elements a tag closes, but
only by those rules of HTML that matter in mails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

# The lint walks to the root from each table heading: without a limit, its time would be quadratic.
DEEPEST = 100
"""Limit of nesting; deeper elements count as children of the last one above it."""

# A mail must be far shorter, and html.parser needs quadratic time for some broken input
# (CVE-2025-6069).
LONGEST = 256 * 1024
"""Limit of characters that are read."""

VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905 - reads as a list
)
NOT_SHOWN = frozenset({"head", "title", "style", "script", "template"})
"""Elements whose text no mail program shows."""

_HIDES = re.compile(r"(?i)(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))")

_CELLS = frozenset({"td", "th"})
_GROUPS = frozenset({"thead", "tbody", "tfoot"})
_CLOSED_BY: dict[str, frozenset[str]] = {
    "td": _CELLS,
    "th": _CELLS,
    "tr": _CELLS | {"tr"},
    **dict.fromkeys(_GROUPS, _CELLS | _GROUPS | {"tr"}),
    "li": frozenset({"li"}),
    "body": frozenset({"head"}),
    **dict.fromkeys(("p", "div", "table", "ul", "ol", "h1", "h2", "h3"), frozenset({"p"})),
}


# Compared by identity: two cells of one line may have equal fields.
@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """One element; attribute names are in lower case, missing attribute values are empty."""

    tag: str
    attributes: Mapping[str, str]
    line: int
    parent: Element | None

    @property
    def hides_its_content(self) -> bool:
        """Whether its tag or its own style keeps its text from being shown."""
        return (
            self.tag in NOT_SHOWN
            or "hidden" in self.attributes
            or bool(_HIDES.search(self.attributes.get("style", "")))
        )

    def ancestors(self) -> Iterator[Element]:
        """Yield its parent first, the root last."""
        element = self.parent
        while element:
            yield element
            element = element.parent

    def __str__(self) -> str:
        present = (name for name in ("id", "class") if self.attributes.get(name))
        shown = "".join(f' {name}="{self.attributes[name][:40]}"' for name in present)
        return f"line {self.line}, <{self.tag}{shown}>"


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text and the element around it; None outside of all elements."""

    text: str
    element: Element | None
    line: int


@dataclass(frozen=True, slots=True)
class Document:
    """The HTML part of a mail in the order of its source: parents before children."""

    elements: tuple[Element, ...]
    texts: tuple[Text, ...]
    comments: tuple[Text, ...]
    unreadable_from: int | None = None
    """The line at which the HTML becomes unreadable; None if all of it could be read."""

    def named(self, *tags: str) -> Iterator[Element]:
        """Yield the elements with one of these tags."""
        return (element for element in self.elements if element.tag in tags)

    def visible_text(self) -> str:
        """Return the text that is shown, on one line.

        Rules of style sheets are not applied: a mail's are inlined, except those in @media.
        """
        # One pass is enough, because parents come before their children.
        hidden: set[Element | None] = set()
        for element in self.elements:
            if element.parent in hidden or element.hides_its_content:
                hidden.add(element)
        shown = (text.text for text in self.texts if text.element not in hidden)
        return " ".join(" ".join(shown).split())


def parse_html(html: str) -> Document:
    """Read HTML, and raise no error."""
    reader = _Reader()
    unreadable_from = None
    try:
        reader.feed(html[:LONGEST])
        reader.close()
    except (AssertionError, ValueError):
        # Raised by the parser for "<![x[", and for a number with more digits than int() takes.
        unreadable_from = reader.getpos()[0]
    return Document(
        tuple(reader.elements), tuple(reader.texts), tuple(reader.comments), unreadable_from
    )


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.texts: list[Text] = []
        self.comments: list[Text] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._close_implied(tag)
        # If an attribute is written twice, the first one counts, as in browsers.
        attributes = {name: value or "" for name, value in reversed(attrs)}
        element = Element(tag, attributes, self.getpos()[0], self._inner())
        self.elements.append(element)
        if tag not in VOID and len(self._open) < DEEPEST:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # in HTML "<td/>" opens a cell

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index].tag == tag:
                del self._open[index:]
                return
            # An end tag inside a table closes nothing outside of it.
            if self._open[index].tag == "table" and tag not in ("body", "html"):
                return

    def handle_data(self, data: str) -> None:
        self.texts.append(Text(data, self._inner(), self.getpos()[0]))

    def handle_comment(self, data: str) -> None:
        self.comments.append(Text(data, self._inner(), self.getpos()[0]))

    def _inner(self) -> Element | None:
        return self._open[-1] if self._open else None

    def _close_implied(self, tag: str) -> None:
        """Close the elements that this start tag ends without an end tag: a "<td>" ends a cell."""
        ended = _CLOSED_BY.get(tag, frozenset())
        while self._open and self._open[-1].tag in ended:
            self._open.pop()
