"""A look at what was hinted at, between two readings: few calls, and the overview is nearly live.

One call asks which of the orders are still shipped; only those are read. That the list can be
asked for ids is an inference: where it cannot, its answer shows it, and all of them are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from notifier.domain.orders import OrderStatus
from notifier.domain.reading_plan import HintBatch, OrderState, ReadingState, only_shipped
from notifier.domain.settings import MarketplaceAccess
from notifier.errors import MarketplaceRefused, MarketplaceUnavailable
from notifier.sources.mall.answers import (
    Forbidden,
    LimitReached,
    NotThere,
    NotUnderstood,
    Passing,
    Unreadable,
)
from notifier.sources.mall.calls import Calls
from notifier.sources.mall.detail import local_day, read_detail
from notifier.sources.mall.listing import list_query, parse_page
from notifier.sources.mall.payloads import ListRow, UnreadableOrder

MOST_AT_ONCE = 100

GIVE_UP_AFTER = 3
"""So many orders in a row without an answer are no fault of theirs."""

_MOST_BYTES = 2 * 2**20


@dataclass(slots=True)
class Lookup:
    """Looks at the fresh hints of an account, with at most `most_calls`."""

    access: MarketplaceAccess
    calls: Calls
    recalled: ReadingState
    today: date
    """The marketplace's local day."""
    most_calls: int
    _read: dict[int, OrderState | None] = field(default_factory=dict)
    _dismissed: set[int] = field(default_factory=set)

    async def run(self) -> HintBatch:
        """What it gave so far, however it ended; never raises for a failure of the marketplace."""
        asked = sorted(self.recalled.fresh)[:MOST_AT_ONCE]
        try:
            if asked and self.most_calls > 0:
                await self._look(asked)
        except (MarketplaceRefused, MarketplaceUnavailable):
            pass  # the hints stay, and the next reading tells what is wrong
        return HintBatch(
            self._read, frozenset(self._dismissed), self.calls.made, self.calls.daily_limit
        )

    async def _look(self, asked: Sequence[int]) -> None:
        rows, failed_in_a_row = await self._listed(asked), 0
        for id_ in self._worth_a_call(asked, rows):
            if self.calls.made >= self.most_calls:
                return
            try:
                await self._read_one(id_, rows[id_] if rows else None)
                failed_in_a_row = 0
            except LimitReached:
                raise
            except (Forbidden, Passing):
                failed_in_a_row += 1
                if failed_in_a_row == GIVE_UP_AFTER:
                    raise
                self._dismissed.add(id_)  # or it would stand before the others each time

    async def _listed(self, asked: Sequence[int]) -> Mapping[int, ListRow] | None:
        """The rows of those that are still shipped; None where the list was not asked for ids."""
        query = list_query(1, MOST_AT_ONCE, test_orders=self.access.test_orders)
        named = {**query, "id": f"in:{','.join(map(str, asked))}"}
        try:
            envelope = await self.calls.get(
                "/v1/orders", named, expected=list, most_bytes=_MOST_BYTES
            )
        except (NotThere, NotUnderstood, Unreadable):
            return None
        page = parse_page(envelope, 1, self._zone)
        rows = {row.id: row for row in page.rows}
        understood = rows.keys() <= set(asked) and page.is_last and not page.strays
        return rows if understood else None

    def _worth_a_call(
        self, asked: Sequence[int], rows: Mapping[int, ListRow] | None
    ) -> Iterator[int]:
        """The ids to read; of the others it is known without a call how they stand."""
        for id_ in asked:
            if rows is None:
                yield id_
            elif (row := rows.get(id_)) is None or not row.may_wait(
                test_orders=self.access.test_orders
            ):
                self._leaves(id_)
            elif only_shipped(
                local_day(row.shipped_at, self._zone),
                self.recalled.order_states.get(id_),
                self.today,
                self.access.policy,
            ):
                self._dismissed.add(id_)
            else:
                yield id_

    async def _read_one(self, id_: int, row: ListRow | None) -> None:
        try:
            detail = await read_detail(self.calls, id_, self._zone)
        except NotThere:
            self._leaves(id_)
        except (NotUnderstood, Unreadable, UnreadableOrder):
            self._dismissed.add(id_)  # the next reading tries again, and tells of it
        else:
            if detail.order.status is not OrderStatus.SHIPPED:
                self._leaves(id_)
                return
            self._read[id_] = detail.state(
                self.today,
                self._zone,
                listed_as=row.shipped_at if row else None,
                test_orders=self.access.test_orders,
            )

    def _leaves(self, id_: int) -> None:
        """It is not shipped any more; how it went, the next reading asks where anybody cares."""
        if id_ in self.recalled.order_states:
            self._read[id_] = None
        else:
            self._dismissed.add(id_)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.access.timezone)
