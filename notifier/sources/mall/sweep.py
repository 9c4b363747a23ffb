"""One reading while it is made: the list, then the detail of each order in it.

Nothing is lost when a reading has to stop: what a sweep holds is true at every moment, and
`conclude` says how much of the whole it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from notifier.domain.orders import Order, OrderStatus
from notifier.domain.reading import (
    SUSPICIOUS_DROP,
    Complete,
    Departure,
    Failed,
    Incomplete,
    Reading,
)
from notifier.domain.reading_plan import OrderState, ReadingState, Step, plan
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
from notifier.sources.mall.fields import number
from notifier.sources.mall.listing import Listing
from notifier.sources.mall.payloads import ListRow, UnreadableOrder
from notifier.sources.mall.work_queue import Attempt, WorkQueue

Progress = Callable[[int, int], None]

GIVE_UP_AFTER = 5
"""After so many failures in a row, each of an order that was tried several times, we stop."""

MOST_FORBIDDEN = 2
"""After so many orders in a row that we may not see, it is the credential."""

MOST_UNREADABLE = 25
"""After so many in a row that were answered, but not in a way anybody can read."""

COUNTED = timedelta(days=30)
"""Of which the marketplace counts how many orders are in which status."""

VANISHED_SHARE = 20
"""One in so many orders may be gone between list and detail; more, and 404 means nothing."""

_MOST_BYTES = 2**20
_DEPARTURES = {
    OrderStatus.RETURNED: Departure.RETURNED,
    OrderStatus.DELIVERED: Departure.DELIVERED,
    OrderStatus.LOST: Departure.LOST,
    OrderStatus.CANCELLED: Departure.CANCELLED,
    OrderStatus.OTHER: Departure.GONE,
}

logger = logging.getLogger("notifier.sources.mall")


class NothingReadable(MarketplaceUnavailable):
    """Every order is answered for, and no answer can be read: this is a fault, not an order."""


class ReadingSession:
    """Reads what waits for the seller, and how those of `known` went that wait no longer."""

    def __init__(
        self,
        access: MarketplaceAccess,
        calls: Calls,
        *,
        known: Collection[int],
        progress: Progress | None,
        recalled: ReadingState,
        today: date,
    ) -> None:
        """`known` waited in the last digest; `today` is the marketplace's local day."""
        self._access = access
        self._calls = calls
        self._known = frozenset(known)
        self._recalled = recalled
        self._today = today
        self._progress = progress
        self._zone = ZoneInfo(access.timezone)
        self._listing = Listing(calls, self._zone, access.page_size, test_orders=access.test_orders)
        self._candidates: tuple[ListRow, ...] = ()
        self._queue: tuple[int, ...] = ()
        self._sighted: dict[int, OrderState] = {}
        self._asked = 0
        self._answered: set[int] = set()
        self._unreadable_in_a_row = 0
        self._orders: list[Order] = []
        self._departed: dict[int, Departure] = {}
        self._vanished: set[int] = set()
        self._failed: dict[int, MarketplaceRefused | MarketplaceUnavailable] = {}
        self._trouble: list[MarketplaceRefused | MarketplaceUnavailable] = []

    async def run(self) -> None:
        """List, then read one by one; never raises for a failure of the marketplace."""
        limit = self._access.run_timeout.total_seconds()
        try:
            async with asyncio.timeout(limit):
                if await self._list():
                    await self._read_details()
        except TimeoutError:
            self._trouble.append(
                MarketplaceUnavailable(
                    f"{self._calls.host} is too slow: {limit / 60:g} minutes were not enough to "
                    "read everything"
                )
            )

    def conclude(self, read_at: datetime) -> Reading:
        """What the reading gave so far."""
        self._disbelieve_vanished()
        self._trouble[:0] = self._failed.values()
        if self._queue and not self._answered and not self._trouble:
            self._trouble.append(
                MarketplaceUnavailable(f"{self._calls.host} answers for no order as it should")
            )
        if self._trouble and not self._answered:
            return Failed(read_at, self._trouble[0], self._calls.made)
        orders = tuple(sorted(self._orders, key=lambda order: order.id))
        departed, candidates, calls = self._departed, len(self._queue), self._calls.made
        unread = tuple(sorted(set(self._queue) - self._answered))
        why = "; ".join(dict.fromkeys(self._gaps(len(unread))))
        if why:
            return Incomplete(read_at, orders, why, unread, departed, candidates, calls)
        return Complete(read_at, orders, departed, candidates, calls)

    def remembered(self) -> dict[int, OrderState]:
        """What to remember until the next reading: what is listed, and what may still wait.

        What the list did not name, it may have missed; that is forgotten only once a whole list
        does not name it, and nobody waits to hear how it went.
        """
        before = self._recalled.order_states
        listed = {
            row.id: before.get(row.id) or OrderState(local_day(row.shipped_at, self._zone))
            for row in self._candidates
        }
        unlisted = {id_: one for id_, one in before.items() if one.waits or self._listing.gaps}
        seen = {id_: one for id_, one in self._sighted.items() if one.waits or id_ in listed}
        gone = self._answered.difference(seen)
        return {id_: one for id_, one in {**unlisted, **listed, **seen}.items() if id_ not in gone}

    @property
    def followed(self) -> frozenset[int]:
        """The hints that need nothing more: their orders are read, or not in a whole list."""
        unread = frozenset(self._queue) - self._answered
        unseen = self._recalled.hints.difference(self._listing.rows) if self._listing.gaps else ()
        return self._recalled.hints.difference(unread, unseen)

    def _disbelieve_vanished(self) -> None:
        """Take 404 for no answer where so many orders of the list are said not to be there."""
        if len(self._vanished) <= max(1, len(self._candidates) // VANISHED_SHARE):
            return
        self._answered -= self._vanished
        for id_ in self._vanished:
            self._departed.pop(id_, None)

    def _gaps(self, unread: int) -> Iterator[str]:
        if unread:
            yield f"{unread} of {len(self._queue)} orders could not be read"
        yield from self._listing.gaps
        yield from map(str, self._trouble)

    async def _list(self) -> bool:
        """Whether there is any use in going on to the details."""
        try:
            await self._listing.read()
        except (MarketplaceRefused, LimitReached) as error:
            self._trouble.append(error)
            return False
        except MarketplaceUnavailable as error:
            # The pages before name orders that can still be looked at.
            self._listing.gaps.append("the list could not be read to its end")
            self._trouble.append(error)
            if not self._listing.pages_read:
                return False
        await self._doubt_emptiness()
        self._candidates = tuple(
            row
            for row in self._listing.rows.values()
            if row.may_wait(test_orders=self._access.test_orders)
        )
        self._queue = tuple(step.id for step in self._plan())
        return True

    async def _doubt_emptiness(self) -> None:
        """Where a list that was long is empty, ask for one call what the marketplace counts.

        It counts orders of all carriers, opened in the last days; of a seller who ships by several,
        those of MALL Delivery have seldom all left at once.
        """
        since = self._today - COUNTED
        listed = [
            one
            for one in self._recalled.order_states.values()
            if one.shipped_on is None or one.shipped_on > since
        ]
        if self._listing.rows or self._listing.gaps or len(listed) < SUSPICIOUS_DROP:
            return
        # It only helps us to doubt.
        with contextlib.suppress(MarketplaceRefused, MarketplaceUnavailable):
            counted = await self._shipped_by_count()
            if counted:
                self._listing.gaps.append(
                    f"the list names no order, and yet the marketplace counts {counted} as shipped"
                )

    async def _shipped_by_count(self) -> int | None:
        query = {"days": str(COUNTED.days)}
        envelope = await self._calls.get(
            "/v1/orders/stats", query, expected=dict, most_bytes=_MOST_BYTES
        )
        return number(envelope.data.get("shipped"))

    def _plan(self) -> tuple[Step, ...]:
        policy = self._access.policy
        return plan(
            {row.id: local_day(row.shipped_at, self._zone) for row in self._candidates},
            self._recalled.order_states,
            self._today,
            policy.after_lost_hints() if self._recalled.hints_lost else policy,
            waited=self._known,
            hinted=self._recalled.hints,
        )

    def _listed_as_shipped(self, id_: int) -> datetime | None:
        row = self._listing.rows.get(id_)
        return row.shipped_at if row else None

    async def _read_details(self) -> None:
        work = WorkQueue(self._queue)
        workers = min(self._access.concurrency, len(self._queue))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(work))
        except* (MarketplaceRefused, MarketplaceUnavailable) as stopped:
            self._trouble.extend(_members(stopped))
        logger.info(
            "%d of %d orders read, %d wait for the seller, %d calls",
            len(self._answered),
            len(self._queue),
            len(self._orders),
            self._calls.made,
            extra={
                "event": "orders_read",
                "read": len(self._answered),
                "candidates": len(self._queue),
                "waiting": len(self._orders),
                "calls": self._calls.made,
            },
        )

    async def _work(self, work: WorkQueue) -> None:
        while True:
            async with work.next() as attempt:
                if attempt is None:
                    return
                await self._try(attempt, work)
            if attempt.number == 1:
                self._asked += 1
            if self._progress:
                self._progress(self._asked, len(self._queue))

    async def _try(self, attempt: Attempt, work: WorkQueue) -> None:
        """Read one order; raises where it is of no use to go on with others."""
        try:
            readably = await self._read(attempt.id)
        except (LimitReached, NothingReadable):
            raise
        except (Forbidden, MarketplaceUnavailable) as error:
            work.failed(attempt, for_good=not isinstance(error, Passing))
            most = MOST_FORBIDDEN if isinstance(error, Forbidden) else GIVE_UP_AFTER
            if work.failed_in_a_row >= most:
                raise
            self._failed[attempt.id] = error
        else:
            work.answered(readably=readably)
            self._failed.pop(attempt.id, None)

    async def _read(self, id_: int) -> bool:
        """Whether one order could be read. That it is gone meanwhile is no failure."""
        try:
            order = await self._detail(id_)
        except NotThere:
            self._vanishes(id_)
        except (NotUnderstood, Unreadable, UnreadableOrder) as error:
            logger.info(
                "order %d is unreadable: %s", id_, error, extra={"event": "order_unreadable"}
            )
            self._count_unreadable()
            return False
        else:
            self._unreadable_in_a_row = 0
            if order.waits_for_seller(test_orders=self._access.test_orders):
                self._answered.add(id_)
                self._orders.append(order)
            else:
                self._leaves(id_, _DEPARTURES.get(order.status, Departure.WITHDRAWN))
        return True

    def _count_unreadable(self) -> None:
        self._unreadable_in_a_row += 1
        if self._unreadable_in_a_row >= MOST_UNREADABLE:
            raise NothingReadable(
                f"{self._calls.host} answers for one order after the other with something that "
                "cannot be read; look for a newer version of this program"
            )

    async def _detail(self, id_: int) -> Order:
        detail = await read_detail(self._calls, id_, self._zone)
        self._sighted[id_] = detail.state(
            self._today,
            self._zone,
            listed_as=self._listed_as_shipped(id_),
            test_orders=self._access.test_orders,
        )
        return detail.order

    def _vanishes(self, id_: int) -> None:
        """It is not there any more; the list may have named it a moment ago."""
        if id_ in self._listing.rows:
            self._vanished.add(id_)
            logger.info(
                "order %d left between list and detail", id_, extra={"event": "order_vanished"}
            )
        self._leaves(id_, Departure.GONE)

    def _leaves(self, id_: int, how: Departure) -> None:
        """It does not wait; of one that never did there is nothing to tell."""
        self._answered.add(id_)
        if id_ in self._known:
            self._departed[id_] = how


def _members(
    group: BaseExceptionGroup[MarketplaceRefused | MarketplaceUnavailable],
) -> Iterator[MarketplaceRefused | MarketplaceUnavailable]:
    """The errors in a group; several workers may have run into the same wall at once."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _members(error)
        else:
            yield error
