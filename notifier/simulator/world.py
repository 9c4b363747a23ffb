"""One seller account at the marketplace: its orders, its clock, its limits, its failures.

An order's course follows from the seed and its number alone, never from which calls were made or
when, so two worlds of one seed play the same story.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from notifier.simulator.book import Clock, OrderBook, TimeSource
from notifier.simulator.calls import Call, CallLimit, DayOfCalls, Fault, Faults
from notifier.simulator.orders import OrderView, SimulatedOrder, SimulatedStatus
from notifier.simulator.scenarios import Pace, Scenario, named
from notifier.simulator.webhook import Webhook

MARKETPLACE_ZONE = "Europe/Prague"
Number = TypeVar("Number", int, float)
GARBAGE = b"<html><body>Oops</body></html>"


@dataclass(slots=True)
class World:
    """One account, made by `World.from_scenario`; its parts may also be used directly."""

    scenario: Scenario
    client_id: str
    clock: Clock
    book: OrderBook
    rate: CallLimit
    page_size_cap: int
    pace: Pace
    webhook: Webhook | None = None
    faults: Faults = field(default_factory=Faults)
    request_log: list[Call] = field(default_factory=list)
    """Calls to `/v1/orders` and below, including refused ones; in a season only today's."""
    calls_by_day: defaultdict[date, DayOfCalls] = field(
        default_factory=lambda: defaultdict(DayOfCalls)
    )
    """Counts of the same calls by the day (UTC)."""
    date_header: TimeSource | None = None
    """Source of the `Date` header, if it is not the world's time."""
    _changed_by_hand: list[tuple[datetime, int]] = field(default_factory=list)
    """Changes not yet posted to the webhook."""
    _notified_until: datetime | None = None
    _list_shifts: Counter[date] = field(default_factory=Counter)

    @classmethod
    def from_scenario(
        cls,
        name: str,
        *,
        seed: int = 1,
        start: datetime,
        client_id: str = "demo-client-id",
        in_transit: int | None = None,
        rate_limit: int | None = None,
        window_seconds: int | None = None,
        others: int | None = None,
        latency_seconds: float | None = None,
        page_size_cap: int | None = None,
        faults: Iterable[Fault] | None = None,
        failing_share: float = 0.0,
        webhook: Webhook | None = None,
        clock: TimeSource | None = None,
        clock_stays: bool = False,
        zone: str = MARKETPLACE_ZONE,
    ) -> World:
        """Return a world as it is at `start` (aware). Raise ValueError for an unknown name.

        Without a running `clock`, its time stands still except for `advance`. With `clock_stays`,
        `advance` makes orders older instead of the clock later. `in_transit` is the size of a
        `season`. `rate_limit` and `others` (calls of the seller's other integrations) are per
        window. `faults` replace those of the scenario; besides, a `failing_share` of all calls
        fails. `zone` is the time zone of timestamps.
        """
        scenario = named(name).sized(in_transit)
        if start.tzinfo is None:
            raise ValueError("start needs a time zone, e.g. datetime.now(UTC)")
        # The marketplace's timestamps have no fractions of a second.
        begin = start.astimezone(UTC).replace(microsecond=0)
        its_clock = Clock(clock or (lambda: begin), stays=clock_stays)
        pace = scenario.pace
        world = cls(
            scenario=scenario,
            client_id=client_id,
            clock=its_clock,
            book=OrderBook(scenario.population, seed, begin, its_clock, ZoneInfo(zone)),
            rate=CallLimit(
                _given(rate_limit, scenario.rate_limit),
                _given(window_seconds, scenario.window_seconds),
                _given(others, scenario.others),
            ),
            page_size_cap=page_size_cap or scenario.page_size_cap,
            pace=replace(pace, latency_seconds=_given(latency_seconds, pace.latency_seconds)),
        )
        for fields in scenario.by_hand:
            world.add_order(**fields)
        for order_id, body in scenario.details.items():
            world.break_detail(order_id, body)
        for fault in scenario.faults if faults is None else faults:
            world.faults.fail_next(fault)
        world.faults.fail_share(failing_share, seed)
        if webhook is not None:
            world.listen(webhook)
        return world

    @property
    def now(self) -> datetime:
        """Time that answers show: aware, in UTC."""
        return self.clock.now

    def advance(self, days: int = 1) -> None:
        """Let days pass: orders are shipped, delivered, sent back, made ready, collected."""
        if self.book.population.forgets_after is not None:
            # A season is long; the log of all its calls would fill the memory.
            self.request_log.clear()
        if self.webhook is None:
            self.clock.advance(days)
            return
        # Day by day, because a season forgets orders whose changes are not posted yet.
        for _ in range(days):
            self.clock.advance(1)
            self.notify()

    def listen(self, webhook: Webhook) -> None:
        """Post every change from now on to this webhook."""
        self.webhook = webhook
        self._notified_until = self.book.moment

    def notify(self) -> None:
        """Post the changes since the last call to the webhook; `advance` calls this itself."""
        if self.webhook is None:
            return
        since, self._notified_until = self._notified_until, self.book.moment
        changes = [] if since is None else self.book.changes(since)
        by_hand, self._changed_by_hand = self._changed_by_hand, []
        self.webhook.post(sorted(by_hand + changes))

    def shipped_ids(self) -> list[int]:
        """Return the ids of the orders in `shipped` by MALL Delivery, without test orders."""
        return sorted(view.order.id for view in self.listed())

    def ready_ids(self) -> list[int]:
        """Return the ids a correct client must report now: those shipped that are ready."""
        return sorted(view.order.id for view in self.listed() if view.order.is_ready_at(view.at))

    def listed(self) -> Iterator[OrderView]:
        """Yield what a list of shipped MALL Delivery orders contains, unsorted, without a call."""
        for view in self.book.shipped():
            if view.order.mall_delivery and not view.order.test:
                yield view

    def shift_list(self, page: Iterable[OrderView]) -> None:
        """After a page was read, let one of its orders leave and another join the list's end, as
        often a day as the scenario says. All orders behind it slip by one; the total stays."""
        today = self.book.moment.date()
        if self._list_shifts[today] >= self.scenario.moves_per_day:
            return
        # A ready order stays, so that a reader must find all of them in spite of the shifts.
        leaving = next((view.order.id for view in page if not view.ready), None)
        if leaving is not None:
            self._list_shifts[today] += 1
            self.set_status(leaving, SimulatedStatus.DELIVERED)
            self.add_order()

    # Calls

    @property
    def requests(self) -> int:
        """Number of calls to `/v1/orders` and below, including refused ones."""
        return sum(day.made for day in self.calls_by_day.values())

    def count_call(self, call: Call) -> None:
        """Log a received call."""
        self.request_log.append(call)
        self._today().made += 1

    def take_call(self) -> bool:
        """Take one call from the limit. Return False when none is left."""
        now = self.clock.order_time
        allowed = self.rate.take(now)
        today = self._today()
        today.refused += not allowed
        today.refused_others = self.rate.refused_others(now)
        return allowed

    def spend(self, calls: int = 1) -> int:
        """Count calls made without HTTP. Return how many of them the limit allowed."""
        self._today().made += calls
        return sum(self.take_call() for _ in range(calls))

    def _today(self) -> DayOfCalls:
        # By order time: after `advance` there are new calls, even where the displayed clock stays.
        return self.calls_by_day[self.clock.order_time.date()]

    # Changes by hand. They end an order's journey: from then on it does not move by itself.

    def add_order(self, **fields: object) -> int:
        """Add an order and return its id. By default it is shipped, by MALL Delivery, not ready.

        `fields` replace values of its row and detail, and `ABSENT` leaves a key out. `nulls=True`,
        which is not a field, writes absent values as null.
        """
        nulls = fields.pop("nulls", False) is True
        order_id = _usable_id(fields.get("id")) or self.book.free_id()
        self._put(SimulatedOrder.set_by_hand(order_id, self.book.moment, fields, nulls=nulls))
        return order_id

    def remove_order(self, order_id: int) -> None:
        """Remove an order. Raise KeyError when it is unknown."""
        self.book.remove(order_id)

    def set_ready(self, order_id: int, ready: bool) -> None:
        """Set `ready_to_return`. Raise KeyError when the order is unknown."""
        self._put(self.book[order_id].with_ready(self.book.moment, ready=ready))

    def set_status(self, order_id: int, status: str) -> None:
        """Set the status, documented or not. Raise KeyError when the order is unknown."""
        self._put(self.book[order_id].with_status(self.book.moment, status))

    def _put(self, order: SimulatedOrder) -> None:
        self.book.put(order)
        if self.webhook is not None:
            self._changed_by_hand.append((self.book.moment, order.id))

    # Failures

    def fail_next(
        self,
        count: int,
        status: int = 503,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        """Let the next calls answer this status, in the marketplace's envelope or with `body`."""
        self.faults.fail_next(Fault(status, headers or {}, body), count)

    def fail_always(self, status: int = 503) -> None:
        """Let every call answer this status until `stop_failing`."""
        self.faults.always = Fault(status)

    def stop_failing(self) -> None:
        """Let calls succeed again; broken details stay broken."""
        self.faults.stop()

    def break_detail(self, order_id: int, body: bytes | None = None, status: int = 200) -> None:
        """Let the detail of one order answer `body`, or an HTML page."""
        self.faults.details[order_id] = Fault(status, body=GARBAGE if body is None else body)


def _given(value: Number | None, default: Number) -> Number:
    return default if value is None else value


def _usable_id(value: object) -> int | None:
    """Return an id as a number, if a client could call its detail."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and 0 < value < 10**15 else None
