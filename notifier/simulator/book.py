"""The clock of one world and its orders, as they are at the present instant."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from notifier.simulator.filters import Selection
from notifier.simulator.orders import DAY, OrderView, SimulatedOrder, SimulatedStatus
from notifier.simulator.population import Population, order_id

MINUTE = timedelta(minutes=1)
FIRST_NUMBER_BY_HAND = 900_000

TimeSource = Callable[[], datetime]


@dataclass(slots=True)
class Clock:
    """Time of one world: that of `source`, plus the days it was advanced by.

    With `stays`, advancing makes the orders older instead of the displayed time later. A notifier
    on this machine's clock needs that: it rightly refuses a marketplace whose `Date` is days off.
    """

    source: TimeSource
    stays: bool = False
    _advanced: timedelta = field(default_factory=timedelta)

    def advance(self, days: int) -> None:
        """Let days pass."""
        self._advanced += timedelta(days=days)

    @property
    def order_time(self) -> datetime:
        """Time in the life of the orders (UTC); later than `now` after advancing with `stays`."""
        return self.source().astimezone(UTC) + self._advanced

    @property
    def now(self) -> datetime:
        """Time that answers show, in UTC."""
        return self.displayed(self.order_time)

    def displayed(self, order_time: datetime) -> datetime:
        """Convert an instant in the life of the orders to the one that answers show."""
        return order_time - self._advanced if self.stays else order_time


@dataclass(slots=True)
class OrderBook:
    """All orders of a world. Those of later days are made when their day is reached.

    Orders that have left `shipped` are kept apart, so that lists stay fast in a long season.
    """

    population: Population
    seed: int
    start: datetime
    clock: Clock
    zone: ZoneInfo
    _orders: dict[int, SimulatedOrder] = field(default_factory=dict)
    _departed: dict[int, SimulatedOrder] = field(default_factory=dict)
    _departures: deque[tuple[datetime, list[int]]] = field(default_factory=deque)
    """Ids by the time they were moved to `_departed`, oldest first."""
    _sorted_at: datetime | None = None
    _days_shipped: int = 0
    _numbers: int = 0
    _ids_by_hand: int = 0
    _edits: int = 0
    _found: tuple[object, list[OrderView]] = (None, [])

    def __post_init__(self) -> None:
        self._add(self.population.first_day(self.seed, self.start))

    @property
    def moment(self) -> datetime:
        """Instant at which orders are viewed: the last full minute since the start."""
        # Full minutes, so that a list can be cached while the clock runs.
        order_time = self.clock.order_time
        return order_time - (order_time - self.start) % MINUTE

    def __iter__(self) -> Iterator[OrderView]:
        """Yield every order that exists now, in no particular sequence."""
        at = self._update()
        for order in chain(self._orders.values(), self._departed.values()):
            if order.opened_at <= at:
                yield OrderView(order, at, self.seed, self._local)

    def shipped(self) -> Iterator[OrderView]:
        """Yield the orders that are `shipped` now; faster than filtering all."""
        at = self._update()
        for order in self._orders.values():
            if order.status_at(at) == SimulatedStatus.SHIPPED:
                yield OrderView(order, at, self.seed, self._local)

    def view(self, order_id: int) -> OrderView | None:
        """Return one order as it is now; None when it does not exist, or not yet."""
        at = self._update()
        order = self._orders.get(order_id) or self._departed.get(order_id)
        if order is None or order.opened_at > at:
            return None
        return OrderView(order, at, self.seed, self._local)

    def changes(self, since: datetime) -> list[tuple[datetime, int]]:
        """Return the time and order id of each change of a status or flag after `since`."""
        at = self._update()
        # Orders that departed before `since` have no later change.
        ids = chain.from_iterable(ids for when, ids in self._departures if when > since)
        departed = (self._departed[id_] for id_ in ids if id_ in self._departed)
        return sorted(
            (instant, order.id)
            for order in chain(self._orders.values(), departed)
            for instant in order.changes()
            if since < instant <= at
        )

    def find(self, selection: Selection) -> list[OrderView]:
        """Return the orders of a list. The last list is cached, because it is read page by page."""
        key = (selection, self._edits, self.moment)
        if self._found[0] != key:
            orders = self.shipped() if selection.only_shipped else self
            self._found = (key, selection.of(orders))
        return self._found[1]

    def __getitem__(self, order_id: int) -> SimulatedOrder:
        """Return one order as it is stored. Raise KeyError when it is unknown."""
        return self._orders.get(order_id) or self._departed[order_id]

    def put(self, order: SimulatedOrder) -> None:
        """Add an order, or replace the one with its id."""
        self._departed.pop(order.id, None)
        self._orders[order.id] = order
        self._edits += 1

    def remove(self, order_id: int) -> None:
        """Remove an order. Raise KeyError when it is unknown."""
        del (self._orders if order_id in self._orders else self._departed)[order_id]
        self._edits += 1

    def free_id(self) -> int:
        """Return an id that no other order has or will get."""
        self._ids_by_hand += 1
        return order_id(self.seed, FIRST_NUMBER_BY_HAND + self._ids_by_hand)

    def _local(self, order_time: datetime) -> datetime:
        return self.clock.displayed(order_time).astimezone(self.zone)

    def _add(self, orders: list[SimulatedOrder]) -> None:
        self._orders.update((order.id, order) for order in orders)
        self._numbers += len(orders)

    def _update(self) -> datetime:
        """Ship what is due by now, set departed orders apart, and return the present instant."""
        at = self.moment
        # One day more, because some orders of tomorrow's shipment are open already.
        wanted = -((self.start - at) // DAY) + 1
        while self._days_shipped < wanted:
            self._days_shipped += 1
            day, first = self._days_shipped, self._numbers
            self._add(self.population.shipments(self.seed, self.start, day, first))
        if self._sorted_at is None or not timedelta() <= at - self._sorted_at < DAY:
            self._set_departed_apart(at)
        return at

    def _set_departed_apart(self, at: datetime) -> None:
        if self._sorted_at is not None and at < self._sorted_at:
            # The clock was set back, so departed orders may be in transit again.
            self._orders |= self._departed
            self._departed.clear()
            self._departures.clear()
        self._sorted_at = at
        # An order set by hand does not follow its journey any more.
        by_journey = (order for order in self._orders.values() if order.status is None)
        departed = [order.id for order in by_journey if order.ends_at <= at]
        for id_ in departed:
            self._departed[id_] = self._orders.pop(id_)
        self._departures.append((at, departed))
        self._forget(at)

    def _forget(self, at: datetime) -> None:
        if (kept_for := self.population.forgets_after) is None:
            return
        while self._departures[0][0] + kept_for <= at:
            _, ids = self._departures.popleft()
            for id_ in ids:
                self._departed.pop(id_, None)
