"""The worlds that can be asked for by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from notifier.simulator.faults import Fault
from notifier.simulator.lifecycle import SimulatedStatus
from notifier.simulator.malformed import STRAY_ROWS, malformed_details, malformed_orders
from notifier.simulator.orders import ABSENT
from notifier.simulator.population import Crowd, Population
from notifier.simulator.rate import GENEROUS, SECONDS_OF_A_DAY
from notifier.simulator.season import Season


@dataclass(frozen=True, slots=True)
class Limit:
    """Calls in a window, for everybody who calls for the seller; the others take theirs of it."""

    calls: int = GENEROUS
    window_seconds: int = SECONDS_OF_A_DAY
    others: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow answers are: each waits, and each `drips_every`-th comes in pieces (0: none)."""

    latency_seconds: float = 0.0
    drips_every: int = 0
    drip_seconds: float = 2.0
    """How long such an answer takes, once it has begun."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world to begin with."""

    name: str
    about: str
    """One sentence for a person who chooses."""
    population: Population
    by_hand: tuple[Mapping[str, object], ...] = ()
    """Orders with these fields, in the marketplace's names; `nulls` writes nulls for absent."""
    page_size_cap: int = 1_000
    total_on_even_pages: bool = True
    faults: tuple[Fault, ...] = ()
    """What the first calls answer, one after the other."""
    details: Mapping[int, bytes] = field(default_factory=dict)
    """What the detail of some orders answers instead of what it should."""
    stray_rows: tuple[object, ...] = ()
    """What stands in the first page of every list and is no order."""
    moves_per_day: int = 0
    """How often a list moves between two of its pages."""
    limit: Limit = Limit()
    pace: Pace = Pace()

    def sized(self, in_transit: int | None) -> Scenario:
        """The same with so many orders under way, None as it is. ValueError where that cannot
        be."""
        if in_transit is None:
            return self
        if isinstance(self.population, Season):
            return replace(self, population=replace(self.population, in_transit=in_transit))
        raise ValueError(f"{self.name} has the orders it has; in_transit is for a season")


def named(name: str) -> Scenario:
    """The scenario of a name. ValueError when there is none."""
    try:
        return SCENARIOS[name]
    except KeyError:
        names = ", ".join(SCENARIOS)
        raise ValueError(f"no scenario {name!r}; there are {names}") from None


def every_status() -> Iterator[Mapping[str, object]]:
    """Orders in every status, by both carriers, with either flag; and the odd ones."""
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
            by_hand=tuple(every_status()),
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
            limit=Limit(calls=20, window_seconds=2),
        ),
        Scenario(
            "daily_limit",
            "200 shipped orders, and 150 calls a day, of which others take some 60.",
            BUSY,
            limit=Limit(calls=150, others=60),
        ),
        Scenario(
            "malformed",
            "Wrong types, nulls and words that nobody knows, among orders that are well.",
            Crowd(waiting=10, under_way=20, coming_back=2, departed=5, shipped_per_day=9),
            by_hand=tuple(malformed_orders()),
            details=malformed_details(),
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
