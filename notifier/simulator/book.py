"""The orders of one world: which there are, and how they are at the present instant."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from notifier.simulator.clock import Clock, Stamps
from notifier.simulator.filters import Selection
from notifier.simulator.lifecycle import DAY, SimulatedStatus
from notifier.simulator.orders import SimulatedOrder, VisibleState
from notifier.simulator.population import Population, order_id

MINUTE = timedelta(minutes=1)
FIRST_SET_BY_HAND = 900_000


@dataclass(slots=True)
class OrderBook:
    """All orders of a world. Those of later days come into being when their day is reached.

    Those that have left `shipped` lie apart, so that a season may be long.
    """

    population: Population
    seed: int
    start: datetime
    clock: Clock
    zone: ZoneInfo
    _orders: dict[int, SimulatedOrder] = field(default_factory=dict)
    _departed: dict[int, SimulatedOrder] = field(default_factory=dict)
    _leavers: deque[tuple[datetime, list[int]]] = field(default_factory=deque)
    """Who was laid apart when; the last ones last."""
    _sorted_at: datetime | None = None
    _days_shipped: int = 0
    _numbers: int = 0
    _ids_set_by_hand: int = 0
    _edits: int = 0
    _found: tuple[object, list[VisibleState]] = (None, [])

    def __post_init__(self) -> None:
        self._add(self.population.first_day(self.seed, self.start))

    @property
    def moment(self) -> datetime:
        """The instant orders are seen at: a full minute after the start, so that a list can be
        remembered while the clock runs."""
        reached = self.clock.reached
        return reached - (reached - self.start) % MINUTE

    def __iter__(self) -> Iterator[VisibleState]:
        """Every order that exists now, in no promised sequence."""
        at = self._reach()
        yield from self._seen_of(self._orders, at)
        yield from self._seen_of(self._departed, at)

    def shipped(self) -> Iterator[VisibleState]:
        """Those that are `shipped` now; quicker than to look at all."""
        at, stamps = self._reach(), self._stamps
        for order in self._orders.values():
            if order.status_at(at) == SimulatedStatus.SHIPPED:
                yield VisibleState(order, at, stamps, self.seed)

    def seen(self, order_id: int) -> VisibleState | None:
        """One order; None when there is no such order, or not yet."""
        at = self._reach()
        order = self._orders.get(order_id) or self._departed.get(order_id)
        if order is None or order.opened_at > at:
            return None
        return VisibleState(order, at, self._stamps, self.seed)

    def changes(self, since: datetime) -> list[tuple[datetime, int]]:
        """Changes of a status or a flag after `since`, up to now: when, and of which order."""
        at = self._reach()
        left = (ids for when, ids in self._leavers if when > since)
        departed = (self._departed.get(id_) for ids in left for id_ in ids)
        return sorted(
            (instant, order.id)
            for order in chain(self._orders.values(), departed)
            if order is not None
            for instant in order.changes()
            if since < instant <= at
        )

    def find(self, selection: Selection) -> list[VisibleState]:
        """The orders of a list. The last one is remembered: a list has many pages."""
        state = (selection, self._edits, self.moment)
        if self._found[0] != state:
            orders = self.shipped() if selection.only_shipped else self
            self._found = (state, selection.of(orders))
        return self._found[1]

    def __getitem__(self, order_id: int) -> SimulatedOrder:
        """One order as it is stored; KeyError."""
        return self._orders.get(order_id) or self._departed[order_id]

    def put(self, order: SimulatedOrder) -> None:
        """Add an order, or replace the one with its id."""
        self._departed.pop(order.id, None)
        self._orders[order.id] = order
        self._edits += 1

    def remove(self, order_id: int) -> None:
        """Forget an order; KeyError."""
        del (self._orders if order_id in self._orders else self._departed)[order_id]
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
            day, first = self._days_shipped, self._numbers
            self._add(self.population.shipments(self.seed, self.start, day, first))
        if self._sorted_at is None or not timedelta() <= at - self._sorted_at < DAY:
            self._sort_out(at)
        return at

    def _add(self, orders: list[SimulatedOrder]) -> None:
        self._orders.update((order.id, order) for order in orders)
        self._numbers += len(orders)

    def _sort_out(self, at: datetime) -> None:
        """Lay apart what has departed, and forget what departed long ago.

        Also when the clock was set back: then what lies apart may be on its way again.
        """
        if self._sorted_at is not None and at < self._sorted_at:
            self._orders |= self._departed
            self._departed.clear()
            self._leavers.clear()
        self._sorted_at = at
        ends = ((order, order.departs_at) for order in self._orders.values())
        gone = [order.id for order, end in ends if end is not None and end <= at]
        for id_ in gone:
            self._departed[id_] = self._orders.pop(id_)
        self._leavers.append((at, gone))
        self._forget(at)

    def _forget(self, at: datetime) -> None:
        if (long := self.population.forgets_after) is None:
            return
        while self._leavers[0][0] + long <= at:
            _, ids = self._leavers.popleft()
            for id_ in ids:
                self._departed.pop(id_, None)

    def _seen_of(
        self, orders: Mapping[int, SimulatedOrder], at: datetime
    ) -> Iterator[VisibleState]:
        stamps = self._stamps
        for order in orders.values():
            if order.opened_at <= at:
                yield VisibleState(order, at, stamps, self.seed)
