"""Colours as style sheets write them, and their contrast."""

from __future__ import annotations

import re
from typing import NamedTuple

from notifier.domain.branding import contrast as contrast_of_rgb

_HEX = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{4}|[0-9a-f]{6}|[0-9a-f]{8})")
_RGB = re.compile(
    r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*(?:[,/]\s*(\d?\.?\d{1,4})\s*)?\)"
)
_NAMES = {
    "black": "000000",
    "silver": "c0c0c0",
    "gray": "808080",
    "grey": "808080",
    "white": "ffffff",
    "maroon": "800000",
    "red": "ff0000",
    "purple": "800080",
    "fuchsia": "ff00ff",
    "magenta": "ff00ff",
    "green": "008000",
    "lime": "00ff00",
    "olive": "808000",
    "yellow": "ffff00",
    "navy": "000080",
    "blue": "0000ff",
    "teal": "008080",
    "aqua": "00ffff",
    "cyan": "00ffff",
    "orange": "ffa500",
    "darkgray": "a9a9a9",
    "lightgray": "d3d3d3",
    "lightgrey": "d3d3d3",
}


class Colour(NamedTuple):
    """Red, green and blue from 0 to 255; `alpha` from 0, which shows what is behind, to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1

    def over(self, behind: Colour) -> Colour:
        """Blend it with an opaque colour behind it."""
        mixed = (
            front * self.alpha + back * (1 - self.alpha)
            for front, back in zip(self[:3], behind[:3], strict=True)
        )
        return Colour(*mixed)

    def __str__(self) -> str:
        return "#" + "".join(f"{round(part):02x}" for part in self[:3])


def read_colour(text: str) -> Colour | None:
    """Read a colour; None for notations and names that mails rarely use."""
    text = text.strip().lower()
    if text == "transparent":
        return Colour(0, 0, 0, 0)
    if found := _HEX.fullmatch(_NAMES.get(text, text)):
        return _from_hex(found[1])
    if found := _RGB.fullmatch(text):
        red, green, blue = (min(255, int(found[at])) for at in (1, 2, 3))
        return Colour(red, green, blue, min(1, float(found[4] or 1)))
    return None


def _from_hex(digits: str) -> Colour:
    if len(digits) < 6:
        digits = "".join(digit * 2 for digit in digits)
    red, green, blue, *alpha = (int(digits[at : at + 2], 16) for at in range(0, len(digits), 2))
    return Colour(red, green, blue, alpha[0] / 255 if alpha else 1)


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast of two opaque colours, from 1 (equal) to 21."""
    return contrast_of_rgb(one[:3], other[:3])
