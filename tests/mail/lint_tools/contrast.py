"""Contrast of each text with its background, in light and dark colours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from notifier.mail.html import Document, Element, Text
from notifier.mail.lint.findings import LintFinding, error, warning
from tests.mail.lint_tools.cascade import Scheme, is_hidden, knows_dark, styles
from tests.mail.lint_tools.colours import Colour, contrast, read_colour

# The least contrast of normal and of large text (WCAG 2.2, 1.4.3). Below that of large text, no
# text can be read.
LEAST_CONTRAST = 4.5
UNREADABLE = 3.0

_PICTURE = re.compile(r"(?i)url\(|gradient\(|var\(|image")


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of an element; a colour is None if it is unknown."""

    colour: Colour | None
    background: Colour | None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A visible piece of text and its colours."""

    text: Text
    look: Look

    @property
    def contrast(self) -> float | None:
        """Return the contrast of the text with its background; None if a colour is unknown."""
        if self.look.colour is None or self.look.background is None:
            return None
        return contrast(self.look.colour.over(self.look.background), self.look.background)


# Where a mail sets no colour, a mail program uses those of its browser.
_PLAIN = {
    Scheme.LIGHT: Look(Colour(0, 0, 0), Colour(255, 255, 255)),
    Scheme.DARK: Look(Colour(255, 255, 255), Colour(18, 18, 18)),
}
_LINK = {Scheme.LIGHT: Colour(0, 0, 238), Scheme.DARK: Colour(158, 158, 255)}


def seen(page: Document, scheme: Scheme = Scheme.LIGHT) -> Iterator[Seen]:
    """Yield the visible text in order."""
    looks: dict[Element | None, Look] = {None: _PLAIN[scheme]}
    for element, values in styles(page, scheme):
        looks[element] = _look(element, values, looks[element.parent], scheme)
    for text in page.texts:
        if text.text.strip() and not looks[text.element].hidden:
            yield Seen(text, looks[text.element])


def hard_to_read(page: Document) -> Iterator[LintFinding]:
    """Find text with too little contrast."""
    # Without dark rules, the mail program changes both colours of a text, and cares for contrast.
    yield from _hard_to_read(page, Scheme.LIGHT)
    if knows_dark(page):
        yield from _hard_to_read(page, Scheme.DARK)


def _hard_to_read(page: Document, scheme: Scheme) -> Iterator[LintFinding]:
    for one in seen(page, scheme):
        ratio = one.contrast
        if ratio is None or ratio >= LEAST_CONTRAST:
            continue
        found = error if ratio < UNREADABLE else warning
        yield found(
            f"{one.look.colour} on {one.look.background} has a contrast of {ratio:.2f} "
            f"where the reader has {scheme} colours",
            one.text.element or f"line {one.text.line}",
            f"choose colours of at least {LEAST_CONTRAST}",
        )


def _look(element: Element, values: Mapping[str, str], around: Look, scheme: Scheme) -> Look:
    background = _background(element, values, around.background)
    colour = _colour(element, values, around.colour, scheme)
    hidden = around.hidden or is_hidden(element, values)
    return replace(around, colour=colour, background=background, hidden=hidden)


def _background(
    element: Element, values: Mapping[str, str], around: Colour | None
) -> Colour | None:
    written = values.get("background", element.attributes.get("bgcolor", ""))
    named = [colour for part in _words(written) if (colour := read_colour(part))]
    if not named:
        known = not written or written.lower() in ("none", "inherit", "initial", "unset")
        return around if known else None
    if named[0].alpha == 1:
        return named[0]
    return named[0].over(around) if around else None


def _colour(
    element: Element, values: Mapping[str, str], around: Colour | None, scheme: Scheme
) -> Colour | None:
    written = values.get("color") or _of_attribute(element)
    if written:
        inherited = written.lower() in ("inherit", "unset", "currentcolor")
        return around if inherited else read_colour(written)
    # Links do not inherit their colour.
    if element.tag == "a" and "href" in element.attributes:
        return _LINK[scheme]
    return around


def _of_attribute(element: Element) -> str:
    name = {"font": "color", "body": "text"}.get(element.tag, "")
    return element.attributes.get(name, "")


def _words(value: str) -> list[str]:
    """Split a background into its parts; none for a picture, whose colours are unknown."""
    if _PICTURE.search(value):
        return []
    return re.findall(r"[^\s()]+(?:\([^)]*\))?", value)
