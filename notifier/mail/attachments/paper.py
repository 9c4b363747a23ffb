"""Pages of A4: where everything stands on them. What it says is the business of `sheet.py`.

Lengths are in points, of which an inch has 72, and heights count from the bottom of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from notifier.errors import ExtraMissing
from notifier.mail.attachments.letters import Typeface, bold, regular

MM = 72 / 25.4
PAGE = (210 * MM, 297 * MM)
MARGIN = 14 * MM
LEFT, RIGHT = MARGIN, PAGE[0] - MARGIN
TOP, BOTTOM = PAGE[1] - MARGIN, MARGIN + 5 * MM
PADDING = 2.5 * MM

TICK = 6.5 * MM
NUMBER_AT = LEFT + TICK + 4 * MM
ITEMS_AT = NUMBER_AT + 56 * MM
PARCELS_AT = ITEMS_AT + 70 * MM
NUMBER_WIDTH = ITEMS_AT - NUMBER_AT - 4 * MM
ITEMS_WIDTH = PARCELS_AT - ITEMS_AT - 4 * MM
PARCELS_WIDTH = RIGHT - PARCELS_AT

RUNNING = 7 * MM
"""The line on top of every page but the first."""
HEADINGS = 6.5 * MM
SIGNATURE = 30 * MM

BARS = 9 * MM
NARROWEST, WIDEST = 0.19 * MM, 0.4 * MM
"""Of one bar: less no scanner at a counter tells apart, more only takes room."""
QUIET = 10
"""Bars' widths that stay white before and behind (ISO/IEC 15417, 4.5)."""

HAIRLINE = 0.4
BLACK, GREY, PALE = 0.0, 0.35, 0.93


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text as it is set."""

    text: str
    face: Typeface
    grey: float = BLACK


Lines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One order: what stands in its three columns. `barcode` is what a scanner reads."""

    number: Lines
    below: Lines
    items: Lines
    parcels: Lines
    barcode: str | None = None

    @property
    def height(self) -> float:
        """That of its tallest column, with white above and below."""
        bars = BARS + PADDING if self.barcode else 0
        first = height(self.number) + bars + height(self.below)
        return max(first, height(self.items), height(self.parcels), TICK) + 2 * PADDING


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that is printed, with `title` and `count` side by side on top."""

    language: str
    title: Line
    count: Line
    beneath: Lines
    place: Lines
    running: Line
    headings: tuple[str, str, str]
    blocks: tuple[Block, ...]
    agreed: Lines
    """What is signed."""
    signed: tuple[str, str, str]
    """The words under the lines for it."""
    foot: Line

    @property
    def head(self) -> float:
        """How high the top of the first page is, without the headings of the columns."""
        box = height(self.place) + 3 * PADDING if self.place else PADDING
        return self.title.face.leading + height(self.beneath) + PADDING + box


def height(lines: Lines) -> float:
    """How much room lines take."""
    return sum(line.face.leading for line in lines)


def paginate(
    heights: Sequence[float], first: float, others: float, end: float
) -> tuple[range, ...]:
    """Which blocks stand on which page; the last one keeps `end` free, if need be with no block."""
    pages, begin, room = [], 0, first
    for index, tall in enumerate(heights):
        if tall > room and index > begin:
            pages.append(range(begin, index))
            begin, room = index, others
        room -= tall
    pages.append(range(begin, len(heights)))
    if room < end:
        pages.append(range(len(heights), len(heights)))
    return tuple(pages)


def bar_width(modules: int) -> float | None:
    """How wide one bar is where so many must stand side by side; None if there is no room."""
    fitting = NUMBER_WIDTH / (modules + QUIET)  # the margin before them is white as well
    return min(fitting, WIDEST) if fitting >= NARROWEST else None


def has_room(barcode: str) -> bool:
    """Whether a text can be printed as a barcode that scanners read."""
    ascii_ = bool(barcode) and barcode.isascii() and barcode.isprintable()
    return ascii_ and len(barcode) <= 48 and bar_width(_modules(barcode)) is not None


def _modules(barcode: str) -> int:
    """How many bars' widths it has without the quiet zones."""
    return int(_code(barcode, 1.0).width)


def _code(barcode: str, width: float) -> Any:
    try:
        from reportlab.graphics.barcode.code128 import Code128  # noqa: PLC0415 - an extra
    except ImportError:
        raise ExtraMissing("pdf", "reportlab") from None
    return Code128(barcode, barWidth=width, barHeight=BARS, quiet=False)


def printed(sheet: Sheet) -> bytes:
    """The PDF. The same sheet makes the same bytes.

    Raises ExtraMissing where reportlab is not installed.
    """
    out = BytesIO()
    canvas = _new_canvas(out, sheet)
    under = HEADINGS + PADDING
    room = TOP - BOTTOM - under
    heights = [block.height for block in sheet.blocks]
    pages = paginate(heights, room - sheet.head, room - RUNNING, SIGNATURE)
    for number, blocks in enumerate(pages, 1):
        _Page(canvas, sheet, number, len(pages)).draw([sheet.blocks[index] for index in blocks])
    canvas.save()
    return out.getvalue()


def _new_canvas(out: BytesIO, sheet: Sheet) -> Any:
    try:
        from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415 - an extra
    except ImportError:
        raise ExtraMissing("pdf", "reportlab") from None
    # Without `invariant` the time of day and a random id would be in it.
    canvas = Canvas(out, pagesize=PAGE, invariant=1, pageCompression=1, lang=sheet.language)
    canvas.setTitle(sheet.running.text)
    canvas.setAuthor("")
    canvas.setSubject(sheet.title.text)
    canvas.setCreator("")
    return canvas


@dataclass(slots=True)
class _Page:
    """One page under the pen; `y` is how far down it is written."""

    canvas: Any
    sheet: Sheet
    number: int
    of: int
    y: float = field(default=TOP)

    def draw(self, blocks: Sequence[Block]) -> None:
        self._top()
        if blocks:
            self._headings()
        for block in blocks:
            self._block(block)
        if self.number == self.of:
            self._signature()
        self._foot()
        self.canvas.showPage()

    def _top(self) -> None:
        if self.number > 1:
            self._text(LEFT, self.y, self.sheet.running)
            self.y -= RUNNING
            return
        self._text_right(self.y, self.sheet.count)
        self.y = self._lines(LEFT, self.y, (self.sheet.title, *self.sheet.beneath)) - PADDING
        self._place()

    def _place(self) -> None:
        place = self.sheet.place
        if not place:
            self.y -= PADDING
            return
        tall = height(place) + 2 * PADDING
        self._fill(LEFT, self.y - tall, RIGHT - LEFT, tall)
        self._lines(LEFT + 2 * PADDING, self.y - PADDING, place)
        self.y -= tall + PADDING

    def _headings(self) -> None:
        face = bold(8)
        columns = zip((NUMBER_AT, ITEMS_AT, PARCELS_AT), self.sheet.headings, strict=True)
        for x, text in columns:
            self._text(x, self.y - 1 * MM, Line(text, face, GREY))
        self.y -= HEADINGS
        self._rule(LEFT, RIGHT, 1.0)

    def _block(self, block: Block) -> None:
        top = self.y - PADDING
        self.canvas.setLineWidth(1.1)
        self.canvas.setStrokeGray(BLACK)
        self.canvas.rect(LEFT, top - TICK, TICK, TICK)
        below = self._lines(NUMBER_AT, top, block.number)
        if block.barcode:
            below = self._bars(block.barcode, below - PADDING / 2) - PADDING / 2
        self._lines(NUMBER_AT, below, block.below)
        self._lines(ITEMS_AT, top, block.items)
        self._lines(PARCELS_AT, top, block.parcels)
        self.y -= block.height
        self._rule(LEFT, RIGHT, HAIRLINE)

    def _bars(self, barcode: str, y: float) -> float:
        """Returns where they end."""
        width = bar_width(_modules(barcode)) or NARROWEST
        _code(barcode, width).drawOn(self.canvas, NUMBER_AT, y - BARS)
        return y - BARS

    def _signature(self) -> None:
        y = self._lines(LEFT, self.y - 2 * PADDING, self.sheet.agreed)
        self.y = y - 11 * MM
        width = (RIGHT - LEFT - 2 * 6 * MM) / len(self.sheet.signed)
        for index, word in enumerate(self.sheet.signed):
            x = LEFT + index * (width + 6 * MM)
            self._rule(x, x + width, 0.7)
            self._text(x, self.y - 1 * MM, Line(word, regular(8), GREY))

    def _foot(self) -> None:
        self._text(LEFT, MARGIN, self.sheet.foot)
        self._text_right(MARGIN, Line(f"{self.number}/{self.of}", bold(9)))

    def _lines(self, x: float, y: float, lines: Lines) -> float:
        """Returns where the last line ends."""
        for line in lines:
            self._text(x, y, line)
            y -= line.face.leading
        return y

    def _text(self, x: float, y: float, line: Line) -> None:
        """A line whose upper edge is at `y`."""
        self.canvas.setFillGray(line.grey)
        self.canvas.setFont(line.face.name, line.face.size)
        self.canvas.drawString(x, y - line.face.size, line.text)
        self.canvas.setFillGray(BLACK)

    def _text_right(self, y: float, line: Line) -> None:
        self._text(RIGHT - line.face.width(line.text), y, line)

    def _fill(self, x: float, y: float, width: float, tall: float) -> None:
        self.canvas.setFillGray(PALE)
        self.canvas.rect(x, y, width, tall, stroke=0, fill=1)
        self.canvas.setFillGray(BLACK)

    def _rule(self, x1: float, x2: float, thick: float) -> None:
        self.canvas.setLineWidth(thick)
        self.canvas.setStrokeGray(BLACK if thick > HAIRLINE else GREY)
        self.canvas.line(x1, self.y, x2, self.y)
