"""A mail's HTML as elements and texts, whatever it is: nothing in it makes the reading fail.

The standard library's parser tells tags; what closes what is decided here as far as mails need it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

DEEPEST = 100
"""Elements within elements; what is deeper counts as if it were not nested."""

LONGEST = 256 * 1024
"""Characters that are read; that a mail has so many is the first thing wrong with it."""

VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905 - reads as a list
)
UNSEEN = frozenset({"head", "title", "style", "script", "template"})

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


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """One element. Names of attributes are in lower case; one without a value has an empty text."""

    tag: str
    attributes: Mapping[str, str]
    line: int
    parent: Element | None
    classes: frozenset[str] = frozenset()

    def ancestors(self) -> Iterator[Element]:
        """Its parent first, the root last."""
        element = self.parent
        while element:
            yield element
            element = element.parent

    def __str__(self) -> str:
        shown = (name for name in ("id", "class") if self.attributes.get(name))
        said = "".join(f' {name}="{self.attributes[name][:40]}"' for name in shown)
        return f"line {self.line}, <{self.tag}{said}>"


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text, and the element it stands in; None outside of all."""

    text: str
    element: Element | None
    line: int

    @property
    def is_unseen(self) -> bool:
        """Whether the element it stands in never shows its text."""
        inner = self.element
        return inner is not None and any(e.tag in UNSEEN for e in (inner, *inner.ancestors()))


@dataclass(frozen=True, slots=True)
class Document:
    """The HTML part of a mail, in the order in which it is written."""

    elements: tuple[Element, ...]
    texts: tuple[Text, ...]
    comments: tuple[Text, ...]
    unreadable_from: int | None = None
    """The line from which on no parser can be relied on to read it; None where all is well."""

    def named(self, *tags: str) -> Iterator[Element]:
        """The elements of these tags."""
        return (element for element in self.elements if element.tag in tags)

    def words(self) -> str:
        """The text in it that is for people, whatever the styles hide."""
        return " ".join(text.text for text in self.texts if not text.is_unseen)

    def has_outlook_table(self) -> bool:
        """Whether a table that only Outlook for Windows sees holds the mail together."""
        return any("mso" in c.text and "<table" in c.text for c in self.comments)


def parse_html(html: str) -> Document:
    """Read HTML; never raises."""
    reader = _Reader()
    broken = None
    try:
        reader.feed(html[:LONGEST])
        reader.close()
    except (AssertionError, ValueError):
        # The parser's own words for "<![x[", and for a character of more digits than a number has.
        broken = reader.getpos()[0]
    return Document(tuple(reader.elements), tuple(reader.texts), tuple(reader.comments), broken)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.texts: list[Text] = []
        self.comments: list[Text] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._close_implied(tag)
        attributes = {name: value or "" for name, value in reversed(attrs)}
        classes = frozenset(attributes.get("class", "").split())
        element = Element(tag, attributes, self.getpos()[0], self._inner(), classes)
        self.elements.append(element)
        if tag not in VOID and len(self._open) < DEEPEST:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # "<td/>" opens a cell, as HTML has it

    def handle_endtag(self, tag: str) -> None:
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index].tag == tag:
                del self._open[index:]
                return
            if self._open[index].tag == "table" and tag not in ("body", "html"):
                return

    def handle_data(self, data: str) -> None:
        self.texts.append(Text(data, self._inner(), self.getpos()[0]))

    def handle_comment(self, data: str) -> None:
        self.comments.append(Text(data, self._inner(), self.getpos()[0]))

    def _inner(self) -> Element | None:
        return self._open[-1] if self._open else None

    def _close_implied(self, tag: str) -> None:
        """What the start of this one ends: "<td>" a cell before it, though nobody wrote so."""
        ended = _CLOSED_BY.get(tag, frozenset())
        while self._open and self._open[-1].tag in ended:
            self._open.pop()
