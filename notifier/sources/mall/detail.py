"""One order in full: the call that tells whether it waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from notifier.domain.orders import Order
from notifier.domain.reading_plan import OrderState
from notifier.sources.mall.calls import Calls
from notifier.sources.mall.payloads import UnreadableOrder, comes_back, parse_order

_MOST_BYTES = 2 * 2**20


@dataclass(frozen=True, slots=True)
class Detail:
    """An order, and whether its history says that it is on its way back."""

    order: Order
    comes_back: bool

    def state(
        self, today: date, zone: ZoneInfo, *, listed_as: datetime | None, test_orders: bool
    ) -> OrderState:
        """What to remember of it; `listed_as` is when its row says that it was shipped."""
        shipped_at = self.order.shipped_at or listed_as
        return OrderState(
            local_day(shipped_at, zone),
            today,
            waits=self.order.waits_for_seller(test_orders=test_orders),
            comes_back=self.comes_back,
        )


async def read_detail(calls: Calls, id_: int, zone: ZoneInfo) -> Detail:
    """Read one order.

    Raises UnreadableOrder where the answer says nothing about it, and what `Calls.get` raises.
    """
    path = f"/v1/orders/{id_}"
    envelope = await calls.get(path, {}, expected=dict, most_bytes=_MOST_BYTES)
    order = parse_order(envelope.data, zone)
    if order.id != id_:
        raise UnreadableOrder("another order came in its place")
    return Detail(order, comes_back(envelope.data))


def local_day(at: datetime | None, zone: ZoneInfo) -> date | None:
    """The marketplace's day of an instant."""
    return at.astimezone(zone).date() if at else None
