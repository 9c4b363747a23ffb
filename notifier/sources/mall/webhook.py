"""The webhook: read the order ids that the marketplace posts, and look up those orders.

It is not documented who may post, nor that a post is signed; so its body is a hint and never data.
The orders are looked up with few calls between two readings, which keeps the overview current.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from notifier.domain.orders import OrderStatus
from notifier.domain.reading_plan import HintBatch, OrderState, ReadingState, only_shipped
from notifier.domain.settings import MarketplaceAccess
from notifier.errors import MarketplaceRefused, MarketplaceUnavailable
from notifier.sources.mall.answers import (
    Forbidden,
    LimitReached,
    NotFound,
    RequestRejected,
    Retryable,
    UnreadableAnswer,
    parse_json,
)
from notifier.sources.mall.calls import Calls
from notifier.sources.mall.details import local_day, read_detail
from notifier.sources.mall.listing import list_query, parse_page
from notifier.sources.mall.payloads import ListRow, UnreadableOrder
from notifier.sources.values import number

# Room for `MOST_IDS` ids, each in an object of its own.
MOST_BYTES = 64 * 1024
MOST_IDS = 1_000

# As many rows as one page surely holds (`SAFE_PAGE_SIZE`), so that one list call covers them.
MOST_AT_ONCE = 100
"""Orders in one lookup."""

# Orders in a row without an answer that end the lookup: the marketplace is the cause.
GIVE_UP_AFTER = 3

_LIST_BYTES = 2 * 2**20
_ID_NAMES = ("order_id", "orderId", "order", "id")
"""Names of an order's id in an object, the surest first: an order item has an `id` of its own."""


class NotHints(ValueError):
    """The body is not what the marketplace posts."""


class TooManyHints(NotHints):
    """The body names more orders than one post may."""


@dataclass(frozen=True, slots=True)
class Hints:
    """The ids in a post, each once, and the number of elements without an id."""

    ids: tuple[int, ...]
    skipped: int


def parse_hints(body: bytes) -> Hints:
    """Read the body of a post: an array of ids, or of objects with an order's id.

    Raises TooManyHints beyond `MOST_IDS`, and NotHints if it is not a JSON array.
    """
    try:
        content = parse_json(body)
    except ValueError:
        raise NotHints("the body is not JSON") from None
    if not isinstance(content, list):
        raise NotHints("the body is not an array of ids")
    if len(content) > MOST_IDS:
        raise TooManyHints(f"the body names more than {MOST_IDS} orders")
    ids = [id_ for id_ in map(_id, content) if id_]
    return Hints(tuple(dict.fromkeys(ids)), len(content) - len(ids))


def _id(value: object) -> int | None:
    """Return the id in an element of the array; None or 0 if it has none."""
    if not isinstance(value, dict):
        return number(value)
    named = next((value[name] for name in _ID_NAMES if value.get(name) is not None), None)
    return number(named.get("id") if isinstance(named, dict) else named)


@dataclass(slots=True)
class HintLookup:
    """Looks up the fresh hints of an account with at most `most_calls` calls.

    One call asks which of the orders are still shipped; only those are read. Whether the list
    takes ids is not documented: if its answer shows that it does not, every order is read.
    """

    access: MarketplaceAccess
    calls: Calls
    recalled: ReadingState
    today: date
    """The marketplace's local day."""
    most_calls: int
    _read: dict[int, OrderState | None] = field(default_factory=dict)
    _dismissed: set[int] = field(default_factory=set)

    async def run(self) -> HintBatch:
        """Return what was found; a failure of the marketplace ends it and is not raised."""
        asked = sorted(self.recalled.fresh)[:MOST_AT_ONCE]
        try:
            if asked and self.most_calls > 0:
                await self._look_up(asked)
        except (MarketplaceRefused, MarketplaceUnavailable):
            pass  # The hints stay, and the next reading reports the failure.
        return HintBatch(
            self._read, frozenset(self._dismissed), self.calls.made, self.calls.daily_limit
        )

    async def _look_up(self, asked: Sequence[int]) -> None:
        rows, failed_in_a_row = await self._list(asked), 0
        for id_ in self._to_read(asked, rows):
            if self.calls.made >= self.most_calls:
                return
            try:
                await self._read_one(id_, rows[id_] if rows else None)
                failed_in_a_row = 0
            except LimitReached:
                raise
            except (Forbidden, Retryable):
                failed_in_a_row += 1
                if failed_in_a_row == GIVE_UP_AFTER:
                    raise
                # Otherwise it would come first again in every lookup.
                self._dismissed.add(id_)

    async def _list(self, asked: Sequence[int]) -> Mapping[int, ListRow] | None:
        """Return the rows of those still shipped; None if the list does not take ids."""
        query = list_query(1, MOST_AT_ONCE, test_orders=self.access.test_orders)
        query["id"] = f"in:{','.join(map(str, asked))}"
        try:
            envelope = await self.calls.get(
                "/v1/orders", query, expected=list, most_bytes=_LIST_BYTES
            )
        except (NotFound, RequestRejected, UnreadableAnswer):
            return None
        page = parse_page(envelope, 1, self.access.zone)
        rows = {row.id: row for row in page.rows}
        # A server that ignores the filter returns other orders. Trusting its page would dismiss
        # hints of orders that are on another page.
        is_filtered = rows.keys() <= set(asked) and page.is_last and not page.strays
        return rows if is_filtered else None

    def _to_read(self, asked: Sequence[int], rows: Mapping[int, ListRow] | None) -> Iterator[int]:
        """Yield the ids that need a call, and settle the others."""
        for id_ in asked:
            if rows is None:
                yield id_
            elif (row := rows.get(id_)) is None or not row.may_wait(
                test_orders=self.access.test_orders
            ):
                self._leave(id_)
            elif only_shipped(
                local_day(row.shipped_at, self.access.zone),
                self.recalled.order_states.get(id_),
                self.today,
                self.access.policy,
            ):
                self._dismissed.add(id_)
            else:
                yield id_

    async def _read_one(self, id_: int, row: ListRow | None) -> None:
        try:
            detail = await read_detail(self.calls, id_, self.access.zone)
        except NotFound:
            self._leave(id_)
        except (RequestRejected, UnreadableAnswer, UnreadableOrder):
            self._dismissed.add(id_)  # The next reading tries again and reports it.
        else:
            if detail.order.status is OrderStatus.SHIPPED:
                self._read[id_] = detail.state(self.today, self.access, row)
            else:
                self._leave(id_)

    def _leave(self, id_: int) -> None:
        """Record that an order is not shipped any more; the next reading finds out how it left."""
        if id_ in self.recalled.order_states:
            self._read[id_] = None
        else:
            self._dismissed.add(id_)
