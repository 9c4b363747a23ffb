"""The named worlds.

In the scenario `malformed` an order's id says what a tolerant client makes of it: from `READABLE`
on it is reported as ready, from `UNREADABLE` on as impossible to read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from notifier.simulator.calls import SECONDS_OF_A_DAY, UNLIMITED, Fault
from notifier.simulator.orders import ABSENT, SimulatedStatus
from notifier.simulator.population import Crowd, Population, Season


@dataclass(frozen=True, slots=True)
class Pace:
    """Delays of answers: of each, and of each `drips_every`-th (0: none), sent in pieces."""

    latency_seconds: float = 0.0
    drips_every: int = 0
    drip_seconds: float = 2.0
    """Duration of an answer in pieces, from the first to the last."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """The initial state of a world, and its adversities."""

    name: str
    about: str
    """One sentence that describes it, for `--list`."""
    population: Population
    by_hand: tuple[Mapping[str, object], ...] = ()
    """Fields of further orders, for `World.add_order`."""
    page_size_cap: int = 1_000
    total_on_even_pages: bool = True
    faults: tuple[Fault, ...] = ()
    """Answers of the first calls, in sequence."""
    details: Mapping[int, bytes] = field(default_factory=dict)
    """Bodies that replace the details of some orders, by id."""
    stray_rows: tuple[object, ...] = ()
    """Values in the first page of every list that are not orders."""
    moves_per_day: int = 0
    """How often an order leaves and another joins a list between two of its pages."""
    rate_limit: int = UNLIMITED
    """Calls allowed in a window, of which the seller's other integrations take `others`."""
    window_seconds: int = SECONDS_OF_A_DAY
    others: int = 0
    pace: Pace = Pace()

    def sized(self, in_transit: int | None) -> Scenario:
        """Return the scenario with this number of orders in transit; None changes nothing.

        Raise ValueError for a scenario other than a season.
        """
        if in_transit is None:
            return self
        if isinstance(self.population, Season):
            return replace(self, population=replace(self.population, in_transit=in_transit))
        raise ValueError(f"{self.name} has a fixed size; in_transit is for a season")


def named(name: str) -> Scenario:
    """Return the scenario of a name. Raise ValueError for an unknown name."""
    try:
        return SCENARIOS[name]
    except KeyError:
        names = ", ".join(SCENARIOS)
        raise ValueError(f"unknown scenario {name!r}; choose one of {names}") from None


WAITING: Mapping[str, object] = {"status": "shipped", "mdp": True, "ready_to_return": True}

TEST_ORDERS: tuple[Mapping[str, object], ...] = (
    {**WAITING, "test": True},
    {"status": "shipped", "mdp": True, "test": True},
    {"status": "open", "mdp": False, "test": True, "nulls": True},
)

ODD_ORDERS: tuple[Mapping[str, object], ...] = (
    {**WAITING, "id": 23_000_101, "source": "SI10MA", "blocked": "2026-01-02 03:04:05"},
    {**WAITING, "id": 999_999_999_901, "cod": 1_234.5, "external_id": "<№ 7 & 8>"},
    {**WAITING, "tracking_number": ABSENT, "tracking_url": ABSENT, "external_id": None},
    {**WAITING, "mdp_classic": True, "nulls": True, "ship_date": None},
    {**WAITING, "consignment_status_history": [], "ulozenka_status_history": []},
    {
        **WAITING,
        "consignment_status_history": [
            {
                "code": "DAMAGED",
                "date": "2026-01-05 10:00:00",
                "flags": ["damaged"],
                "tracking_number": "SI00000000001",
            }
        ],
    },
)

READABLE = 23_100_001
UNREADABLE = 23_200_001
STRAY_ROWS: tuple[object, ...] = (None, "23100001x", 7.5, [], [{"id": 23_100_002}], {}, True)
"""Values among the rows of a list that are not rows."""

MALFORMED_FIELDS: tuple[Mapping[str, object], ...] = (
    {"ready_to_return": "true", "test": "0", "confirmed": None},
    {"ready_to_return": 1, "test": 0},
    {"id": "23100003"},
    {"items": None, "address": None, "branches": None},
    {"items": {"0": {"id": "A", "title": "One"}}, "address": [], "customer": {"name": None}},
    {"items": [None, 7, "x", [], {}, {"title": None, "quantity": "two", "price": "free"}]},
    {"items": [{"id": 12, "title": 34, "quantity": -1, "price": "12,50", "article_id": {}}]},
    {"consignment_status_history": None, "ulozenka_status_history": "RETURNING"},
    {"consignment_status_history": [None, 5, "RETURNING", {}, {"code": None}, {"code": ["x"]}]},
    {"consignment_status_history": [{"code": "TELEPORTED", "flags": "haunted", "date": 0}]},
    {
        "consignment_status_history": {"code": "RETURNING"},
        "ulozenka_status_history": [{"id": "22"}],
    },
    {"shipped": "0000-00-00 00:00:00", "ship_date": "yesterday", "open": 0},
    {"shipped": "2026-02-30 25:61:00", "first_delivery_attempt": [], "delivered_at": False},
    {"cod": "12,50", "currency": None, "cod_price": {}},
    {"cod": -3, "currency": "euros", "discount": "none"},
    {"cod": 1e300, "currency": 978, "delivery_price": None},
    {"tracking_number": 12_345_678_901, "tracking_url": "javascript:alert(1)"},
    {"tracking_number": ["SI1", None], "tracking_url": 0},
    {"external_id": [], "external_order_id": None, "purchase_id": "x" * 5_000},
    {"external_id": "<script>\u202e\u0000\n", "delivery_method": None, "branch_id": {}},
    {"source": 5, "payment_type": [], "customer_id": "nobody"},
    dict.fromkeys(("items", "currency", "cod", "address", "shipped", "purchase_id"), ABSENT),
)

UNREADABLE_FLAGS: tuple[object, ...] = (None, ABSENT, "perhaps", 2, {}, [True], "")

UNREADABLE_DETAILS = (
    b'{"result":{"code":200,"status":"OK"},"data":null}',
    b'{"result":{"code":200,"status":"OK"},"data":[]}',
    b'{"result":{"code":200,"status":"OK"},"data":{"id":null,"status":"shipped"}}',
    b'{"result":{"code":200,"status":"OK"},"data":{"id":23200011,"status":42}}',
    b'{"result":{"code":200,"status":"OK"},"data":{"id":232000',
    b'{"result":null,"data":"shipped"}',
    b"[]",
    b"",
)

STRANGE_IDS: tuple[object, ...] = (None, "abc", -5, 1.5, 10**30, {})


def _every_status() -> Iterator[Mapping[str, object]]:
    """Yield orders in every status, by both carriers, with either flag; and some odd ones."""
    for number, (status, mdp, ready) in enumerate(
        product(SimulatedStatus, (True, False), (True, False))
    ):
        yield {
            "status": status.value,
            "mdp": mdp,
            "ready_to_return": ready,
            "mdp_classic": mdp and number % 8 < 4,
            "nulls": number % 3 == 0,
        }
    yield from TEST_ORDERS
    yield from ODD_ORDERS


def _malformed_orders() -> Iterator[Mapping[str, object]]:
    """Yield the fields of orders with malformed values, flags, details or ids."""
    for id_, fields in enumerate(MALFORMED_FIELDS, READABLE):
        yield {"id": id_, **WAITING, **fields}
    flags = [{"ready_to_return": flag} for flag in UNREADABLE_FLAGS]
    # Ids of orders with an unreadable detail follow those with an unreadable flag.
    for id_, unreadable in enumerate((*flags, *({} for _ in UNREADABLE_DETAILS)), UNREADABLE):
        yield {"id": id_, "status": "shipped", "mdp": True, **unreadable}
    for strange_id in STRANGE_IDS:
        yield {"status": "shipped", "mdp": True, "id": strange_id}


def _malformed_details() -> Mapping[int, bytes]:
    # 23200011 stands for the order's own id, so that only the rest of such a body is wrong.
    first = UNREADABLE + len(UNREADABLE_FLAGS)
    return {
        id_: body.replace(b"23200011", json.dumps(id_).encode())
        for id_, body in enumerate(UNREADABLE_DETAILS, first)
    }


BUSY = Crowd(
    waiting=40,
    under_way=160,
    coming_back=4,
    own_carrier=25,
    departed=60,
    test=3,
    shipped_per_day=62,
)

SCENARIOS: Mapping[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "quiet_day",
            "A few shipped orders; nothing waits today, one parcel will tomorrow.",
            Crowd(under_way=6, coming_back=1, departed=3, shipped_per_day=2),
        ),
        Scenario(
            "small_shop",
            "A shop one can read on a screen: 8 parcels wait; each day some come and some go.",
            Crowd(waiting=8, under_way=34, coming_back=4, departed=8, shipped_per_day=11),
        ),
        Scenario("busy_day", "200 shipped orders, of which 40 wait for the seller.", BUSY),
        Scenario(
            "every_status",
            "Every status, carrier and flag, nulls beside missing keys, test and blocked orders.",
            Crowd(),
            by_hand=tuple(_every_status()),
        ),
        Scenario(
            "many_pages",
            "Ten orders a page whatever is asked for, and no total on every second page.",
            Crowd(waiting=8, under_way=49, coming_back=2, departed=5, shipped_per_day=18),
            page_size_cap=10,
            total_on_even_pages=False,
        ),
        Scenario(
            "failing",
            "The first three calls fail (503, 500, 429), then all is well; POST /simulator/fail.",
            Crowd(waiting=5, under_way=15, coming_back=1, departed=5, shipped_per_day=6),
            faults=(
                Fault(503, {"Retry-After": "1"}),
                Fault(500),
                Fault(429, {"Retry-After": "1"}),
            ),
        ),
        Scenario(
            "moving_pages",
            "Ten orders a page, and the first six pages read each day shift those behind them.",
            Crowd(waiting=25, under_way=50, coming_back=3, departed=5, shipped_per_day=22),
            page_size_cap=10,
            moves_per_day=6,
        ),
        Scenario(
            "slow",
            "Each answer takes 0.4 s, each tenth then drips in over 3 s more.",
            Crowd(waiting=6, under_way=24, coming_back=2, departed=5, shipped_per_day=9),
            pace=Pace(latency_seconds=0.4, drips_every=10, drip_seconds=3.0),
        ),
        Scenario(
            "rate_limited",
            "20 calls in any two seconds, then 429 with Retry-After.",
            Crowd(waiting=20, under_way=60, coming_back=2, departed=5, shipped_per_day=23),
            rate_limit=20,
            window_seconds=2,
        ),
        Scenario(
            "daily_limit",
            "200 shipped orders, and 150 calls a day, of which others take some 60.",
            BUSY,
            rate_limit=150,
            others=60,
        ),
        Scenario(
            "malformed",
            "Wrong types, nulls and wrong types, nulls and unknown words, among normal orders.",
            Crowd(waiting=10, under_way=20, coming_back=2, departed=5, shipped_per_day=9),
            by_hand=tuple(_malformed_orders()),
            details=_malformed_details(),
            stray_rows=STRAY_ROWS,
        ),
        Scenario(
            "season",
            "A seller with 2,000 orders in transit on every day, for as long as you like.",
            Season(),
        ),
        Scenario(
            "big",
            "10,000 shipped orders, of which 770 wait for the seller.",
            Crowd(
                waiting=770, under_way=9_230, coming_back=180, departed=500, shipped_per_day=3_200
            ),
        ),
    )
}
