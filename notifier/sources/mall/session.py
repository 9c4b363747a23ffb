"""One reading of an account: list the shipped orders, plan, read details, conclude.

A reading may have to stop at any moment; what it holds by then is valid, and `conclude` says what
is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta

from notifier.domain.reading import SUSPICIOUS_DROP, Complete, Failed, Incomplete, Reading
from notifier.domain.reading_plan import OrderState, ReadingState, plan
from notifier.domain.settings import MarketplaceAccess
from notifier.errors import MarketplaceRefused, MarketplaceUnavailable
from notifier.sources.mall.answers import LimitReached
from notifier.sources.mall.calls import Calls
from notifier.sources.mall.details import DetailReader, Failure, Progress, local_day
from notifier.sources.mall.listing import Listing
from notifier.sources.mall.payloads import ListRow
from notifier.sources.values import number

# The period over which the marketplace counts its orders by status; the count covers recent orders
# only.
COUNTED = timedelta(days=30)

_MOST_BYTES = 2**20


class ReadingSession:
    """Reads which orders wait for the seller, and how those of `known` left that wait no longer.

    `known` are the ids in the last digest, `recalled` is what earlier readings remembered, and
    `today` is the marketplace's local day.
    """

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
        self._access = access
        self._calls = calls
        self._known = frozenset(known)
        self._recalled = recalled
        self._today = today
        self._listing = Listing(access, calls)
        self._details = DetailReader(access, calls, today, known, progress)
        self._candidates: tuple[ListRow, ...] = ()
        self._planned: tuple[int, ...] = ()
        self._errors: list[Failure] = []

    async def run(self) -> None:
        """Read within `run_timeout`; a failure of the marketplace ends it and is not raised."""
        limit = self._access.run_timeout.total_seconds()
        try:
            async with asyncio.timeout(limit):
                # Without a list there is no plan; an empty one may be a failure in disguise.
                if await self._read_list():
                    await self._check_empty_list()
                    self._plan()
                    self._errors += await self._details.read(self._planned, self._listing.rows)
        except TimeoutError:
            self._errors.append(
                MarketplaceUnavailable(
                    f"{self._calls.host} is too slow: {limit / 60:g} minutes were not enough to "
                    "read everything"
                )
            )
        # Only now, when it is known how many orders have vanished.
        self._details.distrust_vanished(len(self._candidates))

    def conclude(self, read_at: datetime) -> Reading:
        """Return what was read, and whether that is everything."""
        answered = self._details.answered
        errors = [*self._details.failures.values(), *self._errors]
        if self._planned and not answered and not errors:
            errors.append(
                MarketplaceUnavailable(f"no answer of {self._calls.host} about an order is usable")
            )
        # One answer is enough for a digest that names what is missing; none is a failed reading.
        if errors and not answered:
            return Failed(read_at, errors[0], self._calls.made)
        # Answers arrive in any order, which the digest must not show.
        orders = tuple(sorted(self._details.orders, key=lambda order: order.id))
        departed, candidates, calls = self._details.departed, len(self._planned), self._calls.made
        # Only planned orders count as unread: the others cannot have become ready yet.
        unread = tuple(sorted(set(self._planned) - answered))
        # Many orders often fail for one reason, which is named once.
        if why := "; ".join(dict.fromkeys(self._gaps(len(unread), errors))):
            return Incomplete(read_at, orders, why, unread, departed, candidates, calls)
        return Complete(read_at, orders, departed, candidates, calls)

    def remembered(self) -> dict[int, OrderState]:
        """Return what to remember until the next reading: listed orders, and those that may wait.

        An incomplete list may have missed an order. So an order is forgotten only if a complete
        list does not name it and it was not waiting.
        """
        before = self._recalled.order_states
        listed = {
            row.id: before.get(row.id) or OrderState(local_day(row.shipped_at, self._access.zone))
            for row in self._candidates
        }
        unlisted = {id_: old for id_, old in before.items() if old.waits or self._listing.gaps}
        read = {id_: new for id_, new in self._details.states.items() if new.waits or id_ in listed}
        gone = self._details.answered.difference(read)
        states = {**unlisted, **listed, **read}
        return {id_: state for id_, state in states.items() if id_ not in gone}

    @property
    def followed(self) -> frozenset[int]:
        """Hints that are done: their orders were read, or are not in a complete list."""
        unread = frozenset(self._planned) - self._details.answered
        unseen = self._recalled.hints.difference(self._listing.rows) if self._listing.gaps else ()
        return self._recalled.hints.difference(unread, unseen)

    async def _read_list(self) -> bool:
        """Read the list; return whether reading details is of any use."""
        try:
            await self._listing.read()
        # After these, no further call would succeed.
        except (MarketplaceRefused, LimitReached) as error:
            self._errors.append(error)
            return False
        except MarketplaceUnavailable as error:
            # The orders on the pages before can still be read.
            self._listing.gaps.append("the list could not be read to its end")
            self._errors.append(error)
            return self._listing.pages_read > 0
        return True

    async def _check_empty_list(self) -> None:
        """Spend one call on the marketplace's own count if a list that was long is now empty.

        The count includes orders of all carriers, but only recent ones. A seller with several
        carriers seldom has all orders of MALL Delivery leave at once.
        """
        since = self._today - COUNTED
        recent = [
            state
            for state in self._recalled.order_states.values()
            if state.shipped_on is None or state.shipped_on > since
        ]
        if self._listing.rows or self._listing.gaps or len(recent) < SUSPICIOUS_DROP:
            return
        # The count can only raise a doubt; without it the list is believed.
        with contextlib.suppress(MarketplaceRefused, MarketplaceUnavailable):
            query = {"days": str(COUNTED.days)}
            envelope = await self._calls.get(
                "/v1/orders/stats", query, expected=dict, most_bytes=_MOST_BYTES
            )
            if counted := number(envelope.data.get("shipped")):
                self._listing.gaps.append(
                    f"the list is empty, but the marketplace counts {counted} orders as shipped"
                )

    def _plan(self) -> None:
        """Choose the orders whose details are read, the most important first."""
        self._candidates = tuple(
            row
            for row in self._listing.rows.values()
            if row.may_wait(test_orders=self._access.test_orders)
        )
        policy = self._access.policy
        steps = plan(
            {row.id: local_day(row.shipped_at, self._access.zone) for row in self._candidates},
            self._recalled.order_states,
            self._today,
            # With lost hints, silence of the webhook no longer means that an order is unchanged.
            policy.after_lost_hints() if self._recalled.hints_lost else policy,
            waited=self._known,
            hinted=self._recalled.hints,
        )
        self._planned = tuple(step.id for step in steps)

    def _gaps(self, unread: int, errors: Collection[Failure]) -> Iterator[str]:
        if unread:
            yield f"{unread} of {len(self._planned)} orders could not be read"
        yield from self._listing.gaps
        yield from map(str, errors)
