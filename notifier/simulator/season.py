"""A seller who ships every day of the year: as many parcels are always on their way.

Its delays are those of `lifecycle.py`. It is met in the middle of its season: what was shipped in
the weeks before has lived by the same rules, so its first day is like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from notifier.simulator.lifecycle import DAY, draw
from notifier.simulator.orders import SimulatedDelivery, SimulatedOrder
from notifier.simulator.population import carried, daytime, order_id

MEAN_DAYS = 3.085
"""How long an order is `shipped` on average, by the shares of `lifecycle.py`: 1, 2 and 3 days of
25, 35 and 20 %, 6 days of 14 %, and 11.59 days of the 6 % that come back."""

DAYS_BEFORE = 46
"""Whoever comes back last was shipped so many days ago."""

SPELLINGS = (("code", "status"), ("code", "status"), ("code",), ("status",))


@dataclass(frozen=True, slots=True)
class Season:
    """`in_transit` counts shipped orders of MALL Delivery, those that wait for the seller too."""

    in_transit: int = 2_000
    own_carrier_share: float = 0.1
    test_share: float = 0.001

    @property
    def forgets_after(self) -> timedelta | None:
        """Long enough for a month's statistics, and for whoever asks how it went."""
        return 30 * DAY

    def first_day(self, seed: int, start: datetime) -> list[SimulatedOrder]:
        """What the weeks before have left, and what departed in the last of them."""
        left = [
            order
            for day in range(-DAYS_BEFORE, 1)
            for order in self.shipments(seed, start, day, 0)
            if start - order.shipped_at < (order.journey.ends_after + 7) * DAY
        ]
        return [replace(order, id=order_id(seed, number)) for number, order in enumerate(left)]

    def shipments(self, seed: int, start: datetime, day: int, first: int) -> list[SimulatedOrder]:
        """A day's parcels, a tenth more or less."""
        dice = Random(f"season/{seed}/{day}")
        per_day = self.in_transit / MEAN_DAYS * (1 + self.own_carrier_share)
        return [
            self._order(order_id(seed, first + number), start + day * DAY, dice)
            for number in range(round(per_day * dice.uniform(0.9, 1.1)))
        ]

    def _order(self, id_: int, latest: datetime, dice: Random) -> SimulatedOrder:
        own = dice.random() * (1 + self.own_carrier_share) < self.own_carrier_share
        return SimulatedOrder(
            id_,
            daytime(latest, dice),
            draw(dice),
            SimulatedDelivery.OWN if own else carried(dice),
            test=dice.random() < self.test_share,
            nulls=dice.randrange(4) == 0,
            carrier_keys=SPELLINGS[dice.randrange(len(SPELLINGS))],
            newest_first=dice.randrange(2) == 0,
        )
