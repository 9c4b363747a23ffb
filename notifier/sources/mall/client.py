"""The marketplace as a source of orders. It only reads: it sets no status and confirms no order."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, datetime, timedelta

from notifier.domain.reading import Failed, Reading
from notifier.domain.reading_plan import HintBatch, NoState, Quota, StateStore
from notifier.domain.settings import MarketplaceAccess
from notifier.errors import NotifierError
from notifier.http import HttpClient
from notifier.sources.mall.calls import MOST_TRIES, Calls, Jitter, Sleep, Time
from notifier.sources.mall.details import Progress
from notifier.sources.mall.listing import list_query
from notifier.sources.mall.session import ReadingSession
from notifier.sources.mall.webhook import HintLookup

# Time limit of a lookup of hints. It needs few calls, and the next one comes in ten minutes.
LOOKUP_TIME = timedelta(minutes=1)


class Marketplace:
    """One seller account at the marketplace; a `Source` and a `HintReader`.

    `progress` is called with the number of details read and of all details to read.
    `server_time` is the marketplace's clock at the first answer to the latest method call; None
    if the answer had no `Date`.
    """

    def __init__(
        self,
        access: MarketplaceAccess,
        http: HttpClient,
        *,
        clock: Callable[[], datetime],
        state_store: StateStore | None = None,
        progress: Progress | None = None,
        sleep: Sleep = asyncio.sleep,
        jitter: Jitter = random.random,
        time: Time | None = None,
    ) -> None:
        self.server_time: datetime | None = None
        self._access = access
        self._http = http
        self._clock = clock
        self._state_store = state_store or NoState()
        self._progress = progress
        self._sleep = sleep
        self._jitter = jitter
        self._time = time

    async def read(self, known: Collection[int]) -> Reading:
        """Read the orders that wait now, and find out how the others in `known` left."""
        read_at = self._clock()
        # The quota of earlier runs limits this one too, so it is loaded before the first call.
        recalled = await self._state_store.load()
        calls = self._calls(self._access.run_timeout, MOST_TRIES, known=recalled.quota)
        session = ReadingSession(
            self._access,
            calls,
            known=known,
            progress=self._progress,
            recalled=recalled,
            today=self._today(read_at),
        )
        await session.run()
        self.server_time = calls.server_time
        # Also after a failure, so that the next run need not find out again that no calls are left.
        await self._store_quota(calls)
        reading = session.conclude(read_at)
        # A failed reading has read no order, so what earlier ones remembered stays as it is.
        if not isinstance(reading, Failed):
            await self._state_store.save(session.remembered(), session.followed, read_at)
        return reading

    async def look_up(self, most_calls: int, *, leaving: int) -> HintBatch:
        """Look up the hints since the last reading, with at most `most_calls` calls.

        It stops when only `leaving` of the day's calls are left, or the reserve. It does not
        store the state of orders, and never raises for a failure of the marketplace.
        """
        access = replace(self._access, reserve_calls=max(leaving, self._access.reserve_calls))
        recalled = await self._state_store.load()
        # One try each: the next reading reads these orders anyway.
        calls = self._calls(LOOKUP_TIME, tries=1, access=access, known=recalled.quota)
        today = self._today(self._clock())
        batch = await HintLookup(access, calls, recalled, today, most_calls).run()
        await self._store_quota(calls)
        return batch

    async def check_access(self) -> int | None:
        """Make one cheap call with the credential; return the calls left today, if stated.

        It is not retried and may use the reserve. Raises MarketplaceRefused or
        MarketplaceUnavailable.
        """
        calls = self._calls(self._access.request_timeout, tries=1)
        try:
            # One order of the list: the cheapest call that proves the right to read orders.
            await calls.get("/v1/orders", list_query(1, 1), expected=list, most_bytes=2**20)
        finally:
            self.server_time = calls.server_time
            await self._store_quota(calls)
        return calls.left

    async def ask_time(self) -> datetime | None:
        """Return the marketplace's clock, at the cost of one call; None without an answer."""
        # A refusal has a `Date` as well.
        with contextlib.suppress(NotifierError):
            await self.check_access()
        return self.server_time

    async def _store_quota(self, calls: Calls) -> None:
        if calls.quota:
            await self._state_store.save_quota(calls.quota)

    def _today(self, now: datetime) -> date:
        return now.astimezone(self._access.zone).date()

    def _calls(
        self,
        budget: timedelta,
        tries: int,
        *,
        access: MarketplaceAccess | None = None,
        known: Quota | None = None,
    ) -> Calls:
        return Calls(
            access or self._access,
            self._http,
            clock=self._clock,
            sleep=self._sleep,
            jitter=self._jitter,
            budget=budget,
            tries=tries,
            time=self._time,
            known=known,
        )
