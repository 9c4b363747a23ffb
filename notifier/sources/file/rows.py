"""Turn one record of the file into an order: the only place that knows what our columns mean.

A program that exports a list writes numbers as text, flags as words, and amounts the way its
country does. A value that makes no sense becomes None, and never costs an order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import Enum
from hashlib import blake2b
from itertools import zip_longest

from notifier.domain.orders import Item, Order, OrderStatus
from notifier.domain.settings import FileAccess
from notifier.i18n.foreign_text import folded
from notifier.i18n.language import Money
from notifier.sources import values
from notifier.sources.file.parsing import Record

# One order with thousands of items would fill the mail.
MOST_ITEMS = 200

_DIGITS = re.compile(r"[0-9]{1,15}")
_WHOLE = re.compile(r"([0-9]{1,15})(?:[.,]0{1,15})?")
# Groups must have three digits: with a decimal point configured, "1,24" is a wrong `decimal` and
# not the number 124.
_AMOUNTS = {
    ".": re.compile(r"(?:[0-9]{1,15}|[0-9]{1,3}(?:[, '][0-9]{3}){1,4})(?:\.[0-9]{1,15})?"),
    ",": re.compile(r"(?:[0-9]{1,15}|[0-9]{1,3}(?:[. '][0-9]{3}){1,4})(?:,[0-9]{1,15})?"),
}
_AROUND_AMOUNT = re.compile(r"^[A-Z]{3}|[A-Z]{3}$|[€$£]|Kč|zł")
# Exports group thousands by the no-break and thin spaces of their locale.
_NARROW_SPACES = str.maketrans("\u00a0\u202f\u2009’", "   '")


class RowState(Enum):
    """The state of an order, according to one row."""

    WAITS = "it waits"
    COLLECTED = "it was collected"
    OTHER = "it is in another state"


class UnreadableRow(Exception):
    """A row without a value that it needs; `number` is its order's number, if known."""

    def __init__(self, why: str, number: str | None = None) -> None:
        super().__init__(why)
        self.number = number


@dataclass(frozen=True, slots=True)
class FileRow:
    """The meaning of one row."""

    state: RowState
    order: Order
    raw: str


def read_row(record: Record, access: FileAccess) -> FileRow:
    """Read one row; raises UnreadableRow."""
    number = text(record.first("id"))
    if number is None:
        raise UnreadableRow("it has no order number")
    id_, state = order_id(number), _state(record, access, number)
    currency = values.currency_code(text(record.first("currency"))) or access.currency
    cod = _money(record.first("cod"), currency, access)
    numbers = filter(None, map(text, record.values.get("tracking", ())))
    order = Order(
        id=id_,
        status=OrderStatus.SHIPPED if state is RowState.WAITS else OrderStatus.OTHER,
        ready_to_return=state is RowState.WAITS,
        # Only a number that the id does not show is kept.
        number=None if number == str(id_) else number,
        external_id=text(record.first("external_id")),
        tracking_numbers=tuple(dict.fromkeys(numbers)),
        tracking_url=values.web_address(text(record.first("tracking_url"))),
        items=tuple(_items(record, currency, access))[:MOST_ITEMS],
        currency=currency,
        cod=cod if cod and cod.amount > 0 else None,
        shipped_at=moment(record.first("shipped"), access),
        first_delivery_attempt=moment(record.first("first_attempt"), access),
    )
    return FileRow(state, order, record.raw)


def merge_rows(rows: Sequence[FileRow]) -> tuple[Order, bool]:
    """Return the order of several rows, one for each item or parcel, and whether they agree.

    An exact repetition of a row counts once. If the rows do not agree, the first one counts.
    """
    # A join in the export repeats rows; counted twice, they would double the quantities.
    distinct = {(row.raw or index): row.order for index, row in enumerate(rows)}
    first, *_ = orders = list(distinct.values())
    items = tuple(item for order in orders for item in order.items)[:MOST_ITEMS]
    numbers = tuple(dict.fromkeys(n for order in orders for n in order.tracking_numbers))
    agree = all(_without_parts(order) == _without_parts(first) for order in orders)
    return replace(first, items=items, tracking_numbers=numbers), agree


def _without_parts(order: Order) -> Order:
    return replace(order, items=(), tracking_numbers=())


def _state(record: Record, access: FileAccess, number: str) -> RowState:
    if "ready" not in access.columns:
        return RowState.WAITS
    ready = record.values["ready"]
    if len(ready) != 1:
        # Reading this as "no" would hide a parcel.
        raise UnreadableRow("it does not say whether it waits", number)
    state = folded(text(ready[0]) or "")
    if state in access.ready_values:
        return RowState.WAITS
    return RowState.COLLECTED if state in access.collected_values else RowState.OTHER


def _items(record: Record, currency: str | None, access: FileAccess) -> Iterator[Item]:
    """Yield the items; values with the same index belong to the same item."""
    columns = [record.values.get(ours, ()) for ours in ("title", "sku", "quantity", "price")]
    for title, sku, pieces, price in zip_longest(*columns):
        if name := text(title) or text(sku):
            money = _money(price, currency, access)
            yield Item(name, quantity(pieces) or 1, sku=text(sku), price=money)


def _money(value: object, currency: str | None, access: FileAccess) -> Money | None:
    money = amount(value, access)
    # An amount without a currency could mean any.
    return Money(money, currency) if money is not None and currency else None


def text(value: object) -> str | None:
    """Return text on one line; numbers and flags as JSON writes them, None for a list or object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}" if _is_sensible(value) else None
    return values.text(value)


def order_id(number: str) -> int:
    """Return the id of the order that the file calls `number`.

    A whole number is its own id. Any other number ("SI-2026/17", "0017") gets one beyond those:
    62 bits of a hash, so that of 100,000 numbers no two share one by chance.
    """
    # "0017" and "17" may be two orders.
    if _DIGITS.fullmatch(number) and str(int(number)) == number and number != "0":
        return int(number)
    # Not hash(), which differs in each process: tomorrow the order must have the same id.
    digest = int.from_bytes(blake2b(number.encode(), digest_size=8).digest(), "big")
    return 2**62 + (digest >> 2)


def quantity(value: object) -> int | None:
    """Return a number of pieces, also from "2.000" or "2,0"."""
    found = _WHOLE.fullmatch(text(value) or "")
    return int(found[1]) if found and int(found[1]) > 0 else None


def amount(value: object, access: FileAccess) -> Decimal | None:
    """Return money, exact, with `access.decimal` as decimal separator.

    Thousands may be grouped and a currency may be written; nothing else is guessed. A JSON number
    has a separator of its own.
    """
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        exact = Decimal(value)
        return round(exact, 4) if _is_sensible(exact) and exact >= 0 else None
    written = (text(value) or "").translate(_NARROW_SPACES)
    written = _AROUND_AMOUNT.sub("", written).strip()
    if not _AMOUNTS[access.decimal].fullmatch(written):
        return None
    grouping = "." if access.decimal == "," else ","
    return Decimal(re.sub(rf"[{grouping} ']", "", written).replace(",", "."))


def moment(value: object, access: FileAccess) -> datetime | None:
    """Return an instant in UTC, written by `access.date_format` or ISO 8601; a day is its start."""
    written = text(value) or ""
    try:
        if access.date_format:
            local = datetime.strptime(written, access.date_format)  # noqa: DTZ007 - to_utc adds it
        else:
            local = datetime.fromisoformat(written)
    except ValueError:
        return None
    return values.to_utc(local, access.zone)


def _is_sensible(value: Decimal) -> bool:
    # Decimal("1e999999") is finite, but has a million digits when it is written out.
    return value.is_finite() and abs(value.adjusted()) < 15
