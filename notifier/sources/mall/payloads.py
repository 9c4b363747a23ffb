"""Turn the marketplace's JSON into our orders: the only place that knows its field names.

The same objects hold buyers' names and addresses; those fields are not read. Plain functions are
used instead of pydantic models: a tolerant model declares every field twice and takes several
times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from notifier.domain.orders import Item, Order, OrderStatus
from notifier.i18n.language import Money
from notifier.sources.values import (
    amount,
    currency_code,
    flag,
    number,
    text,
    to_utc,
    web_address,
)

_RETURN_CODES = frozenset({"RETURNING", "RETURNED"})
_EXPIRED = 22
"""Status id at a pick-up point: the storage period is over."""
_STATUSES = {status.value: status for status in OrderStatus}
# fromisoformat alone takes much more, such as week dates and days without hyphens.
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{2}:[0-9]{2}:[0-9]{2})?")


class UnreadableOrder(Exception):
    """An order without a field that it needs."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """An order in the list; None for a missing field. No row says whether the order waits."""

    id: int
    status: OrderStatus | None = None
    mall_delivery: bool | None = None
    test: bool | None = None
    shipped_at: datetime | None = None

    def may_wait(self, *, test_orders: bool) -> bool:
        """Return whether the order may wait; a missing field never rules it out."""
        return (
            self.status in (None, OrderStatus.SHIPPED)
            and self.mall_delivery is not False
            and (test_orders or self.test is not True)
        )


def parse_row(data: object, zone: ZoneInfo) -> ListRow | None:
    """Read one row of the list, or a bare id in its place; None without a usable id."""
    # Without `filter=basic` the marketplace lists bare ids.
    fields: dict[str, Any] = data if isinstance(data, dict) else {"id": data}
    id_ = number(fields.get("id"))
    if not id_:
        return None
    return ListRow(
        id=id_,
        status=_status(fields.get("status")),
        mall_delivery=flag(fields.get("mdp")),
        test=flag(fields.get("test")),
        shipped_at=moment(fields.get("shipped"), zone),
    )


def parse_order(data: object, zone: ZoneInfo) -> Order:
    """Read the `data` of an order's detail; its timestamps are local to `zone`.

    Raises UnreadableOrder without an id or status, and for a shipped order without the flag
    `ready_to_return`: reading that as "no" would hide a parcel.
    """
    if not isinstance(data, dict):
        raise UnreadableOrder("it is not an object")
    id_, status = number(data.get("id")), _status(data.get("status"))
    if not id_ or status is None:
        raise UnreadableOrder("it has no id or no status")
    ready = flag(data.get("ready_to_return"))
    if ready is None and status is OrderStatus.SHIPPED:
        raise UnreadableOrder("it does not say whether it is ready to return")
    currency = currency_code(data.get("currency"))
    cod = _money(data.get("cod"), currency)
    return Order(
        id=id_,
        status=status,
        ready_to_return=bool(ready),
        # A missing flag keeps the order: one order too many is better than a forgotten parcel.
        test=flag(data.get("test")) is True,
        mall_delivery=flag(data.get("mdp")) is not False,
        external_id=_reference(data.get("external_id"), data.get("external_order_id")),
        purchase_id=_reference(data.get("purchase_id")),
        tracking_numbers=tuple(dict.fromkeys(_tracking_numbers(data))),
        tracking_url=web_address(data.get("tracking_url")),
        items=tuple(_items(data.get("items"), currency)),
        currency=currency,
        cod=cod if cod and cod.amount > 0 else None,
        shipped_at=moment(data.get("shipped"), zone),
        first_delivery_attempt=moment(data.get("first_delivery_attempt"), zone),
    )


def comes_back(data: object) -> bool:
    """Return whether the histories in an order's detail say that its parcel is coming back."""
    if not isinstance(data, dict):
        return False
    # Recorded answers call the carrier's code `code`, the official client `status`.
    carrier, branch = data.get("consignment_status_history"), data.get("ulozenka_status_history")
    codes = {
        str(event.get(key)).upper() for event in _objects(carrier) for key in ("code", "status")
    }
    expired = any(number(event.get("id")) == _EXPIRED for event in _objects(branch))
    return expired or not codes.isdisjoint(_RETURN_CODES)


def moment(value: object, zone: ZoneInfo) -> datetime | None:
    """Return a local `Y-m-d H:i:s` or `Y-m-d` (its first moment) as an instant in UTC."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        return to_utc(datetime.fromisoformat(value), zone)
    except ValueError:  # a day or time that no calendar has
        return None


def _objects(value: object) -> Iterator[dict[str, Any]]:
    return (row for row in value if isinstance(row, dict)) if isinstance(value, list) else iter(())


def _status(value: object) -> OrderStatus | None:
    word = text(value) if isinstance(value, str) else None
    return _STATUSES.get(word.lower(), OrderStatus.OTHER) if word else None


def _money(value: object, currency: str | None) -> Money | None:
    money = amount(value)
    # An amount without a currency could mean any.
    return Money(money, currency) if money is not None and currency else None


def _reference(*values: object) -> str | None:
    """Return the first usable value; the marketplace writes 0 where the seller has no number."""
    return next((word for word in map(text, values) if word and word != "0"), None)


def _tracking_numbers(data: dict[str, Any]) -> Iterator[str]:
    """Yield the number of every parcel: the main one first, then those in the carrier's events."""
    for row in (data, *_objects(data.get("consignment_status_history"))):
        if tracking_number := text(row.get("tracking_number")):
            yield tracking_number


def _items(value: object, currency: str | None) -> Iterator[Item]:
    for row in _objects(value):
        sku, article_id = _reference(row.get("id")), _reference(row.get("article_id"))
        yield Item(
            title=text(row.get("title")) or sku or article_id or "?",
            quantity=number(row.get("quantity")) or 1,
            sku=sku,
            article_id=article_id,
            price=_money(row.get("price"), currency),
        )
