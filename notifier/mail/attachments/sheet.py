"""The pick-up sheet: a printed list of the orders, to tick off at the counter and sign."""

from __future__ import annotations

from collections.abc import Iterator

from reportlab.platypus import Flowable, KeepTogether, LongTable, PageBreak, Spacer, Table

from notifier.domain.digest import Digest, Entry
from notifier.domain.settings import MailOptions, PlaceOfReturn
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language, load_language
from notifier.mail.attachments import sheet_layout as layout
from notifier.mail.attachments.sheet_layout import (
    BOLD,
    GREY,
    PADDING,
    REGULAR,
    WIDTH,
    printable,
    text,
    width,
)
from notifier.mail.freeze import Attachment
from notifier.mail.view.frame import as_of
from notifier.mail.view.rows import OrderRow, view_row

NUMBER_SIZES = (17, 13, 10)
"""Font sizes of an order's number: the largest that fits on one line, or the smallest, wrapped."""
# More would push other orders to the next page; the mail has the whole value.
LONGEST = 70
"""Limit of one value in characters."""
# At each page, reportlab copies the rest of a table, which takes quadratic time.
ORDERS_PER_TABLE = 200


def pickup_sheet(digest: Digest, options: MailOptions) -> Attachment:
    """Print every waiting order, oldest first; the same digest makes the same bytes."""
    language = load_language(options.language)
    title = language.gettext("Pick-up sheet")
    owner = f"{clean(digest.account_name)}, {language.full_day(digest.day)}"
    content = layout.build(
        [
            *_head(title, owner, digest, language),
            *_place(options.place, language),
            *_orders(digest, options, language),
            _signature(language),
        ],
        title=f"{title} – {owner}",
        subject=title,
        footer=as_of(digest, language),
        language=language.code,
    )
    return Attachment(f"pickup-{digest.day.isoformat()}.pdf", "application/pdf", content)


def _head(title: str, owner: str, digest: Digest, language: Language) -> Iterator[Flowable]:
    """Print the number of parcels to collect, and the account."""
    total = len(digest.present)
    count = language.ngettext("{count} parcel to collect", "{count} parcels to collect", total)
    titles = [text(title, WIDTH / 2, 20, BOLD), text(count, WIDTH / 2, 15, BOLD)]
    yield Table([titles], colWidths=[WIDTH / 2] * 2, style=layout.TITLE_STYLE)
    yield text(owner, WIDTH, 11)
    if digest.gap:
        warning = language.gettext(
            "Not all of the list could be read, so more parcels may wait for you."
        )
        yield text(warning, WIDTH, 10, BOLD)
    yield Spacer(0, PADDING)


def _place(place: PlaceOfReturn | None, language: Language) -> Iterator[Flowable]:
    if place is None:
        return
    room = layout.PLACE_WIDTH
    lines = [text(language.gettext("Collect here"), room, 8, colour=GREY)]
    lines.append(text(clean(place.name), room, 14, BOLD))
    more = filter(None, (clean(place.address), clean(place.opening_hours)))
    lines.extend(text(line, room, 11) for line in more)
    yield Table([[lines]], colWidths=[WIDTH], style=layout.PLACE_STYLE)


def _orders(digest: Digest, options: MailOptions, language: Language) -> Iterator[Flowable]:
    headings = (
        "",
        language.gettext("Order"),
        language.gettext("Items"),
        language.gettext("Tracking number"),
    )
    top = [text(heading, WIDTH, 8, BOLD, GREY) for heading in headings]
    rows = [_row(entry, view_row(entry, digest, options, language)) for entry in digest.present]
    for begin in range(0, len(rows), ORDERS_PER_TABLE):
        # A new table repeats the headings, which look right only at the top of a page.
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
    # From the number itself, because the text in the row has been defanged.
    if code := layout.barcode(entry.order.display_number):
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


def _signature(language: Language) -> Flowable:
    signed = (language.gettext("Name"), language.gettext("Date"), language.gettext("Signature"))
    name, day, signature = (text(word, WIDTH / 3, 8, colour=GREY) for word in signed)
    lines = [[name, "", day, "", signature]]
    # The sentence must be on the page that is signed.
    return KeepTogether(
        [
            Spacer(0, 2 * PADDING),
            text(language.gettext("Everything ticked above was handed over."), WIDTH, 10),
            Spacer(0, layout.SIGNING_SPACE),
            Table(lines, colWidths=layout.SIGNATURE_COLUMNS, style=layout.SIGNATURE_STYLE),
        ]
    )
