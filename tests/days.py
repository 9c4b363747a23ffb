"""Digests of very different days, for golden files, mail checkers and screenshots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

from notifier.domain.digest import Digest, compose
from notifier.domain.orders import Item, Order
from notifier.domain.reading import Complete, Departure, Incomplete
from notifier.i18n.language import Money
from tests.factories import DAY, NOON, account, order, snapshot

_COUNTS = (2, 3, 3, None, 5, 4, 4, 6, 5, 7, 7, 6, 6)
TREND = tuple((date(2026, 11, 9) + timedelta(days=n), count) for n, count in enumerate(_COUNTS))


def euro(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def waiting_orders() -> tuple[Order, ...]:
    """Return six orders of a small shop, oldest first, with the awkward texts of real ones."""
    picnic = "Zelo velik komplet za piknik z odejo, štirimi krožniki, priborom in hladilno torbo; "
    return (
        order(
            4500001,
            items=(
                Item("Kuhalnik za vodo, 1,7 l, nerjaveče jeklo", 1, "010451", None, euro("35")),
            ),
            cod=euro("34.99"),
            first_delivery_attempt=datetime(2026, 11, 4, 23, 30, tzinfo=UTC),
        ),
        order(
            4500007,
            items=(
                Item("Namizna svetilka »Čmrlj« LED, črna", 2, "ŠK-10453/A", None, euro("45")),
                Item("Polnilnik USB-C 65 W, bel", 1, "010459", None, euro("29")),
            ),
        ),
        order(
            4500012,
            items=(Item('Nosilec za televizor 32"–55" <VESA 400×400>', 1),),
            external_id=None,
            tracking_numbers=("MD4500012", "MD4500013"),
        ),
        order(4500020, items=(Item(picnic * 3, 1, "010474", None, euro("74.99")),)),
        order(4500021, shipped_at=None, tracking_numbers=()),
        order(4500022, tracking_url=None, currency=None),
    )


def _yesterday() -> tuple[Order, ...]:
    return (*waiting_orders()[:4], order(4499990), order(4499991))


_FIRST_SEEN = {
    "o4500001": date(2026, 11, 8),
    "o4500007": date(2026, 11, 14),
    "o4500012": date(2026, 11, 18),
    "o4500020": date(2026, 11, 20),
}


def normal() -> Digest:
    """Return a digest with new, waiting and departed orders."""
    departed = {4499990: Departure.RETURNED, 4499991: Departure.LOST}
    reading = Complete(NOON, waiting_orders(), departed, candidates=148)
    return compose(account(), reading, snapshot(*_yesterday(), **_FIRST_SEEN), DAY, trend=TREND)


def first() -> Digest:
    """Return the first digest of an account."""
    return compose(account(), Complete(NOON, waiting_orders(), candidates=148), None, DAY)


def empty() -> Digest:
    """Return a digest without orders after a day without orders."""
    return compose(account(), Complete(NOON, (), candidates=148), snapshot(), DAY, trend=TREND)


def incomplete() -> Digest:
    """Return a digest with two unreadable orders and two skipped days, early in a month."""
    read_at = datetime(2026, 12, 3, 5, 4, tzinfo=UTC)
    reason = "2 of 50 orders could not be read"
    departed = {4499990: Departure.DELIVERED, 4499991: Departure.WITHDRAWN}
    reading = Incomplete(
        read_at, waiting_orders()[1:], reason, (4500001, 4500099), departed, candidates=50
    )
    return compose(
        account(),
        reading,
        snapshot(*_yesterday(), **_FIRST_SEEN),
        date(2026, 12, 3),
        skipped_days=(date(2026, 12, 1), date(2026, 12, 2)),
    )


def forints() -> Digest:
    """Return a digest with very long amounts and two collected orders."""
    amount = Money(Decimal(1249900), "HUF")
    orders = tuple(
        replace(
            order, currency="HUF", cod=amount, items=(Item("Hladilnik", 2, None, None, amount),)
        )
        for order in waiting_orders()[:2]
    )
    departed = {4499990: Departure.RETURNED, 4499991: Departure.RETURNED}
    reading = Complete(NOON, orders, departed, candidates=2)
    before = snapshot(*orders, *_yesterday()[-2:], o4500001=date(2026, 11, 8))
    return compose(account(), reading, before, DAY)


def huge(count: int = 10_000) -> Digest:
    """Return a digest of many orders: half of them new, the others of all ages."""
    orders = tuple(
        _numbered(n, waiting_orders()[n % 6]) for n in range(4_600_000, 4_600_000 + count)
    )
    old = orders[: count // 2]
    first_seen = {f"o{o.id}": date(2026, 11, 1) + timedelta(days=o.id % 20) for o in old}
    reading = Complete(NOON, orders, candidates=count)
    return compose(account(), reading, snapshot(*old, **first_seen), DAY, trend=TREND)


def _numbered(id_: int, like: Order) -> Order:
    url = f"https://tracking.example/{id_}"
    return replace(
        like, id=id_, external_id=f"EXT-{id_}", tracking_numbers=(f"MD{id_}",), tracking_url=url
    )


DAYS: dict[str, Callable[[], Digest]] = {
    "normal": normal,
    "first": first,
    "empty": empty,
    "incomplete": incomplete,
    "forints": forints,
    "huge": partial(huge, 1_000),
}
