"""One seller account at the marketplace: its orders, its clock, its limits, its failures.

What becomes of an order follows from the seed and its number alone, never from what was asked
or when; so two worlds of one seed tell the same story.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from notifier.simulator.book import OrderBook
from notifier.simulator.calls import Call, CallLog, DayOfCalls
from notifier.simulator.clock import Clock, Instants, still
from notifier.simulator.faults import Fault, Faults
from notifier.simulator.lifecycle import SimulatedStatus
from notifier.simulator.moves import Moves
from notifier.simulator.orders import SimulatedOrder, VisibleState
from notifier.simulator.population import by_hand, marked, moved
from notifier.simulator.rate import RateLimit
from notifier.simulator.scenarios import Pace, Scenario, named
from notifier.simulator.webhook import Webhook

MARKETPLACE_ZONE = "Europe/Prague"
Number = TypeVar("Number", int, float)
GARBAGE = b"<html><body>Oops</body></html>"


@dataclass(slots=True)
class World:
    """Made by `World.from_scenario`. Its parts may be used directly: `world.rate.take(...)` is
    what the seller's other integrations spend."""

    scenario: Scenario
    client_id: str
    clock: Clock
    book: OrderBook
    rate: RateLimit
    page_size_cap: int
    pace: Pace
    moves: Moves
    webhook: Webhook | None = None
    faults: Faults = field(default_factory=Faults)
    call_log: CallLog = field(default_factory=CallLog)
    date_header: Instants | None = None
    """What the `Date` of its answers says, where that is not the world's time."""
    _set_by_hand: list[tuple[datetime, int]] = field(default_factory=list)
    """Changes the webhook has not been told of yet."""
    _told_until: datetime | None = None

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
        clock: Instants | None = None,
        clock_stays: bool = False,
        zone: str = MARKETPLACE_ZONE,
    ) -> World:
        """A world as it is at `start` (aware). ValueError for an unknown name.

        Its time stands still but for `advance`, unless it is given a running `clock`. With
        `clock_stays`, `advance` makes orders older instead of the clock later. `in_transit` is
        how many orders a `season` has under way. `rate_limit` and `others` (what the seller's
        other integrations call) are per window; `faults` replace those of the scenario, and
        `failing_share` of the calls fail besides; `zone` is that of its timestamps.
        """
        scenario = named(name).sized(in_transit)
        begin = _aware(start).replace(microsecond=0)
        its_clock = Clock(clock or still(begin), stays=clock_stays)
        limit, pace = scenario.limit, scenario.pace
        world = cls(
            scenario=scenario,
            client_id=client_id,
            clock=its_clock,
            book=OrderBook(scenario.population, seed, begin, its_clock, ZoneInfo(zone)),
            rate=RateLimit(
                _given(rate_limit, limit.calls),
                _given(window_seconds, limit.window_seconds),
                _given(others, limit.others),
            ),
            page_size_cap=page_size_cap or scenario.page_size_cap,
            pace=replace(pace, latency_seconds=_given(latency_seconds, pace.latency_seconds)),
            moves=Moves(scenario.moves_per_day),
        )
        for fields in scenario.by_hand:
            world.add_order(**fields)
        for order_id, body in scenario.details.items():
            world.break_detail(order_id, body)
        for fault in scenario.faults if faults is None else faults:
            world.faults.plan(fault)
        world.faults.now_and_then(failing_share, seed)
        if webhook is not None:
            world.listen(webhook)
        return world

    @property
    def now(self) -> datetime:
        """The time this world tells: aware, in UTC."""
        return self.clock.now

    def advance(self, days: int = 1) -> None:
        """Let days pass: orders are shipped, delivered, sent back, made ready, collected."""
        if self.book.population.forgets_after is not None:
            self.request_log.clear()
        if self.webhook is None:
            self.clock.move_on(days)
            return
        for _ in range(days):
            self.clock.move_on(1)
            self.tell()

    def listen(self, webhook: Webhook) -> None:
        """From now on, tell this webhook of every change."""
        self.webhook = webhook
        self._told_until = self.book.moment

    def tell(self) -> None:
        """Post to the webhook what changed since it was told last; `advance` does so by itself."""
        if self.webhook is None:
            return
        since, self._told_until = self._told_until, self.book.moment
        by_itself = [] if since is None else self.book.changes(since)
        by_hand, self._set_by_hand = self._set_by_hand, []
        self.webhook.tell(sorted(by_hand + by_itself))

    def shipped_ids(self) -> list[int]:
        """Ids of the orders in `shipped` that MALL Delivery carries; no test orders."""
        return sorted(seen.order.id for seen in self.listed())

    def ready_ids(self) -> list[int]:
        """Ids that a right client must report now: shipped, MALL Delivery, ready, no test."""
        return sorted(seen.order.id for seen in self.listed() if seen.order.is_ready_at(seen.at))

    def listed(self) -> Iterator[VisibleState]:
        """What a list of shipped orders of MALL Delivery names now, without a call; not sorted."""
        for seen in self.book.shipped():
            if seen.order.mall_delivery and not seen.order.test:
                yield seen

    # Calls

    @property
    def requests(self) -> int:
        """Number of calls to `/v1/orders` and below, refused ones included."""
        return self.call_log.made

    @property
    def request_log(self) -> list[Call]:
        """Each of those calls; in a season only those of the present day."""
        return self.call_log.calls

    @property
    def calls_by_day(self) -> Mapping[date, DayOfCalls]:
        """How many there were on each day of the limit (UTC)."""
        return self.call_log.by_day

    def spend(self, calls: int = 1) -> int:
        """Count calls that somebody makes without HTTP; gives how many of them were allowed."""
        self.call_log.note(self.clock.reached, calls)
        return sum(self.take_call() for _ in range(calls))

    def take_call(self) -> bool:
        """Take one call from the limit; False when none is left."""
        now = self.clock.reached  # also where the clock stays, a new day has new calls
        allowed = self.rate.take(now)
        left_without = self.rate.refused_others(now)
        self.call_log.note_limit(now, refused=not allowed, refused_others=left_without)
        return allowed

    def page_was_read(self, orders: Iterable[VisibleState]) -> None:
        """Let the list move, where it does: there is another page behind these orders."""
        leaves = self.moves.after_page(orders, self.book.moment.date())
        if leaves is not None:
            self.set_status(leaves, SimulatedStatus.DELIVERED)
            self.add_order()

    # Set by hand. An order that was touched stays as it is set: its own story ends.

    def add_order(self, **fields: object) -> int:
        """Add an order with these fields of a row or detail; unless told otherwise it is shipped,
        by MALL Delivery, and not ready. `ABSENT` leaves a key out; `nulls=True`, which is no
        field, writes null for all that is absent. Returns its id."""
        nulls = fields.pop("nulls", False) is True
        given = fields.get("id")
        order_id = _id_of(given) or self.book.free_id()
        self._put(replace(by_hand(order_id, self.book.moment, fields), nulls=nulls))
        return order_id

    def remove_order(self, order_id: int) -> None:
        """Let an order be unknown. KeyError when it already is."""
        self.book.remove(order_id)

    def set_ready(self, order_id: int, ready: bool) -> None:
        """Set `ready_to_return`. KeyError when there is no such order."""
        self._put(marked(self.book[order_id], self.book.moment, ready=ready))

    def set_status(self, order_id: int, status: str) -> None:
        """Set the status, also to one that is not documented. KeyError as above."""
        self._put(moved(self.book[order_id], self.book.moment, status))

    def _put(self, order: SimulatedOrder) -> None:
        self.book.put(order)
        if self.webhook is not None:
            self._set_by_hand.append((self.book.moment, order.id))

    # Failures

    def fail_next(
        self,
        count: int,
        status: int = 503,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        """Let the next calls answer this status, in the marketplace's envelope or with `body`."""
        self.faults.plan(Fault(status, headers or {}, body), count)

    def fail_always(self, status: int = 503) -> None:
        """Let every call answer this status until `stop_failing`."""
        self.faults.always(Fault(status))

    def stop_failing(self) -> None:
        """Let calls succeed again. Details that were broken stay so."""
        self.faults.stop()

    def break_detail(self, order_id: int, body: bytes | None = None, status: int = 200) -> None:
        """Let the detail of one order answer garbage."""
        self.faults.break_detail(order_id, Fault(status, body=GARBAGE if body is None else body))


def _given(value: Number | None, otherwise: Number) -> Number:
    return otherwise if value is None else value


def _id_of(value: object) -> int | None:
    """The number an order goes by, if it is written as one; None where nobody can tell."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and 0 < value < 10**15 else None


def _aware(start: datetime) -> datetime:
    if start.tzinfo is None:
        raise ValueError("start needs a time zone, e.g. datetime.now(UTC)")
    return start.astimezone(UTC)
