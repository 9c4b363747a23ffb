"""Compare reading policies: their calls per day, and the parcels they report late or miss.

A season of 90 days at the simulated marketplace: 2,000 orders in transit, with the delays of
docs/simulator.md. Each policy sees the same list every morning and spends calls on details. The
plain policy reads the list and then every order in it.

    python benchmarks/calls.py
    python benchmarks/calls.py --orders 500 --days 30
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from notifier.domain.reading_plan import Frequency, OrderState, Policy, plan
from notifier.simulator import Post, Webhook, World

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
PAGE = 100
PASSES = 2
# A policy knows no order on the first day; after this many days its state is complete.
WARM_UP_DAYS = 20


@dataclass(slots=True)
class Reader:
    """A reader with one policy, its state, and its results."""

    policy: Policy | None
    """None reads every order."""
    lost_share: float | None = None
    """The share of webhook posts that are lost; None without a webhook."""
    calls: int = 0
    states: dict[int, OrderState] = field(default_factory=dict)
    hints: set[int] = field(default_factory=set)
    reported_on: dict[int, date] = field(default_factory=dict)
    ready_since: dict[int, date] = field(default_factory=dict)

    def receive(self, post: Post) -> None:
        """Note the hints of a webhook post."""
        self.hints.update(post.ids)

    def read(self, world: World, today: date) -> None:
        """Read the list and the chosen details of one morning."""
        listed = {view.order.id: view.order.shipped_at.date() for view in world.listed()}
        pages = math.ceil(len(listed) / PAGE)
        self.calls += pages * (1 if self.policy is None else PASSES)
        if self.policy is None:
            chosen: Iterable[int] = listed
        else:
            steps = plan(listed, self.states, today, self.policy, hinted=self.hints)
            chosen = [step.id for step in steps]
            kept = {id_: state for id_, state in self.states.items() if id_ in listed}
            self.states = {id_: OrderState(day) for id_, day in listed.items()} | kept
            self.hints.clear()
        for id_ in chosen:
            self.calls += 1
            self._read_detail(world, id_, today, listed)

    def _read_detail(self, world: World, id_: int, today: date, listed: dict[int, date]) -> None:
        view = world.book.view(id_)
        waits = view is not None and id_ in listed and view.ready
        if waits:
            self.reported_on.setdefault(id_, today)
        if view is not None and id_ in listed:
            self.states[id_] = OrderState(listed[id_], today, waits, view.comes_back)
        else:
            self.states.pop(id_, None)

    def note_ready(self, ready: Iterable[int], today: date) -> None:
        """Note the orders that really are ready this morning."""
        for id_ in ready:
            self.ready_since.setdefault(id_, today)

    def late(self, counted_from: date) -> dict[int, int]:
        """Return the delay in days of each parcel that was reported late."""
        return {
            id_: (self.reported_on[id_] - since).days
            for id_, since in self.ready_since.items()
            if since >= counted_from and id_ in self.reported_on and self.reported_on[id_] > since
        }

    def missed(self, counted_from: date, last: date) -> int:
        """Return the number of parcels ready by `last` that were never reported."""
        return sum(
            id_ not in self.reported_on
            for id_, since in self.ready_since.items()
            if counted_from <= since <= last
        )


def play(reader: Reader, orders: int, days: int, seed: int) -> tuple[float, int, int, int, int]:
    """Return calls per day, parcels, missed and late parcels, and the longest delay in days."""
    webhook = None
    if reader.lost_share is not None:
        webhook = Webhook(reader.receive, lost_share=reader.lost_share, seed=seed)
    world = World.from_scenario(
        "season", seed=seed, start=START, in_transit=orders, rate_limit=10**6, webhook=webhook
    )
    counted_from = START.date() + timedelta(days=WARM_UP_DAYS)
    before = 0
    for number in range(WARM_UP_DAYS + days):
        today = START.date() + timedelta(days=number)
        if number == WARM_UP_DAYS:
            before = reader.calls
        reader.note_ready(world.ready_ids(), today)
        reader.read(world, today)
        world.advance()
    # Parcels of the last week could still be reported after the end of the simulation.
    last = today - timedelta(days=7)
    late = reader.late(counted_from)
    parcels = sum(counted_from <= since <= last for since in reader.ready_since.values())
    calls = (reader.calls - before) / days
    return (
        calls,
        parcels,
        reader.missed(counted_from, last),
        len(late),
        max(late.values(), default=0),
    )


POLICIES = {
    "every order": (None, None),
    "daily (default)": (Policy(), None),
    "alternate": (Policy(Frequency.ALTERNATE), None),
    "all": (Policy(Frequency.ALL), None),
    "trust_webhook": (Policy(trust_webhook=True), 0.0),
    "trust_webhook, 10 % lost": (Policy(trust_webhook=True), 0.1),
    "same, reread after 3 days": (Policy(trust_webhook=True, reread_days=3), 0.1),
}


def main() -> None:
    """Simulate each policy and print its results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    plain = 0.0
    print(
        f"{'':26}{'calls/day':>10}{'of all':>10}{'parcels':>9}{'missed':>8}{'late':>6}{'days':>6}"
    )
    for name, (policy, lost) in POLICIES.items():
        reader = Reader(policy, lost)
        calls, parcels, missed, late, most = play(
            reader, arguments.orders, arguments.days, arguments.seed
        )
        plain = plain or calls
        print(
            f"{name:26}{calls:10.0f}{calls / plain:10.2f}{parcels:10}{missed:10}{late:10}{most:10}"
        )


if __name__ == "__main__":
    main()
