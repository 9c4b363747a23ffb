"""What one row says of an order: the only place that knows what our columns are for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from itertools import zip_longest

from notifier.domain.orders import Item, Order, OrderStatus
from notifier.domain.settings import FileAccess
from notifier.i18n.foreign_text import folded
from notifier.i18n.language import Money
from notifier.sources.file import fields
from notifier.sources.file.records import Record

MOST_ITEMS = 200


class RowState(Enum):
    """What a row says of its order."""

    WAITS = "it waits"
    COLLECTED = "it was collected"
    OTHERWISE = "it is in another state"


class UnreadableRow(Exception):
    """Something is missing without which a row says nothing; `number` is its order, if known."""

    def __init__(self, why: str, number: str | None = None) -> None:
        super().__init__(why)
        self.number = number


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row, understood."""

    says: RowState
    order: Order
    raw: str


def read_row(record: Record, access: FileAccess) -> FileRow:
    """Read one row; raises UnreadableRow."""
    number = _number(record)
    says = _says(record, access, number)
    coin = fields.currency(_first(record, "currency")) or access.currency
    cod = _money(_first(record, "cod"), coin, access)
    order = Order(
        id=fields.order_id(number),
        status=OrderStatus.SHIPPED if says is RowState.WAITS else OrderStatus.OTHER,
        ready_to_return=says is RowState.WAITS,
        number=None if number == str(fields.order_id(number)) else number,
        external_id=fields.text(_first(record, "external_id")),
        tracking_numbers=tuple(dict.fromkeys(_texts(record, "tracking"))),
        tracking_url=fields.web_address(_first(record, "tracking_url")),
        items=tuple(_items(record, coin, access))[:MOST_ITEMS],
        currency=coin,
        cod=cod if cod and cod.amount > 0 else None,
        shipped_at=fields.moment(_first(record, "shipped"), access.zone, access.date_format),
        first_delivery_attempt=fields.moment(
            _first(record, "first_attempt"), access.zone, access.date_format
        ),
    )
    return FileRow(says, order, record.raw)


def together(rows: Sequence[FileRow]) -> tuple[Order, bool]:
    """The order of several rows, one for each item or parcel, and whether they agree about it.

    A row that is there twice counts once. Where they do not agree, the first one counts.
    """
    orders = [
        row.order for row in {(row.raw or index): row for index, row in enumerate(rows)}.values()
    ]
    first = orders[0]
    items = tuple(item for order in orders for item in order.items)[:MOST_ITEMS]
    parcels = tuple(dict.fromkeys(n for order in orders for n in order.tracking_numbers))
    agree = all(_without_parts(order) == _without_parts(first) for order in orders)
    return replace(first, items=items, tracking_numbers=parcels), agree


def _without_parts(order: Order) -> Order:
    return replace(order, items=(), tracking_numbers=())


def _number(record: Record) -> str:
    number = fields.text(_first(record, "id"))
    if number is None:
        raise UnreadableRow("it has no order number")
    return number


def _says(record: Record, access: FileAccess, number: str) -> RowState:
    if "ready" not in access.columns:
        return RowState.WAITS
    values = record.values["ready"]
    if len(values) != 1:
        # Taking that for "no" would hide a parcel.
        raise UnreadableRow("it does not tell whether it waits", number)
    said = folded(fields.text(values[0]) or "")
    if said in access.ready_values:
        return RowState.WAITS
    return RowState.COLLECTED if said in access.collected_values else RowState.OTHERWISE


def _first(record: Record, ours: str) -> object:
    values = record.values.get(ours, ())
    return values[0] if values else None


def _texts(record: Record, ours: str) -> Iterator[str]:
    return (word for word in map(fields.text, record.values.get(ours, ())) if word)


def _items(record: Record, coin: str | None, access: FileAccess) -> Iterator[Item]:
    """One for each title or article number; what belongs together has the same index."""
    columns = [record.values.get(ours, ()) for ours in ("title", "sku", "quantity", "price")]
    for title, sku, quantity, price in zip_longest(*columns):
        name = fields.text(title) or fields.text(sku)
        if name:
            pieces = fields.quantity(quantity) or 1
            yield Item(name, pieces, sku=fields.text(sku), price=_money(price, coin, access))


def _money(value: object, coin: str | None, access: FileAccess) -> Money | None:
    found: Decimal | None = fields.amount(value, access.decimal)
    return Money(found, coin) if found is not None and coin else None
