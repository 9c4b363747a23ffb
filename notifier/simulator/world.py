"""One seller account at the marketplace: its orders, its clock, its limits, its failures.

What becomes of an order follows from the seed and its number alone, never from what was asked
or when; so two worlds of one seed tell the same story.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from notifier.simulator.book import OrderBook
from notifier.simulator.clock import Clock, Instants, still
from notifier.simulator.faults import Fault, Faults
from notifier.simulator.lifecycle import Status
from notifier.simulator.orders import Seen
from notifier.simulator.population import by_hand, marked, moved
from notifier.simulator.rate import GENEROUS, SECONDS_OF_A_DAY, RateLimit
from notifier.simulator.scenarios import SCENARIOS, Scenario

MARKETPLACE_ZONE = "Europe/Prague"
GARBAGE = b"<html><body>Oops</body></html>"


class Call(NamedTuple):
    """One call that was made. `query` is without the client_id."""

    method: str
    path: str
    query: str


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
    latency_seconds: float
    faults: Faults = field(default_factory=Faults)
    request_log: list[Call] = field(default_factory=list)
    date_header: Instants | None = None
    """What the `Date` of its answers says, where that is not the world's time."""

    @classmethod
    def from_scenario(
        cls,
        name: str,
        *,
        seed: int = 1,
        start: datetime,
        client_id: str = "demo-client-id",
        rate_limit: int | None = None,
        window_seconds: int = SECONDS_OF_A_DAY,
        latency_seconds: float = 0.0,
        page_size_cap: int | None = None,
        faults: Iterable[Fault] | None = None,
        clock: Instants | None = None,
        clock_stays: bool = False,
        zone: str = MARKETPLACE_ZONE,
    ) -> World:
        """A world as it is at `start` (aware). ValueError for an unknown name.

        Its time stands still but for `advance`, unless it is given a running `clock`. With
        `clock_stays`, `advance` makes orders older instead of the clock later. `faults` replace
        those of the scenario, `rate_limit` is per window, `zone` that of its timestamps.
        """
        scenario = _scenario(name)
        begin = _aware(start).replace(microsecond=0)
        its_clock = Clock(clock or still(begin), stays=clock_stays)
        world = cls(
            scenario=scenario,
            client_id=client_id,
            clock=its_clock,
            book=OrderBook(scenario.crowd, seed, begin, its_clock, ZoneInfo(zone)),
            rate=RateLimit(GENEROUS if rate_limit is None else rate_limit, window_seconds),
            page_size_cap=page_size_cap or scenario.page_size_cap,
            latency_seconds=latency_seconds,
        )
        for fields in scenario.by_hand:
            world.add_order(**fields)
        for fault in scenario.faults if faults is None else faults:
            world.faults.plan(fault)
        return world

    @property
    def now(self) -> datetime:
        """The time this world tells: aware, in UTC."""
        return self.clock.now

    def advance(self, days: int = 1) -> None:
        """Let days pass: orders are shipped, delivered, sent back, made ready, collected."""
        self.clock.move_on(days)

    def shipped_ids(self) -> list[int]:
        """Ids of the orders in `shipped` that MALL Delivery carries; no test orders."""
        return sorted(seen.order.id for seen in self._shipped())

    def ready_ids(self) -> list[int]:
        """Ids that a right client must report now: shipped, MALL Delivery, ready, no test."""
        return sorted(seen.order.id for seen in self._shipped() if seen.ready)

    def _shipped(self) -> Iterator[Seen]:
        for seen in self.book:
            order = seen.order
            if seen.status == Status.SHIPPED and order.mall_delivery and not order.test:
                yield seen

    @property
    def requests(self) -> int:
        """Number of calls to `/v1/orders` and below, refused ones included."""
        return len(self.request_log)

    # Set by hand. An order that was touched stays as it is set: its own story ends.

    def add_order(self, **fields: object) -> int:
        """Add an order with these fields of a row or detail; unless told otherwise it is shipped,
        by MALL Delivery, and not ready. `ABSENT` leaves a key out; `nulls=True`, which is no
        field, writes null for all that is absent. Returns its id."""
        nulls = fields.pop("nulls", False) is True
        given = fields.get("id")
        order_id = given if isinstance(given, int) else self.book.free_id()
        self.book.put(replace(by_hand(order_id, self.book.moment, fields), nulls=nulls))
        return order_id

    def remove_order(self, order_id: int) -> None:
        """Let an order be unknown. KeyError when it already is."""
        self.book.remove(order_id)

    def set_ready(self, order_id: int, ready: bool) -> None:
        """Set `ready_to_return`. KeyError when there is no such order."""
        self.book.put(marked(self.book[order_id], self.book.moment, ready=ready))

    def set_status(self, order_id: int, status: str) -> None:
        """Set the status, also to one that is not documented. KeyError as above."""
        self.book.put(moved(self.book[order_id], self.book.moment, status))

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


def _scenario(name: str) -> Scenario:
    try:
        return SCENARIOS[name]
    except KeyError:
        names = ", ".join(SCENARIOS)
        raise ValueError(f"no scenario {name!r}; there are {names}") from None


def _aware(start: datetime) -> datetime:
    if start.tzinfo is None:
        raise ValueError("start needs a time zone, e.g. datetime.now(UTC)")
    return start.astimezone(UTC)
