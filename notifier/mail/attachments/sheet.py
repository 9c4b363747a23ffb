"""The pick-up sheet: what to collect, on paper, to be ticked off at the counter and signed."""

from __future__ import annotations

from collections.abc import Iterator

from reportlab.platypus import Flowable, KeepTogether, LongTable, PageBreak, Spacer, Table

from notifier.domain.digest import Digest, Entry
from notifier.domain.settings import MailOptions, PlaceOfReturn
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language, load_language
from notifier.mail.attachments import sheet_layout as layout
from notifier.mail.attachments.pdf_fonts import BOLD, REGULAR, printable, width
from notifier.mail.attachments.sheet_layout import GREY, PADDING, WIDTH, text
from notifier.mail.freeze import Attachment
from notifier.mail.view.footer import as_of
from notifier.mail.view.rows import OrderRow, view_row

NUMBER_SIZES = (17, 13, 10)
"""Of an order's number: the largest that fits on one line, else the smallest, wrapped."""
LONGEST = 70
"""Characters of one value of an order; the mail has the rest."""
ORDERS_PER_TABLE = 200
"""reportlab copies the rest of a table at each page: time grows with the square of its length."""


def pickup_sheet(digest: Digest, options: MailOptions) -> Attachment:
    """Print every order that waits, oldest first. The same digest makes the same bytes."""
    words = load_language(options.language)
    title = words.gettext("Pick-up sheet")
    owner = f"{clean(digest.account_name)}, {words.full_day(digest.day)}"
    content = layout.build(
        [
            *_head(title, owner, digest, words),
            *_place(options.place, words),
            *_orders(digest, options, words),
            _signature(words),
        ],
        title=f"{title} – {owner}",
        subject=title,
        footer=as_of(digest, words),
        language=words.code,
    )
    return Attachment(f"pickup-{digest.day.isoformat()}.pdf", "application/pdf", content)


def _head(title: str, owner: str, digest: Digest, words: Language) -> Iterator[Flowable]:
    """Say how many parcels to collect, and whose."""
    total = len(digest.present)
    count = words.ngettext("{count} parcel to collect", "{count} parcels to collect", total)
    titles = [text(title, WIDTH / 2, 20, BOLD), text(count, WIDTH / 2, 15, BOLD)]
    yield Table([titles], colWidths=[WIDTH / 2] * 2, style=layout.TITLE_STYLE)
    yield text(owner, WIDTH, 11)
    if digest.gap:
        warning = words.gettext(
            "Not all of the list could be read, so more parcels may wait for you."
        )
        yield text(warning, WIDTH, 10, BOLD)
    yield Spacer(0, PADDING)


def _place(place: PlaceOfReturn | None, words: Language) -> Iterator[Flowable]:
    if place is None:
        return
    room = layout.PLACE_WIDTH
    lines = [text(words.gettext("Collect here"), room, 8, colour=GREY)]
    lines.append(text(clean(place.name), room, 14, BOLD))
    more = filter(None, (clean(place.address), clean(place.opening_hours)))
    lines.extend(text(line, room, 11) for line in more)
    yield Table([[lines]], colWidths=[WIDTH], style=layout.PLACE_STYLE)


def _orders(digest: Digest, options: MailOptions, words: Language) -> Iterator[Flowable]:
    headings = (
        "",
        words.gettext("Order"),
        words.gettext("Items"),
        words.gettext("Tracking number"),
    )
    top = [text(heading, WIDTH, 8, BOLD, GREY) for heading in headings]
    rows = [_row(entry, view_row(entry, digest, options, words)) for entry in digest.present]
    for begin in range(0, len(rows), ORDERS_PER_TABLE):
        if begin:
            yield PageBreak()
        yield LongTable(
            [top, *rows[begin : begin + ORDERS_PER_TABLE]],
            colWidths=layout.COLUMNS,
            repeatRows=1,
            style=layout.ORDERS_STYLE,
        )


def _row(entry: Entry, row: OrderRow) -> list[object]:
    columns = (_number(entry, row), _items(row), _parcels(entry, row))
    return [layout.TickBox(), *map(layout.cell, columns)]


def _number(entry: Entry, row: OrderRow) -> Iterator[Flowable]:
    room, number = layout.NUMBER_WIDTH, clean(row.number.text, LONGEST)
    fitting = (size for size in NUMBER_SIZES if width(printable(number), BOLD, size) <= room)
    yield text(number, room, next(fitting, NUMBER_SIZES[-1]), BOLD)
    if code := layout.barcode(entry.order.called):
        yield code
    if row.reference:
        yield text(clean(row.reference, LONGEST), room, 8.5)


def _items(row: OrderRow) -> Iterator[Flowable]:
    room = layout.ITEMS_WIDTH
    for item in row.items:
        yield text(clean(item.text, LONGEST), room, 10)
        if item.sku:
            yield text(clean(item.sku, LONGEST), room, 8.5, colour=GREY)
    for more in filter(None, (row.more, row.note)):
        yield text(more, room, 8.5, colour=GREY)


def _parcels(entry: Entry, row: OrderRow) -> Iterator[Flowable]:
    """List the tracking numbers, and how long the order waits: in bold if that is too long."""
    room = layout.PARCELS_WIDTH
    if entry.order.tracking_numbers:  # without any, the mail has only a link here
        for parcel in row.parcels:
            yield text(clean(parcel.text, LONGEST), room, 11, BOLD)
    yield text(row.label, room, 9, BOLD if row.mark else REGULAR)


def _signature(words: Language) -> Flowable:
    signed = (words.gettext("Name"), words.gettext("Date"), words.gettext("Signature"))
    name, day, signature = (text(word, WIDTH / 3, 8, colour=GREY) for word in signed)
    lines = [[name, "", day, "", signature]]
    return KeepTogether(
        [
            Spacer(0, 2 * PADDING),
            text(words.gettext("Everything ticked above was handed over."), WIDTH, 10),
            Spacer(0, layout.SIGNING_SPACE),
            Table(lines, colWidths=layout.SIGNATURE_COLUMNS, style=layout.SIGNATURE_STYLE),
        ]
    )
