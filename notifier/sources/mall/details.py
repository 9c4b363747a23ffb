"""Read the details of orders: the only call that shows whether an order waits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from notifier.domain.orders import Order, OrderStatus
from notifier.domain.reading import Departure
from notifier.domain.reading_plan import OrderState
from notifier.domain.settings import MarketplaceAccess
from notifier.errors import MarketplaceRefused, MarketplaceUnavailable
from notifier.sources.mall.answers import (
    Forbidden,
    LimitReached,
    NotFound,
    RequestRejected,
    Retryable,
    UnreadableAnswer,
)
from notifier.sources.mall.calls import Calls
from notifier.sources.mall.payloads import ListRow, UnreadableOrder, comes_back, parse_order

# Attempts at one order, each of several tries. Three outlast an outage; an order that never gets an
# answer uses all of them.
MOST_ATTEMPTS = 3

# Failures in a row that end the reading: they mean an outage, and each costs several tries.
MOST_FAILED = 5

# Forbidden orders in a row that end the reading. A single order may be closed to us; two mean that
# the credential may not read orders.
MOST_FORBIDDEN = 2

# Unreadable answers in a row that end the reading. A few odd orders must not hide the others, but
# so many mean that the program or the marketplace is wrong.
MOST_UNREADABLE = 25

# One listed order in twenty may be gone before its detail is read. Beyond that, 404 counts as no
# answer: a faulty server must not look like parcels that were all collected.
VANISHED_SHARE = 20

Progress = Callable[[int, int], None]
"""Called with the number of orders read so far, and of all planned ones."""

_MOST_BYTES = 2 * 2**20
_DEPARTURES = {
    OrderStatus.RETURNED: Departure.RETURNED,
    OrderStatus.DELIVERED: Departure.DELIVERED,
    OrderStatus.LOST: Departure.LOST,
    OrderStatus.CANCELLED: Departure.CANCELLED,
    OrderStatus.OTHER: Departure.GONE,
}

logger = logging.getLogger("notifier.sources.mall")

Failure = MarketplaceRefused | MarketplaceUnavailable


class NothingReadable(MarketplaceUnavailable):
    """Order after order gets an unreadable answer: a general fault, not one of an order."""


@dataclass(frozen=True, slots=True)
class Detail:
    """An order, and whether its history says that it is on its way back."""

    order: Order
    comes_back: bool

    def state(self, today: date, access: MarketplaceAccess, row: ListRow | None) -> OrderState:
        """Return what to remember of the order; `row` is its row in the list, if any."""
        shipped_at = self.order.shipped_at or (row.shipped_at if row else None)
        return OrderState(
            local_day(shipped_at, access.zone),
            today,
            waits=self.order.waits_for_seller(test_orders=access.test_orders),
            comes_back=self.comes_back,
        )


async def read_detail(calls: Calls, id_: int, zone: ZoneInfo) -> Detail:
    """Read one order; raises UnreadableOrder, and what `Calls.get` raises."""
    path = f"/v1/orders/{id_}"
    envelope = await calls.get(path, {}, expected=dict, most_bytes=_MOST_BYTES)
    order = parse_order(envelope.data, zone)
    # A cache or proxy that mixes up answers must not change the state of an order.
    if order.id != id_:
        raise UnreadableOrder("the answer is about another order")
    return Detail(order, comes_back(envelope.data))


def local_day(at: datetime | None, zone: ZoneInfo) -> date | None:
    """Return the marketplace's local day of an instant."""
    return at.astimezone(zone).date() if at else None


class DetailReader:
    """Reads the details of many orders, several at the same time, and keeps the results.

    `orders` wait for the seller; `departed` are those of `known` that wait no longer; `states` is
    what to remember; `answered` are the ids that need no other call; `failures` are the latest
    errors by id. All of it is valid at every moment, so a reading may be stopped at any time.
    """

    def __init__(
        self,
        access: MarketplaceAccess,
        calls: Calls,
        today: date,
        known: Collection[int],
        progress: Progress | None,
    ) -> None:
        self.orders: list[Order] = []
        self.departed: dict[int, Departure] = {}
        self.states: dict[int, OrderState] = {}
        self.answered: set[int] = set()
        self.failures: dict[int, Failure] = {}
        self._access = access
        self._calls = calls
        self._today = today
        self._known = frozenset(known)
        self._progress = progress
        self._rows: Mapping[int, ListRow] = {}
        self._planned = 0
        self._attempted = 0
        self._unreadable_in_a_row = 0
        self._vanished: set[int] = set()

    async def read(self, ids: Collection[int], rows: Mapping[int, ListRow]) -> list[Failure]:
        """Read the orders `ids`, in this order; return the errors that ended it early.

        `rows` are the rows of the list, by id.
        """
        self._rows, self._planned = rows, len(ids)
        queue, errors = WorkQueue(ids), list[Failure]()
        try:
            # A few workers instead of a task per order, because the queue changes its order after a
            # failure.
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._access.concurrency, len(ids))):
                    group.create_task(self._work(queue))
        except* (MarketplaceRefused, MarketplaceUnavailable) as stopped:
            # Several workers may have met the same fault at once; no group is nested here.
            errors.extend(e for e in stopped.exceptions if not isinstance(e, BaseExceptionGroup))
        logger.info(
            "%d of %d orders read, %d wait for the seller, %d calls",
            len(self.answered),
            len(ids),
            len(self.orders),
            self._calls.made,
            extra={
                "event": "orders_read",
                "read": len(self.answered),
                "candidates": len(ids),
                "waiting": len(self.orders),
                "calls": self._calls.made,
            },
        )
        return errors

    def distrust_vanished(self, listed: int) -> None:
        """Count 404 as no answer if too many of the `listed` orders got one."""
        if len(self._vanished) > max(1, listed // VANISHED_SHARE):
            self.answered -= self._vanished
            for id_ in self._vanished:
                self.departed.pop(id_, None)

    async def _work(self, queue: WorkQueue) -> None:
        while True:
            async with queue.next() as attempt:
                if attempt is None:
                    return
                await self._try(attempt, queue)
            # With retries counted, the progress would pass 100 %.
            if attempt.number == 1:
                self._attempted += 1
            if self._progress:
                self._progress(self._attempted, self._planned)

    async def _try(self, attempt: DetailAttempt, queue: WorkQueue) -> None:
        """Read one order; raise its error if reading others would be useless."""
        try:
            is_readable = await self._read_one(attempt.id)
        # First, because both are kinds of MarketplaceUnavailable, but concern every order. A
        # refused credential (401) is not caught at all.
        except (LimitReached, NothingReadable):
            raise  # both are MarketplaceUnavailable, and must not count as one order's failure
        except (Forbidden, MarketplaceUnavailable) as error:
            queue.failed(attempt, for_good=not isinstance(error, Retryable))
            # A failed call may be a passing fault, so several are tolerated; a second forbidden
            # order means that the credential is the cause, and asking on only costs calls.
            most = MOST_FORBIDDEN if isinstance(error, Forbidden) else MOST_FAILED
            if queue.failed_in_a_row >= most:
                raise
            self.failures[attempt.id] = error
        else:
            queue.answered(readably=is_readable)
            self.failures.pop(attempt.id, None)

    async def _read_one(self, id_: int) -> bool:
        """Read one order; return whether its answer was readable. An order may be gone by now."""
        try:
            detail = await read_detail(self._calls, id_, self._access.zone)
        except NotFound:
            # Known orders that the list no longer names may well be gone; they are not counted.
            if id_ in self._rows:
                self._vanished.add(id_)
                logger.info(
                    "order %d left between list and detail", id_, extra={"event": "order_vanished"}
                )
            self._leave(id_, Departure.GONE)
        except (RequestRejected, UnreadableAnswer, UnreadableOrder) as error:
            logger.info(
                "order %d is unreadable: %s", id_, error, extra={"event": "order_unreadable"}
            )
            self._count_unreadable()
            return False
        else:
            self._unreadable_in_a_row = 0
            self._keep(detail)
        return True

    def _keep(self, detail: Detail) -> None:
        order = detail.order
        # The list's row may have the day of shipping that the detail lacks.
        state = detail.state(self._today, self._access, self._rows.get(order.id))
        self.states[order.id] = state
        if state.waits:
            self.answered.add(order.id)
            self.orders.append(order)
        else:
            # Still shipped but no longer ready: not reported as collected, so it is withdrawn.
            self._leave(order.id, _DEPARTURES.get(order.status, Departure.WITHDRAWN))

    def _leave(self, id_: int, departure: Departure) -> None:
        """Record that an order does not wait; it departed only if it was known to wait."""
        self.answered.add(id_)
        if id_ in self._known:
            self.departed[id_] = departure

    def _count_unreadable(self) -> None:
        self._unreadable_in_a_row += 1
        if self._unreadable_in_a_row >= MOST_UNREADABLE:
            raise NothingReadable(
                f"{self._calls.host} sends an unreadable answer for one order after another; look "
                "for a newer version of this program"
            )


@dataclass(frozen=True, slots=True)
class DetailAttempt:
    """One order to read."""

    id: int
    number: int
    """Which attempt at this order it is, from 1."""
    failures_before: int
    """How many failures were known when it began."""


class WorkQueue:
    """The orders to read, for workers that read at the same time.

    A failure may be the order's own or the marketplace's. So after one the next order comes from
    the other end of the queue, one at a time, until an order is answered. Those that failed are
    retried after all others, if any was answered at all.
    """

    def __init__(self, ids: Iterable[int]) -> None:
        self.failed_in_a_row = 0
        """Failures since the last answer; simultaneous ones count once."""
        self._untried = deque((id_, 1) for id_ in ids)
        self._to_retry: deque[tuple[int, int]] = deque()
        self._failures = 0
        self._any_answered = False
        self._backwards = False
        self._alone = asyncio.Lock()

    @asynccontextmanager
    async def next(self) -> AsyncIterator[DetailAttempt | None]:
        """Yield the next attempt, or None at the end. While orders fail, only one worker reads."""
        async with self._alone if self.failed_in_a_row else nullcontext():
            yield self._take()

    def _take(self) -> DetailAttempt | None:
        if self._untried:
            id_, number = self._untried.pop() if self._backwards else self._untried.popleft()
        # If no order was answered at all, retries would only fail like the first attempts.
        elif self._to_retry and self._any_answered:
            id_, number = self._to_retry.popleft()
        else:
            return None
        return DetailAttempt(id_, number, self._failures)

    def answered(self, *, readably: bool) -> None:
        """Note that an order was answered."""
        self._any_answered = True
        self.failed_in_a_row = 0
        # Its neighbours in the queue may have the same flaw.
        self._backwards = not readably

    def failed(self, attempt: DetailAttempt, *, for_good: bool) -> None:
        """Note that an order was not answered; `for_good` if a retry is useless."""
        self._backwards = True
        # Calls under way at the same time fail for one cause, so they count once.
        if attempt.failures_before == self._failures:
            self._failures += 1
            self.failed_in_a_row += 1
        if not for_good and attempt.number < MOST_ATTEMPTS:
            self._to_retry.append((attempt.id, attempt.number + 1))
