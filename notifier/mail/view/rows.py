"""One order as a mail and the pick-up sheet show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from notifier.domain.digest import Digest, Entry
from notifier.domain.links import Link, carrier_url, portal_url
from notifier.domain.reading import Departure
from notifier.domain.settings import MailOptions
from notifier.i18n.foreign_text import foreign
from notifier.i18n.language import Language, Money

T = TypeVar("T")

# One order must leave room for the others.
MOST_ITEMS = 8
MOST_PARCELS = 12


class Tone(StrEnum):
    """The meaning of a colour, which the words repeat."""

    CALM = "calm"
    NEW = "new"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One article of an order: "2 × Lamp", and the seller's number of the article."""

    text: str
    sku: str | None


@dataclass(frozen=True, slots=True)
class Amount:
    """The value of an order, or its cash on delivery."""

    text: str
    is_minor: bool


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order in the language of the mail, with all foreign text made harmless."""

    number: Link
    reference: str | None
    """The seller's own number of the order, in words."""
    parcels: tuple[Link, ...]
    below: tuple[Link, ...]
    """Reference and parcels in the order of the account's columns."""
    items: tuple[ItemLine, ...]
    more: str | None
    """The count of items and parcels left out."""
    badge: str
    """How long the order has waited, or how it left the list."""
    # A word, because some readers do not see the colour (WCAG 2.2, 1.4.1).
    mark: str | None
    """The word "overdue", or None."""
    tone: Tone
    value: str | None
    cod: str | None
    amounts: tuple[Amount, ...]
    """Value and cash on delivery in the order of the account's columns."""
    dates: str
    note: str | None
    """A sentence if the order could not be read today, otherwise None."""

    @property
    def label(self) -> str:
        """Return badge and mark on one line."""
        return ", ".join(filter(None, (self.badge, self.mark)))


def view_row(entry: Entry, digest: Digest, options: MailOptions, language: Language) -> OrderRow:
    """Word one order: the columns of these options, and always how long it has waited."""
    # `foreign` for the text of others, so that no mail program makes a link of it.
    order = entry.order
    reference = _reference(order.external_id, language) if options.shows("external_id") else None
    parcels = tuple(_parcels(entry, options, language))
    value = _amount(order.value, language) if options.shows("value") else None
    cod = _cod(order.cod, language) if options.shows("cod") else None
    below = {"external_id": (Link(reference),) if reference else (), "tracking": parcels}
    amounts = {"value": (value, False), "cod": (cod, True)}
    return OrderRow(
        number=Link(
            foreign(order.display_number), portal_url(options.order_url, order.display_number)
        ),
        reference=reference,
        parcels=parcels,
        below=tuple(link for links in _in_order(below, options) for link in links),
        items=tuple(_items(entry, options, language)),
        more=_more(entry, options, language),
        badge=_badge(entry, digest, language),
        mark=language.gettext("overdue") if entry.overdue else None,
        tone=_tone(entry, digest),
        value=value,
        cod=cod,
        amounts=tuple(
            Amount(text, is_minor) for text, is_minor in _in_order(amounts, options) if text
        ),
        dates=" · ".join(_in_order(_dates(entry, digest, options, language), options)),
        note=language.gettext("Could not be read today; shown as it was last time.")
        if entry.unread
        else None,
    )


def _in_order(values: Mapping[str, T], options: MailOptions) -> Iterator[T]:
    """Yield the values of columns in the chosen order; those not chosen follow."""
    chosen = [name for name in options.columns if name in values]
    for name in dict.fromkeys((*chosen, *values)):
        yield values[name]


def _reference(external_id: str | None, language: Language) -> str | None:
    shown = foreign(external_id or "")
    return language.gettext("Your no. {number}", number=shown) if shown else None


def _parcels(entry: Entry, options: MailOptions, language: Language) -> Iterator[Link]:
    """Yield the tracking numbers, the first with the carrier's page if it is shown."""
    url = carrier_url(entry.order.tracking_url) if options.shows("tracking_url") else None
    numbers = entry.order.tracking_numbers[:MOST_PARCELS] if options.shows("tracking") else ()
    if not numbers and url:
        yield Link(language.gettext("Tracking"), url)
    # The marketplace has one page for all parcels of an order, so one link is enough.
    for index, number in enumerate(numbers):
        yield Link(foreign(number), url if index == 0 else None)


def _items(entry: Entry, options: MailOptions, language: Language) -> Iterator[ItemLine]:
    """Yield titles or article numbers; the number of pieces if neither column is chosen."""
    if not _shows_items(options):
        pieces = sum(item.quantity for item in entry.order.items)
        if pieces and options.shows("pieces"):
            yield ItemLine(language.ngettext("{count} piece", "{count} pieces", pieces), None)
        return
    for item in entry.order.items[:MOST_ITEMS]:
        sku = foreign(item.sku or "") if options.shows("sku") else ""
        title = foreign(item.title) if options.shows("items") else sku
        if title:
            yield ItemLine(f"{item.quantity} × {title}", sku if sku and sku != title else None)


def _shows_items(options: MailOptions) -> bool:
    return options.shows("items") or options.shows("sku")


def _more(entry: Entry, options: MailOptions, language: Language) -> str | None:
    items = len(entry.order.items) - MOST_ITEMS if _shows_items(options) else 0
    parcels = len(entry.order.tracking_numbers) - MOST_PARCELS if options.shows("tracking") else 0
    rest = []
    if items > 0:
        rest.append(language.ngettext("and {count} more item", "and {count} more items", items))
    if parcels > 0:
        rest.append(
            language.ngettext("and {count} more parcel", "and {count} more parcels", parcels)
        )
    return ", ".join(rest) or None


def _badge(entry: Entry, digest: Digest, language: Language) -> str:
    if entry.departure:
        return _departure(entry.departure, language)
    if digest.is_first:  # how long the orders have waited is not known yet
        return _shipped(entry, digest, language) or "–"
    if not entry.days_waiting:
        return language.gettext("new")
    return day_count(entry.days_waiting, language)


def _tone(entry: Entry, digest: Digest) -> Tone:
    if entry.overdue:
        return Tone.OVERDUE
    is_new = not (entry.departure or entry.days_waiting or digest.is_first)
    return Tone.NEW if is_new else Tone.CALM


def day_count(days: int, language: Language) -> str:
    """Return "1 day" or "2 days"."""
    return language.ngettext("{count} day", "{count} days", days)


def _departure(departure: Departure, language: Language) -> str:
    words = {
        Departure.RETURNED: language.gettext("collected"),
        Departure.DELIVERED: language.gettext("delivered after all"),
        Departure.LOST: language.gettext("lost"),
        Departure.CANCELLED: language.gettext("cancelled"),
        Departure.WITHDRAWN: language.gettext("no longer ready"),
        Departure.GONE: language.gettext("no longer listed"),
    }
    return words[departure]


def _amount(money: Money | None, language: Language) -> str | None:
    return language.money(money) if money else None


def _cod(money: Money | None, language: Language) -> str | None:
    if not money or not money.amount:
        return None
    return language.gettext("COD {amount}", amount=language.money(money))


def _shipped(entry: Entry, digest: Digest, language: Language) -> str | None:
    if entry.order.shipped_at is None:
        return None
    day = language.day_in(entry.order.shipped_at, digest.zone)
    return language.gettext("shipped {day}", day=day)


def _dates(
    entry: Entry, digest: Digest, options: MailOptions, language: Language
) -> Mapping[str, str]:
    # The badge of a first digest already shows the day of shipping.
    in_badge = digest.is_first and not entry.departure
    dates = {
        "shipped": None if in_badge else _shipped(entry, digest, language),
        "first_attempt": _first_attempt(entry, digest, language),
        "first_seen": _first_seen(entry, digest, language),
    }
    return {column: day for column, day in dates.items() if day and options.shows(column)}


def _first_attempt(entry: Entry, digest: Digest, language: Language) -> str | None:
    attempt = entry.order.first_delivery_attempt
    if attempt is None:
        return None
    return language.gettext(
        "first delivery attempt {day}", day=language.day_in(attempt, digest.zone)
    )


def _first_seen(entry: Entry, digest: Digest, language: Language) -> str | None:
    # The badge already says "new".
    if entry.first_seen == digest.day:
        return None
    return language.gettext("first seen {day}", day=language.day(entry.first_seen))
