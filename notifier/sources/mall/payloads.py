"""The marketplace's JSON and our orders: the only place that knows the names of its fields.

What a buyer is called and where one lives stands in the same objects; those fields are not read.
Plain functions instead of models: a tolerant model says of every field twice what `fields` says
once, and takes several times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from notifier.domain.orders import Item, Order, OrderStatus
from notifier.i18n.language import Money
from notifier.sources.mall.fields import amount, flag, moment, number, text

_ON_THE_WAY_BACK = frozenset({"RETURNING", "RETURNED"})
_EXPIRED = 22
"""At a pick-up point: the time for collecting it is over."""
_STATUSES = {status.value: status for status in OrderStatus}


class UnreadableOrder(Exception):
    """Something is missing without which nothing can be said about an order."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """An order in the list; None where the row does not tell. Whether it waits, no row tells."""

    id: int
    status: OrderStatus | None = None
    mall_delivery: bool | None = None
    test: bool | None = None
    shipped_at: datetime | None = None

    def may_wait(self, *, test_orders: bool) -> bool:
        """Whether its detail is worth a call. What the row does not tell, speaks for it."""
        return (
            self.status in (None, OrderStatus.SHIPPED)
            and self.mall_delivery is not False
            and (test_orders or self.test is not True)
        )


def parse_row(data: object, zone: ZoneInfo) -> ListRow | None:
    """Read one row of the list, or a bare id in its place; None when it has no usable id."""
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
    """Read the `data` of an order's detail; `zone` is where its timestamps were written.

    Raises UnreadableOrder when it has no id or status, or when it is shipped and does not tell
    whether it is ready: taking that for "no" would hide a parcel.
    """
    if not isinstance(data, dict):
        raise UnreadableOrder("it is no object")
    id_, status = number(data.get("id")), _status(data.get("status"))
    if not id_ or status is None:
        raise UnreadableOrder("it has no id or no status")
    ready = flag(data.get("ready_to_return"))
    if ready is None and status is OrderStatus.SHIPPED:
        raise UnreadableOrder("it does not tell whether it is ready to return")
    currency = _currency(data.get("currency"))
    cod = _money(data.get("cod"), currency)
    return Order(
        id=id_,
        status=status,
        ready_to_return=bool(ready),
        test=flag(data.get("test")) is True,
        mall_delivery=flag(data.get("mdp")) is not False,
        external_id=_reference(data.get("external_id"), data.get("external_order_id")),
        purchase_id=_reference(data.get("purchase_id")),
        tracking_numbers=tuple(dict.fromkeys(_tracking_numbers(data))),
        tracking_url=_url(data.get("tracking_url")),
        items=tuple(_items(data.get("items"), currency)),
        currency=currency,
        cod=cod if cod and cod.amount > 0 else None,
        shipped_at=moment(data.get("shipped"), zone),
        first_delivery_attempt=moment(data.get("first_delivery_attempt"), zone),
    )


def comes_back(data: object) -> bool:
    """Whether the histories of an order's detail say that its parcel is on its way back.

    Either of them may be missing, and the carrier's calls its word `code` or `status`.
    """
    if not isinstance(data, dict):
        return False
    carrier, branch = data.get("consignment_status_history"), data.get("ulozenka_status_history")
    words = {
        str(event.get(key)).upper() for event in _objects(carrier) for key in ("code", "status")
    }
    expired = any(number(event.get("id")) == _EXPIRED for event in _objects(branch))
    return expired or not words.isdisjoint(_ON_THE_WAY_BACK)


def _objects(value: object) -> Iterator[dict[str, Any]]:
    return (row for row in value if isinstance(row, dict)) if isinstance(value, list) else iter(())


def _status(value: object) -> OrderStatus | None:
    word = text(value) if isinstance(value, str) else None
    return _STATUSES.get(word.lower(), OrderStatus.OTHER) if word else None


def _currency(value: object) -> str | None:
    code = text(value)
    return code.upper() if code and len(code) == 3 and code.isascii() and code.isalpha() else None


def _money(value: object, currency: str | None) -> Money | None:
    money = amount(value)
    return Money(money, currency) if money is not None and currency else None


def _reference(*values: object) -> str | None:
    """The first that names something; the marketplace writes 0 where the seller has no number."""
    return next((word for word in map(text, values) if word and word != "0"), None)


def _url(value: object) -> str | None:
    address = text(value)
    usable = address and address.startswith(("https://", "http://")) and " " not in address
    return address if usable else None


def _tracking_numbers(data: dict[str, Any]) -> Iterator[str]:
    """Every parcel of the order: the main one first, then those its carrier events name."""
    events = data.get("consignment_status_history")
    rows = [data, *events] if isinstance(events, list) else [data]
    for row in rows:
        tracking_number = text(row.get("tracking_number")) if isinstance(row, dict) else None
        if tracking_number:
            yield tracking_number


def _items(value: object, currency: str | None) -> Iterator[Item]:
    for row in value if isinstance(value, list) else ():
        if isinstance(row, dict):
            sku, article_id = _reference(row.get("id")), _reference(row.get("article_id"))
            yield Item(
                title=text(row.get("title")) or sku or article_id or "?",
                quantity=number(row.get("quantity")) or 1,
                sku=sku,
                article_id=article_id,
                price=_money(row.get("price"), currency),
            )
