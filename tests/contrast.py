"""How well the text of a mail can be read: WCAG 2.2, 1.4.3, over the inlined styles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tests.page import is_element

_COLOUR = re.compile(r"(?<![-\w])color:\s*(#[0-9a-f]{6})")
_BACKGROUND = re.compile(r"background(?:-color)?:\s*(#[0-9a-f]{6})")


def contrasts(
    element: Element, colour: str = "#000000", background: str = "#ffffff"
) -> Iterator[tuple[float, str]]:
    """The contrast ratio of every piece of visible text, and the text."""
    style = element.get("style", "")
    if not is_element(element) or "display:none" in style:
        return
    if found := _BACKGROUND.search(style):
        background = found[1]
    elif "bgcolor" in element.attrib:
        background = element.attrib["bgcolor"]
    if found := _COLOUR.search(style):
        colour = found[1]
    if element.text and element.text.strip():
        yield _ratio(colour, background), element.text.strip()
    for child in element:
        yield from contrasts(child, colour, background)
        if child.tail and child.tail.strip():
            yield _ratio(colour, background), child.tail.strip()


def _ratio(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return float(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
