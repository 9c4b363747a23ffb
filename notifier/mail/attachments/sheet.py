"""The pick-up sheet: what to fetch, on paper, to be ticked off at the counter and signed."""

from __future__ import annotations

from collections.abc import Iterator

from notifier.domain.digest import Digest, Entry
from notifier.domain.settings import Account, PlaceOfReturn
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language, load_language
from notifier.mail.attachments.letters import Typeface, bold, printable, regular
from notifier.mail.attachments.paper import (
    GREY,
    ITEMS_WIDTH,
    LEFT,
    NUMBER_WIDTH,
    PADDING,
    PARCELS_WIDTH,
    RIGHT,
    Block,
    Line,
    Lines,
    Sheet,
    has_room,
    printed,
)
from notifier.mail.freeze import Attachment
from notifier.mail.view.footer import as_of
from notifier.mail.view.rows import OrderRow, view_row

WIDTH = RIGHT - LEFT
NUMBER_SIZES = (17, 13, 10)
"""Of the number of an order: as large as it fits on one line."""


def pickup_sheet(digest: Digest, account: Account, language: str) -> Attachment:
    """Every order that waits, oldest first, as A4 pages. It tells nothing the mail does not.

    The same digest makes the same bytes. Raises ExtraMissing where reportlab is not installed.
    """
    content = printed(_sheet(digest, account, load_language(language)))
    return Attachment(f"pickup-{digest.day.isoformat()}.pdf", "application/pdf", content)


def _sheet(digest: Digest, account: Account, words: Language) -> Sheet:
    title = words.gettext("Pick-up sheet")
    whose = f"{clean(account.name)}, {words.full_day(digest.day)}"
    entries = digest.present
    agreed = words.gettext("Everything ticked above was handed over.")
    return Sheet(
        language=words.code,
        title=_one(title, bold(20), WIDTH / 2),
        count=_one(_count(len(entries), words), bold(15), WIDTH / 2 - PADDING),
        beneath=(*_set(whose, regular(11), WIDTH, 2), *_warning(digest, words)),
        place=tuple(_place(account.place, words)) if account.place else (),
        running=_one(f"{title} – {whose}", regular(9), WIDTH, GREY),
        headings=(words.gettext("Order"), words.gettext("Items"), words.gettext("Tracking number")),
        blocks=tuple(_block(entry, view_row(entry, digest, account, words)) for entry in entries),
        agreed=_set(agreed, regular(10), WIDTH, 2),
        signed=(words.gettext("Name"), words.gettext("Date"), words.gettext("Signature")),
        foot=_one(as_of(digest, words), regular(7.5), WIDTH * 0.9, GREY),
    )


def _count(parcels: int, words: Language) -> str:
    return words.ngettext("{count} parcel to collect", "{count} parcels to collect", parcels)


def _warning(digest: Digest, words: Language) -> Lines:
    if not digest.gap:
        return ()
    sentence = words.gettext("Not all of the list could be read, so more parcels may wait for you.")
    return _set(sentence, bold(10), WIDTH, 2)


def _place(place: PlaceOfReturn, words: Language) -> Iterator[Line]:
    width = WIDTH - 4 * PADDING
    yield _one(words.gettext("Collect here"), regular(8), width, GREY)
    yield from _set(clean(place.name), bold(14), width, 2)
    for more in (place.address, place.opening_hours):
        yield from _set(clean(more), regular(11), width, 2)


def _block(entry: Entry, row: OrderRow) -> Block:
    number = entry.order.display_number
    return Block(
        number=_number(row.number.text),
        below=_set(row.reference or "", regular(8.5), NUMBER_WIDTH, 2),
        items=tuple(_items(row)),
        parcels=tuple(_parcels(entry, row)),
        barcode=number if has_room(number) else None,
    )


def _number(text: str) -> Lines:
    faces = [bold(size) for size in NUMBER_SIZES]
    fitting = (face for face in faces if face.width(printable(text)) <= NUMBER_WIDTH)
    return _set(text, next(fitting, faces[-1]), NUMBER_WIDTH, 3)


def _items(row: OrderRow) -> Iterator[Line]:
    for item in row.items:
        yield from _set(item.text, regular(10), ITEMS_WIDTH, 2)
        yield from _set(item.sku or "", regular(8.5), ITEMS_WIDTH, 1, GREY)
    for more in filter(None, (row.more, row.note)):
        yield from _set(more, regular(8.5), ITEMS_WIDTH, 3, GREY)


def _parcels(entry: Entry, row: OrderRow) -> Iterator[Line]:
    """Tracking numbers, and how long it waits: heavy when that is too long."""
    if entry.order.tracking_numbers:  # without any the mail has a mere link here
        for parcel in row.parcels:
            yield from _set(parcel.text, bold(11), PARCELS_WIDTH, 3)
    yield from _set(row.label, bold(9) if row.mark else regular(9), PARCELS_WIDTH, 3)


def _set(text: str, face: Typeface, width: float, most: int, grey: float = 0.0) -> Lines:
    return tuple(Line(line, face, grey) for line in face.lines(text, width, most))


def _one(text: str, face: Typeface, width: float, grey: float = 0.0) -> Line:
    """The text on one line, if need be without its end."""
    return next(iter(_set(text, face, width, 1, grey)), Line("", face))
