"""The fonts of printed pages, from the program's own files: those of PDF lack "č", "ő" and "ł".

Importing this module loads reportlab and registers the fonts with it.
"""

from __future__ import annotations

import re
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FOLDER = Path(__file__).parent / "fonts"
"""Cut by tools/fonts.py to Latin, Greek and Cyrillic letters."""

REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
UNPRINTABLE = "□"

_fonts = [TTFont(name, FOLDER / f"{name}.ttf") for name in (REGULAR, BOLD)]
for _font in _fonts:
    pdfmetrics.registerFont(_font)

_printable = set.intersection(*(set(font.face.charToGlyph) for font in _fonts))
_missing = re.compile(f"[^{re.escape(''.join(map(chr, sorted(_printable))))}]+")


def printable(text: str) -> str:
    """Replace each run of characters that either font lacks by a box: a PDF would show nothing."""
    return _missing.sub(UNPRINTABLE, text)


def width(text: str, font: str, size: float) -> float:
    """Measure a text on one line, in points."""
    return float(pdfmetrics.stringWidth(text, font, size))
