"""A list that moves while it is read: orders leave and enter between two of its pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from notifier.simulator.orders import VisibleState


@dataclass(slots=True)
class Moves:
    """So many moves a day, one after each page that is not the last, until they are used up.

    A move takes an order that does not wait from the page that was just read, so that all behind
    it slip by one, and lets another enter at the end, so that the total stays as it was. What
    waits for the seller waits on.
    """

    per_day: int = 0
    _day: date | None = None
    _made: int = 0

    def after_page(self, orders: Iterable[VisibleState], day: date) -> int | None:
        """The order that leaves now; None where the list holds still."""
        if day != self._day:
            self._day, self._made = day, 0
        if self._made >= self.per_day:
            return None
        leaves = next((seen.order.id for seen in orders if not seen.ready), None)
        self._made += leaves is not None
        return leaves
