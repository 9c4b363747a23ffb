"""The layout of the pick-up sheet: page, fonts, texts and barcodes, made with reportlab.

Lengths are in points, 72 to the inch. Importing this module loads reportlab.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepInFrame, Paragraph, SimpleDocTemplate

# Our own fonts, because the built-in ones of PDF lack "č". They are reduced by tools/fonts.py to
# Latin, Greek and Cyrillic letters.
FOLDER = Path(__file__).parent / "fonts"

REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
UNPRINTABLE = "□"

_fonts = [TTFont(name, FOLDER / f"{name}.ttf") for name in (REGULAR, BOLD)]
for _font in _fonts:
    pdfmetrics.registerFont(_font)

# Of both fonts, so that a text can be printed in either.
_printable = set.intersection(*(set(font.face.charToGlyph) for font in _fonts))
_missing = re.compile(f"[^{re.escape(''.join(map(chr, sorted(_printable))))}]+")

MARGIN = 14 * mm
LEFT, RIGHT = MARGIN, A4[0] - MARGIN
WIDTH = RIGHT - LEFT
FRAME_PADDING = 6
"""White space that SimpleDocTemplate keeps inside its margins."""
PADDING = 2.5 * mm
GAP = 4 * mm
"""White space between two columns."""

TICK = 6.5 * mm
COLUMNS = (TICK + GAP, 56 * mm, 70 * mm, WIDTH - TICK - GAP - 126 * mm)
"""Widths of the box to tick, the order, its items and its tracking numbers."""
NUMBER_WIDTH, ITEMS_WIDTH, PARCELS_WIDTH = COLUMNS[1] - GAP, COLUMNS[2] - GAP, COLUMNS[3]
PLACE_WIDTH = WIDTH - 4 * PADDING
# reportlab does not split a row, and raises LayoutError for one higher than a page.
HIGHEST_CELL = 225 * mm
# Three wrapped texts always fit on a page, however long.
MOST_WRAPPED = 3
"""Limit of wrapped texts in a cell that is not shrunk."""
SIGNING_SPACE = 11 * mm
_LINE = (WIDTH - 12 * mm) / 3
SIGNATURE_COLUMNS = (_LINE, 6 * mm, _LINE, 6 * mm, _LINE)

BLACK, GREY, PALE = (Color(level, level, level) for level in (0, 0.35, 0.93))

_ALL = (0, 0), (-1, -1)
_FLUSH = [("VALIGN", *_ALL, "TOP"), ("LEFTPADDING", *_ALL, 0), ("RIGHTPADDING", *_ALL, 0)]
_PADDED = [("TOPPADDING", *_ALL, PADDING), ("BOTTOMPADDING", *_ALL, PADDING)]
TITLE_STYLE = [*_FLUSH, ("ALIGN", (1, 0), (1, 0), "RIGHT")]
PLACE_STYLE = [*_PADDED, ("LEFTPADDING", *_ALL, 2 * PADDING), ("BACKGROUND", *_ALL, PALE)]
ORDERS_STYLE = [
    *_FLUSH,
    *_PADDED,
    ("RIGHTPADDING", (0, 0), (2, -1), GAP),
    ("LINEBELOW", (0, 0), (-1, 0), 1, BLACK),
    ("LINEBELOW", (0, 1), (-1, -1), 0.4, GREY),
]
SIGNATURE_STYLE = [*_FLUSH, *(("LINEABOVE", (n, 0), (n, 0), 0.7, BLACK) for n in (0, 2, 4))]

BAR_HEIGHT = 9 * mm
# Scanners at a counter cannot read narrower bars; wider ones only take room.
NARROWEST_BAR, WIDEST_BAR = 0.19 * mm, 0.4 * mm
QUIET_BARS = 10
"""White space that a scanner needs on either side, in widths of a bar (ISO/IEC 15417, 4.5)."""
LONGEST_BARCODE = 48


def printable(text: str) -> str:
    """Replace each run of characters that either font lacks by a box."""
    # The PDF would show nothing there, and the reader would not know that something is missing.
    return _missing.sub(UNPRINTABLE, text)


def width(text: str, font: str, size: float) -> float:
    """Measure a text on one line, in points."""
    return float(pdfmetrics.stringWidth(text, font, size))


def build(story: list[Flowable], *, title: str, subject: str, footer: str, language: str) -> bytes:
    """Lay the flowables out on A4; each page after the first repeats the title on top."""

    def first(canvas: Canvas, _: object) -> None:
        _draw_line(canvas, MARGIN - 9, footer, 7.5)

    def later(canvas: Canvas, document: object) -> None:
        first(canvas, document)
        _draw_line(canvas, A4[1] - MARGIN + 4, title, 9)

    content = BytesIO()
    document = SimpleDocTemplate(
        content,
        pagesize=A4,
        leftMargin=LEFT - FRAME_PADDING,
        rightMargin=LEFT - FRAME_PADDING,
        topMargin=MARGIN - FRAME_PADDING,
        bottomMargin=MARGIN,
        title=title,
        subject=subject,
        # reportlab would write "anonymous".
        author="",
        creator="",
        lang=language,
        invariant=1,  # otherwise the time of day and a random id make every file different
        pageCompression=1,
    )
    document.build(story, onFirstPage=first, onLaterPages=later, canvasmaker=_NumberedCanvas)
    return content.getvalue()


def text(
    content: str, room: float, size: float, font: str = REGULAR, colour: Color = BLACK
) -> Flowable:
    """Make a text that wraps if it is wider than its room."""
    content = printable(content)
    wide = width(content, font, size)
    if wide <= room:
        return _Line(content, wide, _style(size, font, colour))
    # A Paragraph reads its text as markup.
    return Paragraph(escape(content, quote=False), _style(size, font, colour))


@cache
def _style(size: float, font: str, colour: Color) -> ParagraphStyle:
    return ParagraphStyle("", fontName=font, fontSize=size, leading=size * 1.25, textColor=colour)


def cell(content: Iterable[Flowable]) -> list[Flowable] | KeepInFrame:
    """Stack flowables in a cell, shrunk if they could be higher than a page."""
    stack = [*content]
    if sum(isinstance(flowable, Paragraph) for flowable in stack) <= MOST_WRAPPED:
        return stack
    return KeepInFrame(0, HIGHEST_CELL, stack, mode="shrink")


def barcode(number: str) -> Code128 | None:
    """Make the barcode of an order's number; None if scanners could not read one so long."""
    if not (number.isascii() and number.isprintable() and 0 < len(number) <= LONGEST_BARCODE):
        return None
    code = _Barcode(
        number, barWidth=1, barHeight=BAR_HEIGHT, quiet=False, spaceBefore=3, spaceAfter=3
    )
    fitting = NUMBER_WIDTH / (code.width + QUIET_BARS)  # the gap on its left is white already
    code.barWidth = min(fitting, WIDEST_BAR)
    return code if fitting >= NARROWEST_BAR else None


class _Barcode(Code128):  # type: ignore[misc]  # reportlab has no types
    def wrap(self, *_: float) -> tuple[float, float]:
        # Code128 encodes its text anew for each question about its size.
        return 0, BAR_HEIGHT


class TickBox(Flowable):  # type: ignore[misc]  # reportlab has no types
    """An empty square to be ticked with a pen."""

    def wrap(self, *_: float) -> tuple[float, float]:
        return TICK, TICK

    def draw(self) -> None:
        self.canv.setLineWidth(1.1)
        self.canv.rect(0, 0, TICK, TICK)


# A Paragraph takes ten times as long, and most texts are short.
class _Line(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A text that needs no wrapping."""

    def __init__(self, content: str, wide: float, style: ParagraphStyle) -> None:
        super().__init__()
        self._content, self._width, self._style = content, wide, style

    def wrap(self, *_: float) -> tuple[float, float]:
        return self._width, self._style.leading

    def draw(self) -> None:
        style = self._style
        self.canv.setFillColor(style.textColor)
        self.canv.setFont(style.fontName, style.fontSize)
        self.canv.drawString(0, style.leading - style.fontSize, self._content)
        self.canv.setFillColor(BLACK)


# The total is known only at the end, so all pages are kept until then.
class _NumberedCanvas(Canvas):  # type: ignore[misc]  # reportlab has no types
    """Numbers the pages "3/12"."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._kept, 1):
            self.__dict__.update(page)
            self.setFont(BOLD, 9)
            self.drawRightString(RIGHT, MARGIN - 9, f"{number}/{len(self._kept)}")
            super().showPage()
        super().save()


def _draw_line(canvas: Canvas, y: float, content: str, size: float) -> None:
    """Write a grey line between the margins, in a smaller size if it is too long."""
    content = printable(content)
    room = WIDTH * 0.9  # the rest is for the page's number
    canvas.saveState()
    canvas.setFillColor(GREY)
    canvas.setFont(REGULAR, min(size, size * room / width(content, REGULAR, size)))
    canvas.drawString(LEFT, y, content)
    canvas.restoreState()
