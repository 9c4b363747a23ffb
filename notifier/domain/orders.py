"""Orders, without any data of the buyer: what is never read cannot leak."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from notifier.i18n.language import Money

# Databases write 9999-12-31 for "never", which has no date in the time zones east of UTC.
YEARS = range(2000, 2200)
"""The plausible years of a date of an order."""


class OrderStatus(StrEnum):
    """Status of an order at the marketplace; `OTHER` stands for unknown ones."""

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
    """One order as its source describes it. Times are aware and in UTC."""

    id: int
    status: OrderStatus
    ready_to_return: bool
    number: str | None = None
    """The number shown to people, if the source has numbers that are not integers."""
    test: bool = False
    mall_delivery: bool = True
    external_id: str | None = None
    purchase_id: str | None = None
    tracking_numbers: tuple[str, ...] = ()
    tracking_url: str | None = None
    items: tuple[Item, ...] = ()
    currency: str | None = None
    cod: Money | None = None
    """Cash on delivery that the buyer was to pay; None if the order was prepaid."""
    shipped_at: datetime | None = None
    first_delivery_attempt: datetime | None = None

    def waits_for_seller(self, *, test_orders: bool = False) -> bool:
        """Return whether its parcel is ready for the seller (marketplace help: returns)."""
        return (
            self.status is OrderStatus.SHIPPED
            and self.ready_to_return
            and (test_orders or not self.test)
        )

    def in_zone(self, zone: ZoneInfo) -> Order:
        """Return the order with its times in this time zone."""
        return replace(
            self,
            shipped_at=self.shipped_at and self.shipped_at.astimezone(zone),
            first_delivery_attempt=self.first_delivery_attempt
            and self.first_delivery_attempt.astimezone(zone),
        )

    @property
    def display_number(self) -> str:
        return self.number or str(self.id)

    @property
    def value(self) -> Money | None:
        """Price of all items together; None if no item has a price."""
        prices = [(item.price, item.quantity) for item in self.items if item.price is not None]
        if not prices:
            return None
        amount = sum((price.amount * quantity for price, quantity in prices), Decimal(0))
        return Money(amount, prices[0][0].currency)


def total(amounts: Iterable[Money | None]) -> tuple[Money, ...]:
    """Return the sum of each currency, the largest first; None counts as nothing."""
    # Never across currencies: there is no rate that every reader would agree with.
    sums: dict[str, Decimal] = {}
    for money in amounts:
        if money is not None:
            sums[money.currency] = sums.get(money.currency, Decimal(0)) + money.amount
    ordered = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Money(amount, currency) for currency, amount in ordered)
