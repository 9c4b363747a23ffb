"""The list of order columns, for mail, terminal, CSV, XLSX and JSON alike.

Columns hold plain values; each output formats them itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from notifier.domain.digest import Entry
from notifier.domain.links import carrier_url
from notifier.i18n.language import Money

Value = str | int | bool | Decimal | date | datetime | None


class ColumnKind(Enum):
    """The type of a column's values."""

    TEXT = "text"
    NUMBER = "number"
    REFERENCE = "number of an order"
    """An integer, or a text where the source has numbers that are not integers."""
    YES_NO = "yes or no"
    DATE = "date"
    INSTANT = "instant"
    """Aware; its day is the day in its own zone."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    """The stable name for programs and for the configuration."""
    heading: str
    """The English heading, and the key of its translation."""
    value: Callable[[Entry], Value]
    kind: ColumnKind = ColumnKind.TEXT

    @property
    def numeric(self) -> bool:
        """Whether to align its values to the right."""
        return self.kind in (ColumnKind.NUMBER, ColumnKind.REFERENCE)


def _amount(money: Money | None) -> Decimal | None:
    return money.amount if money else None


def _items(entry: Entry) -> str:
    return "; ".join(f"{item.quantity} × {item.title}" for item in entry.order.items)


def _skus(entry: Entry) -> str:
    return "; ".join(item.sku for item in entry.order.items if item.sku)


def _pieces(entry: Entry) -> int:
    return sum(item.quantity for item in entry.order.items)


_ALL = (
    Column("order", "Order", lambda e: e.order.number or e.order.id, ColumnKind.REFERENCE),
    Column("external_id", "Your order number", lambda e: e.order.external_id),
    Column("tracking", "Tracking number", lambda e: " ".join(e.order.tracking_numbers) or None),
    # Checked here, so that no output prints a link that the marketplace made unsafe.
    Column("tracking_url", "Tracking link", lambda e: carrier_url(e.order.tracking_url)),
    Column("items", "Items", _items),
    Column("sku", "Article", _skus),
    Column("pieces", "Pieces", _pieces, ColumnKind.NUMBER),
    Column("value", "Value", lambda e: _amount(e.order.value), ColumnKind.NUMBER),
    Column("cod", "Cash on delivery", lambda e: _amount(e.order.cod), ColumnKind.NUMBER),
    Column("currency", "Currency", lambda e: e.order.currency),
    Column("shipped", "Shipped", lambda e: e.order.shipped_at, ColumnKind.INSTANT),
    Column(
        "first_attempt",
        "First delivery attempt",
        lambda e: e.order.first_delivery_attempt,
        ColumnKind.INSTANT,
    ),
    Column("first_seen", "First seen", lambda e: e.first_seen, ColumnKind.DATE),
    Column("days", "Days waiting", lambda e: e.days_waiting, ColumnKind.NUMBER),
    Column("overdue", "Overdue", lambda e: e.overdue, ColumnKind.YES_NO),
)

# Names are written in configurations and read by programs, so they stay when a heading changes.
COLUMNS = {column.name: column for column in _ALL}
"""Every column by its name."""

# All columns would not fit a terminal of usual width.
DEFAULT = ("order", "external_id", "tracking", "items", "value", "cod", "shipped", "days")
"""The columns on the terminal, unless others are requested."""


def select_columns(names: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of these names, all if there are none; KeyError has an unknown name."""
    return tuple(COLUMNS[name] for name in names or COLUMNS)
