"""One order as the mail shows it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from notifier.domain.digest import Digest, Entry
from notifier.domain.links import Link, carrier_url, portal_url
from notifier.domain.reading import Departure
from notifier.domain.settings import Account
from notifier.i18n.foreign_text import foreign
from notifier.i18n.language import Language, Money

MOST_ITEMS = 8
MOST_PARCELS = 12
"""More would let one order crowd out all others."""


class Tone(StrEnum):
    """What a badge's colour says beside its words."""

    CALM = "calm"
    NEW = "new"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One line of an order: "2 × Lamp", and the seller's number of it."""

    text: str
    sku: str | None


@dataclass(frozen=True, slots=True)
class Amount:
    """What an order is worth, or what was to be paid for it."""

    text: str
    is_minor: bool


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order. Every text is clean, and in the language of the mail."""

    number: Link
    reference: str | None
    """The seller's own number of the order."""
    parcels: tuple[Link, ...]
    below: tuple[Link, ...]
    """Both, as they stand under the number: in the order of the account's columns."""
    items: tuple[ItemLine, ...]
    more: str | None
    """What of it is not shown, if it has very many parcels or items."""
    badge: str
    """How long it waits, or how it went."""
    mark: str | None
    """What the badge's colour says; None where that is nothing."""
    tone: Tone
    value: str | None
    cod: str | None
    amounts: tuple[Amount, ...]
    """Both, in the order of the account's columns."""
    dates: str
    note: str | None
    """What is unusual about it."""

    @property
    def label(self) -> str:
        """Badge and mark on one line."""
        return ", ".join(filter(None, (self.badge, self.mark)))


def view_row(entry: Entry, digest: Digest, account: Account, language: Language) -> OrderRow:
    """Word one order for a mail: what the account's columns tell, and always how long it waits."""
    order = entry.order
    reference = _reference(order.external_id, language) if account.shows("external_id") else None
    parcels = tuple(_parcels(entry, account, language))
    value = _amount(order.value, language) if account.shows("value") else None
    cod = _cod(order.cod, language) if account.shows("cod") else None
    below = {"external_id": (Link(reference, None),) if reference else (), "tracking": parcels}
    amounts = {"value": (value, False), "cod": (cod, True)}
    return OrderRow(
        number=Link(foreign(order.display_number), portal_url(account, order.display_number)),
        reference=reference,
        parcels=parcels,
        below=tuple(link for name in _in_order(below, account) for link in below[name]),
        items=tuple(_items(entry, account, language)),
        more=_more(entry, account, language),
        badge=_badge(entry, digest, language),
        mark=language.gettext("overdue") if entry.overdue else None,
        tone=_tone(entry, digest),
        value=value,
        cod=cod,
        amounts=tuple(
            Amount(text, is_minor)
            for text, is_minor in map(amounts.__getitem__, _in_order(amounts, account))
            if text
        ),
        dates=" · ".join(_dates(entry, digest, account, language)),
        note=_note(entry, language),
    )


def _in_order(names: Collection[str], account: Account) -> Iterator[str]:
    """These columns in the account's order; those that it does not name come as they are here."""
    first = [name for name in account.columns if name in names]
    yield from first
    yield from (name for name in names if name not in first)


def _reference(external_id: str | None, language: Language) -> str | None:
    shown = foreign(external_id or "")
    return language.gettext("Your no. {number}", number=shown) if shown else None


def _parcels(entry: Entry, account: Account, language: Language) -> Iterator[Link]:
    """Tracking numbers; the marketplace tells one page for all of them."""
    url = carrier_url(entry.order.tracking_url) if account.shows("tracking_url") else None
    if not account.shows("tracking"):
        if url:
            yield Link(language.gettext("Tracking"), url)
        return
    numbers = [foreign(number) for number in entry.order.tracking_numbers[:MOST_PARCELS]]
    if not numbers and url:
        yield Link(language.gettext("Tracking"), url)
    for index, number in enumerate(numbers):
        yield Link(number, url if index == 0 else None)


def _items(entry: Entry, account: Account, language: Language) -> Iterator[ItemLine]:
    """Titles, or numbers of articles, or how many pieces at least: as much as is to be told."""
    if not _tells_items(account):
        pieces = sum(item.quantity for item in entry.order.items)
        if pieces and account.shows("pieces"):
            yield ItemLine(language.ngettext("{count} piece", "{count} pieces", pieces), None)
        return
    for item in entry.order.items[:MOST_ITEMS]:
        sku = foreign(item.sku or "") if account.shows("sku") else ""
        title = foreign(item.title) if account.shows("items") else sku
        if title:
            yield ItemLine(f"{item.quantity} × {title}", sku if sku and sku != title else None)


def _tells_items(account: Account) -> bool:
    return account.shows("items") or account.shows("sku")


def _more(entry: Entry, account: Account, language: Language) -> str | None:
    items = len(entry.order.items) - MOST_ITEMS if _tells_items(account) else 0
    parcels = len(entry.order.tracking_numbers) - MOST_PARCELS if account.shows("tracking") else 0
    told = []
    if items > 0:
        told.append(language.ngettext("and {count} more item", "and {count} more items", items))
    if parcels > 0:
        told.append(
            language.ngettext("and {count} more parcel", "and {count} more parcels", parcels)
        )
    return ", ".join(told) or None


def _badge(entry: Entry, digest: Digest, language: Language) -> str:
    """How long it waits, or how it went; nobody knows how long on the very first digest."""
    if entry.departure:
        return departure_word(entry.departure, language)
    if digest.is_first:
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
    """1 day, 2 days."""
    return language.ngettext("{count} day", "{count} days", days)


def departure_word(departure: Departure, language: Language) -> str:
    """How an order left the list."""
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


def _dates(entry: Entry, digest: Digest, account: Account, language: Language) -> Iterator[str]:
    for column in _in_order(_DATES, account):
        day = _DATES[column](entry, digest, language) if account.shows(column) else None
        if day:
            yield day


def _shipped_before(entry: Entry, digest: Digest, language: Language) -> str | None:
    """Not where the badge says it."""
    in_badge = digest.is_first and not entry.departure
    return None if in_badge else _shipped(entry, digest, language)


def _first_attempt(entry: Entry, digest: Digest, language: Language) -> str | None:
    attempt = entry.order.first_delivery_attempt
    if attempt is None:
        return None
    return language.gettext(
        "first delivery attempt {day}", day=language.day_in(attempt, digest.zone)
    )


def _first_seen(entry: Entry, digest: Digest, language: Language) -> str | None:
    if entry.first_seen == digest.day:
        return None
    return language.gettext("first seen {day}", day=language.day(entry.first_seen))


_DATES: Mapping[str, Callable[[Entry, Digest, Language], str | None]] = {
    "shipped": _shipped_before,
    "first_attempt": _first_attempt,
    "first_seen": _first_seen,
}
"""The dates of an order, by the column that tells them."""


def _note(entry: Entry, language: Language) -> str | None:
    if not entry.unread:
        return None
    return language.gettext("Could not be read today; shown as it was last time.")
