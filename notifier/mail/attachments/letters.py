"""Letters on paper: the fonts that travel with the program, and text fitted to a width.

Lengths are in points, of which an inch has 72.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from notifier.errors import ExtraMissing

FOLDER = Path(__file__).parent / "fonts"
"""Cut by tools/fonts.py to Latin, Greek and Cyrillic; of what else there is, nothing is printed."""

UNPRINTABLE = "□"
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Typeface:
    """One weight of the font, at one size."""

    name: str
    size: float

    @property
    def leading(self) -> float:
        """From one line to the next."""
        return self.size * 1.25

    def width(self, text: str) -> float:
        """How wide a text is."""
        from reportlab.pdfbase.pdfmetrics import stringWidth  # noqa: PLC0415 - an extra

        return float(stringWidth(text, self.name, self.size))

    def lines(self, text: str, width: float, most: int) -> tuple[str, ...]:
        """The text in lines no wider than `width`; what is more than `most` ends in an ellipsis."""
        lines = [line for line in self._broken(printable(text), width) if line]
        if len(lines) <= most:
            return tuple(lines)
        return (*lines[: most - 1], self._cut(lines[most - 1], width))

    def _broken(self, text: str, width: float) -> Iterator[str]:
        """Broken at spaces, and within words that are wider than a line."""
        line = ""
        for word in text.split(" "):
            longer = f"{line} {word}" if line else word
            if self.width(longer) <= width:
                line = longer
                continue
            yield line
            *full, line = self._pieces(word, width)
            yield from full
        yield line

    def _pieces(self, word: str, width: float) -> Iterator[str]:
        while word and self.width(word) > width:
            length = self._most_characters(word, width)
            yield word[:length]
            word = word[length:]
        yield word

    def _cut(self, line: str, width: float) -> str:
        length = self._most_characters(line, width - self.width(_ELLIPSIS))
        return line[:length].rstrip() + _ELLIPSIS

    def _most_characters(self, text: str, width: float) -> int:
        """How many characters fit; at least one."""
        used = 0.0
        for index, character in enumerate(text):
            used += self.width(character)
            if used > width:
                return max(index, 1)
        return len(text)


def regular(size: float) -> Typeface:
    """The usual weight; raises ExtraMissing where reportlab is not installed."""
    return Typeface(_register("DejaVuSans"), size)


def bold(size: float) -> Typeface:
    """The heavy one; raises ExtraMissing where reportlab is not installed."""
    return Typeface(_register("DejaVuSans-Bold"), size)


def printable(text: str) -> str:
    """The text with a box for every run of characters that the font lacks."""
    return _lacking().sub(UNPRINTABLE, text)


@cache
def _register(name: str) -> str:
    try:
        from reportlab.pdfbase import pdfmetrics, ttfonts  # noqa: PLC0415 - an extra
    except ImportError:
        raise ExtraMissing("pdf", "reportlab") from None
    pdfmetrics.registerFont(ttfonts.TTFont(name, FOLDER / f"{name}.ttf"))
    return name


@cache
def _lacking() -> re.Pattern[str]:
    """Runs of characters that at least one of the weights cannot print."""
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415 - an extra

    weights = [pdfmetrics.getFont(face.name) for face in (regular(1), bold(1))]
    both = set.intersection(*(set(font.face.charToGlyph) for font in weights))
    return re.compile(f"[^{re.escape(''.join(map(chr, sorted(both))))}]+")
