"""The orders of one world: which there are, and how they are at the present instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from notifier.simulator.clock import Clock, Stamps
from notifier.simulator.filters import Selection
from notifier.simulator.lifecycle import DAY
from notifier.simulator.orders import Order, Seen
from notifier.simulator.population import Crowd, first_day, order_id, shipments

MINUTE = timedelta(minutes=1)
FIRST_SET_BY_HAND = 900_000


@dataclass(slots=True)
class OrderBook:
    """All orders of a world. Those of later days come into being when their day is reached."""

    crowd: Crowd
    seed: int
    start: datetime
    clock: Clock
    zone: ZoneInfo
    _orders: dict[int, Order] = field(default_factory=dict)
    _days_shipped: int = 0
    _numbers: int = 0
    _ids_set_by_hand: int = 0
    _edits: int = 0
    _found: tuple[object, list[Seen]] = (None, [])

    def __post_init__(self) -> None:
        self._add(first_day(self.crowd, self.seed, self.start))

    @property
    def moment(self) -> datetime:
        """The instant orders are seen at: a full minute after the start, so that a list can be
        remembered while the clock runs."""
        reached = self.clock.reached
        return reached - (reached - self.start) % MINUTE

    def __iter__(self) -> Iterator[Seen]:
        """Every order that exists now, in no promised sequence."""
        at, stamps = self._reach(), self._stamps
        for order in self._orders.values():
            if order.opened_at <= at:
                yield Seen(order, at, stamps, self.seed)

    def seen(self, order_id: int) -> Seen | None:
        """One order; None when there is no such order, or not yet."""
        at = self._reach()
        order = self._orders.get(order_id)
        if order is None or order.opened_at > at:
            return None
        return Seen(order, at, self._stamps, self.seed)

    def find(self, selection: Selection) -> list[Seen]:
        """The orders of a list. The last one is remembered: a list has many pages."""
        state = (selection, self._edits, self.moment)
        if self._found[0] != state:
            self._found = (state, selection.of(self))
        return self._found[1]

    def __getitem__(self, order_id: int) -> Order:
        """One order as it is stored; KeyError."""
        return self._orders[order_id]

    def put(self, order: Order) -> None:
        """Add an order, or replace the one with its id."""
        self._orders[order.id] = order
        self._edits += 1

    def remove(self, order_id: int) -> None:
        """Forget an order; KeyError."""
        del self._orders[order_id]
        self._edits += 1

    def free_id(self) -> int:
        """An id that no order has or will have by itself."""
        self._ids_set_by_hand += 1
        return order_id(self.seed, FIRST_SET_BY_HAND + self._ids_set_by_hand)

    @property
    def _stamps(self) -> Stamps:
        return Stamps(self.zone, self.clock.shown)

    def _reach(self) -> datetime:
        """Let the days up to tomorrow be shipped: some of tomorrow's orders are open already."""
        at = self.moment
        wanted = -((self.start - at) // DAY) + 1
        while self._days_shipped < wanted:
            self._days_shipped += 1
            day = self._days_shipped
            self._add(shipments(self.crowd, self.seed, self.start, day, self._numbers))
        return at

    def _add(self, orders: list[Order]) -> None:
        self._orders.update((order.id, order) for order in orders)
        self._numbers += len(orders)
