"""Orders as we speak of them. The buyer does not occur here: nothing we do needs one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from notifier.i18n.language import Money

YEARS = range(2000, 2200)
"""In which something may have happened to an order. Databases write 9999-12-31 for "never", and
on the clocks of another zone that is a day which cannot be told."""


class OrderStatus(StrEnum):
    """Status of an order at the marketplace; `OTHER` is one this program does not know."""

    BLOCKED = "blocked"
    OPEN = "open"
    SHIPPING = "shipping"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"
    LOST = "lost"
    CANCELLED = "cancelled"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order. `sku` is the seller's own number, `article_id` the marketplace's."""

    title: str
    quantity: int
    sku: str | None = None
    article_id: str | None = None
    price: Money | None = None
    """Price of one piece."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the marketplace told of one order. Times are aware and in UTC."""

    id: int
    status: OrderStatus
    ready_to_return: bool
    number: str | None = None
    """What people call it, where its source has numbers that are not whole ones."""
    test: bool = False
    mall_delivery: bool = True
    external_id: str | None = None
    purchase_id: str | None = None
    tracking_numbers: tuple[str, ...] = ()
    tracking_url: str | None = None
    items: tuple[Item, ...] = ()
    currency: str | None = None
    cod: Money | None = None
    """Cash on delivery the buyer was to pay; None when the order was prepaid."""
    shipped_at: datetime | None = None
    first_delivery_attempt: datetime | None = None

    def waits_for_seller(self, *, test_orders: bool = False) -> bool:
        """Whether its parcel lies ready for the seller to collect (marketplace help: returns)."""
        return (
            self.status is OrderStatus.SHIPPED
            and self.ready_to_return
            and (test_orders or not self.test)
        )

    def on_clocks_of(self, zone: ZoneInfo) -> Order:
        """The same, with its times as they are told there."""
        return replace(
            self,
            shipped_at=self.shipped_at and self.shipped_at.astimezone(zone),
            first_delivery_attempt=self.first_delivery_attempt
            and self.first_delivery_attempt.astimezone(zone),
        )

    @property
    def called(self) -> str:
        """Its number as people know it."""
        return self.number or str(self.id)

    @property
    def value(self) -> Money | None:
        """Price of all items together; None when no item tells one."""
        prices = [(item.price, item.quantity) for item in self.items if item.price is not None]
        if not prices:
            return None
        amount = sum((price.amount * quantity for price, quantity in prices), Decimal(0))
        return Money(amount, prices[0][0].currency)


def total(amounts: Iterable[Money | None]) -> tuple[Money, ...]:
    """Sum per currency, largest sum first; None does not count."""
    sums: dict[str, Decimal] = {}
    for money in amounts:
        if money is not None:
            sums[money.currency] = sums.get(money.currency, Decimal(0)) + money.amount
    ordered = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Money(amount, currency) for currency, amount in ordered)
