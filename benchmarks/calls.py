"""What each reading plan costs in calls, and whether it misses a parcel or tells of one late.

A season of 90 days at the simulated marketplace: 2,000 orders in transit, with the delays that
docs/simulator.md tells. Each policy sees the same list every morning and spends calls on details;
the plain way reads the list and then every order in it.

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
SETTLED = 20
"""Days at the beginning that do not count: nobody has seen what came before."""


@dataclass(slots=True)
class Reader:
    """One policy, what it remembers, and what came of it."""

    policy: Policy | None
    """None for the plain way."""
    lost_share: float | None = None
    """Of the posts to the webhook; None without one."""
    calls: int = 0
    seen: dict[int, OrderState] = field(default_factory=dict)
    hints: set[int] = field(default_factory=set)
    told_on: dict[int, date] = field(default_factory=dict)
    ready_since: dict[int, date] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)

    def hear(self, post: Post) -> None:
        """What the marketplace posted."""
        self.hints.update(post.ids)

    def read(self, world: World, today: date) -> None:
        """One morning."""
        listed = {one.order.id: one.order.shipped_at.date() for one in world.listed()}
        pages = math.ceil(len(listed) / PAGE)
        self.calls += pages * (1 if self.policy is None else PASSES)
        if self.policy is None:
            chosen: Iterable[int] = listed
        else:
            steps = plan(listed, self.seen, today, self.policy, hinted=self.hints)
            chosen = [step.id for step in steps]
            kept = {id_: one for id_, one in self.seen.items() if id_ in listed}
            self.seen = {id_: OrderState(day) for id_, day in listed.items()} | kept
            self.hints.clear()
        for id_ in chosen:
            self.calls += 1
            self._look(world, id_, today, listed)

    def _look(self, world: World, id_: int, today: date, listed: dict[int, date]) -> None:
        one = world.book.view(id_)
        waits = one is not None and id_ in listed and one.ready
        if waits:
            self.told_on.setdefault(id_, today)
        if one is not None and id_ in listed:
            self.seen[id_] = OrderState(listed[id_], today, waits, one.comes_back)
        else:
            self.seen.pop(id_, None)

    def compare(self, ready: Iterable[int], today: date) -> None:
        """Beside what was true that morning."""
        for id_ in ready:
            self.ready_since.setdefault(id_, today)

    def late(self, counted_from: date) -> dict[int, int]:
        """Days by which a parcel was told of too late; those that never were are not here."""
        return {
            id_: (self.told_on[id_] - since).days
            for id_, since in self.ready_since.items()
            if since >= counted_from and id_ in self.told_on and self.told_on[id_] > since
        }

    def missed(self, counted_from: date, last: date) -> int:
        """Parcels that nobody was told of; the last days may still be told of."""
        return sum(
            id_ not in self.told_on
            for id_, since in self.ready_since.items()
            if counted_from <= since <= last
        )


def play(reader: Reader, orders: int, days: int, seed: int) -> tuple[float, int, int, int, int]:
    """Calls a day, parcels, missed, late, and the most days late."""
    webhook = None
    if reader.lost_share is not None:
        webhook = Webhook(reader.hear, lost_share=reader.lost_share, seed=seed)
    world = World.from_scenario(
        "season", seed=seed, start=START, in_transit=orders, rate_limit=10**6, webhook=webhook
    )
    counted_from = START.date() + timedelta(days=SETTLED)
    before = 0
    for number in range(SETTLED + days):
        today = START.date() + timedelta(days=number)
        if number == SETTLED:
            before = reader.calls
        reader.compare(world.ready_ids(), today)
        reader.read(world, today)
        world.advance()
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
    "the plain way": (None, None),
    "daily (default)": (Policy(), None),
    "alternate": (Policy(Frequency.ALTERNATE), None),
    "all": (Policy(Frequency.ALL), None),
    "trust_webhook": (Policy(trust_webhook=True), 0.0),
    "trust_webhook, 10 % lost": (Policy(trust_webhook=True), 0.1),
    "the same, every 3 days": (Policy(trust_webhook=True, reread_days=3), 0.1),
}


def main() -> None:
    """Play each, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    plain = 0.0
    print(
        f"{'':26}{'calls/day':>10}{'of plain':>10}{'parcels':>9}{'missed':>8}{'late':>6}{'days':>6}"
    )
    for name, (policy, lost) in POLICIES.items():
        reader = Reader(policy, lost)
        calls, parcels, missed, late, most = play(reader, chosen.orders, chosen.days, chosen.seed)
        plain = plain or calls
        print(
            f"{name:26}{calls:10.0f}{calls / plain:10.2f}{parcels:10}{missed:10}{late:10}{most:10}"
        )


if __name__ == "__main__":
    main()
