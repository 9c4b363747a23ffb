"""The worlds that can be asked for by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from notifier.simulator.faults import Fault
from notifier.simulator.lifecycle import Status
from notifier.simulator.orders import ABSENT
from notifier.simulator.population import Crowd


@dataclass(frozen=True, slots=True)
class Scenario:
    """A world to begin with."""

    name: str
    about: str
    """One sentence for a person who chooses."""
    crowd: Crowd
    by_hand: tuple[Mapping[str, object], ...] = ()
    """Orders with these fields, in the marketplace's names; `nulls` writes nulls for absent."""
    page_size_cap: int = 1_000
    total_on_even_pages: bool = True
    faults: tuple[Fault, ...] = ()
    """What the first calls answer, one after the other."""


def every_status() -> Iterator[Mapping[str, object]]:
    """Orders in every status, by both carriers, with either flag; and the odd ones."""
    for number, (status, mdp, ready) in enumerate(product(Status, (True, False), (True, False))):
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
            "big",
            "10,000 shipped orders, of which 770 wait for the seller.",
            Crowd(
                waiting=770, under_way=9_230, coming_back=180, departed=500, shipped_per_day=3_200
            ),
        ),
    )
}
