"""The marketplace as a source of orders. It only ever reads: no status, no confirmation is set."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from notifier.domain.reading import Failed, Reading
from notifier.domain.reading_plan import HintBatch, NoState, Quota, StateStore
from notifier.domain.settings import MarketplaceAccess
from notifier.errors import NotifierError
from notifier.http import HttpClient
from notifier.sources.mall.calls import MOST_TRIES, Calls, Jitter, Sleep, Time
from notifier.sources.mall.listing import list_query
from notifier.sources.mall.lookup import Lookup
from notifier.sources.mall.sweep import Progress, ReadingSession

LOOKUP_TIME = timedelta(minutes=1)
"""That a look at what was hinted at may take."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The marketplace let us in. `calls_left` of the day's limit, None when it does not tell."""

    calls_left: int | None
    server_time: datetime | None


class Marketplace:
    """One seller account at the marketplace; a `Source`.

    `progress` is told how many of the candidates were asked for, and how many there are.
    `server_time` is the marketplace's clock at its first answer to the last call of a method;
    None when it gave none.
    """

    def __init__(
        self,
        access: MarketplaceAccess,
        http: HttpClient,
        *,
        clock: Callable[[], datetime],
        memory: StateStore | None = None,
        progress: Progress | None = None,
        sleep: Sleep = asyncio.sleep,
        jitter: Jitter = random.random,
        time: Time | None = None,
    ) -> None:
        self.server_time: datetime | None = None
        self._access = access
        self._http = http
        self._clock = clock
        self._memory = memory or NoState()
        self._progress = progress
        self._sleep = sleep
        self._jitter = jitter
        self._time = time

    async def read(self, known: Collection[int]) -> Reading:
        """Read what waits now, and how those of `known` went that wait no longer."""
        read_at = self._clock()
        recalled = await self._memory.load()
        calls = self._calls(self._access.run_timeout, MOST_TRIES, known=recalled.quota)
        sweep = ReadingSession(
            self._access,
            calls,
            known=known,
            progress=self._progress,
            recalled=recalled,
            today=self._today(read_at),
        )
        await sweep.run()
        self.server_time = calls.server_time
        await self._note(calls)
        reading = sweep.conclude(read_at)
        if not isinstance(reading, Failed):
            await self._memory.save(sweep.remembered(), sweep.followed, read_at)
        return reading

    async def look_up(self, most_calls: int, *, leaving: int) -> HintBatch:
        """Look at what was hinted at since the last reading, with at most so many calls.

        It stops where only `leaving` of the day's calls are left, or the reserve; of the orders
        it remembers nothing, and never raises for a failure of the marketplace.
        """
        access = replace(self._access, reserve_calls=max(leaving, self._access.reserve_calls))
        recalled = await self._memory.load()
        calls = self._calls(LOOKUP_TIME, tries=1, access=access, known=recalled.quota)
        today = self._today(self._clock())
        batch = await Lookup(access, calls, recalled, today, most_calls).run()
        await self._note(calls)
        return batch

    async def check_access(self) -> Admission:
        """Ask one cheap question with the credential, once, whatever is left of the day's calls.

        Raises MarketplaceRefused or MarketplaceUnavailable.
        """
        calls = self._calls(self._access.request_timeout, tries=1)
        try:
            await calls.get("/v1/orders", list_query(1, 1), expected=list, most_bytes=2**20)
        finally:
            self.server_time = calls.server_time
            await self._note(calls)
        return Admission(calls.left, calls.server_time)

    async def ask_time(self) -> datetime | None:
        """The marketplace's clock, for one cheap call; None when it does not answer."""
        with contextlib.suppress(NotifierError):
            await self.check_access()
        return self.server_time

    async def _note(self, calls: Calls) -> None:
        if calls.quota:
            await self._memory.save_quota(calls.quota)

    def _today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self._access.timezone)).date()

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
