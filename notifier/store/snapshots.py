"""Snapshots: the orders that waited at the end of a run, as JSON. An order has no buyer in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select

from notifier.domain.digest import KnownOrder
from notifier.domain.orders import Item, Order, OrderStatus
from notifier.i18n.language import Money
from notifier.store.tables import snapshots


def save_snapshot(connection: Connection, run_id: int, known: Mapping[int, KnownOrder]) -> None:
    """Store the orders that waited at the end of a run."""
    rows = [
        {
            "run_id": run_id,
            "order_id": order_id,
            "first_seen": order.first_seen,
            "record": dump_order(order.order),
        }
        for order_id, order in known.items()
    ]
    if rows:
        connection.execute(insert(snapshots), rows)


def load_snapshot(connection: Connection, run_id: int) -> dict[int, KnownOrder]:
    """Return the orders that waited at the end of a run, by id; none once they are erased."""
    rows = connection.execute(select(snapshots).where(snapshots.c.run_id == run_id))
    return {row.order_id: KnownOrder(row.first_seen, load_order(row.record)) for row in rows}


def dump_order(order: Order) -> str:
    """Return an order as one line of JSON without empty fields."""
    # json.dumps returns ASCII, and so escapes the characters that a database would refuse.
    fields = {
        "id": order.id,
        "status": order.status.value,
        "ready": order.ready_to_return,
        "number": order.number,
        "test": order.test or None,
        "mall_delivery": order.mall_delivery or None,
        "external_id": order.external_id,
        "purchase_id": order.purchase_id,
        "tracking": order.tracking_numbers or None,
        "tracking_url": order.tracking_url,
        "items": [_without_none(_item_fields(item)) for item in order.items] or None,
        "currency": order.currency,
        "cod": _money_fields(order.cod),
        "shipped_at": _instant(order.shipped_at),
        "first_attempt": _instant(order.first_delivery_attempt),
    }
    return json.dumps(_without_none(fields), separators=(",", ":"))


def load_order(text: str) -> Order:
    """Return the order that `dump_order` wrote."""
    data: dict[str, Any] = json.loads(text)
    return Order(
        id=data["id"],
        status=OrderStatus(data["status"]),
        ready_to_return=data["ready"],
        number=data.get("number"),
        test=data.get("test", False),
        mall_delivery=data.get("mall_delivery", False),
        external_id=data.get("external_id"),
        purchase_id=data.get("purchase_id"),
        tracking_numbers=tuple(data.get("tracking", ())),
        tracking_url=data.get("tracking_url"),
        items=tuple(_load_item(item) for item in data.get("items", ())),
        currency=data.get("currency"),
        cod=_load_money(data.get("cod")),
        shipped_at=_load_instant(data.get("shipped_at")),
        first_delivery_attempt=_load_instant(data.get("first_attempt")),
    )


def _item_fields(item: Item) -> dict[str, Any]:
    return {
        "title": item.title,
        "quantity": item.quantity,
        "sku": item.sku,
        "article_id": item.article_id,
        "price": _money_fields(item.price),
    }


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


# As text, since a number in JSON would become a float.
def _money_fields(money: Money | None) -> list[str] | None:
    return [str(money.amount), money.currency] if money else None


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _load_item(data: dict[str, Any]) -> Item:
    return Item(
        title=data["title"],
        quantity=data["quantity"],
        sku=data.get("sku"),
        article_id=data.get("article_id"),
        price=_load_money(data.get("price")),
    )


def _load_money(data: list[str] | None) -> Money | None:
    return Money(Decimal(data[0]), data[1]) if data else None


def _load_instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
