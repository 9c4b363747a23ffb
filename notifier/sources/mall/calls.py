"""The calls of one reading: authenticated, counted, tried again where that helps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from notifier import __version__
from notifier.domain.reading_plan import UNSTATED_VALIDITY, Quota
from notifier.domain.settings import MarketplaceAccess
from notifier.errors import MarketplaceUnavailable
from notifier.http import HttpAnswer, HttpClient, NoAnswer, http_date
from notifier.sources.mall.answers import (
    ApiAnswer,
    LimitReached,
    Passing,
    ReserveReached,
    Unreadable,
    open_answer,
)
from notifier.sources.mall.rate_headers import calls_left
from notifier.sources.mall.rate_limit import Call, RateLimit

MOST_TRIES = 4

MOST_REPEATED = 200
"""So many calls of a reading may be repetitions: the day's calls are not for asking in vain."""

_RECHECK_SECONDS = 0.1
"""While calls are under way, how often to check whether an answer has opened the limit."""

Sleep = Callable[[float], Awaitable[None]]
Jitter = Callable[[], float]
Time = Callable[[], float]
"""Seconds that only ever go forward."""

_HEADERS = {
    "Accept": "application/json",
    "X-Application-Name": "notifier",
    "X-Application-Version": __version__,
}

logger = logging.getLogger("notifier.sources.mall")


class Calls:
    """Asks the marketplace on behalf of one account, until `budget` of time is used up.

    `time` is that of the event loop by default, since a machine's clock may be set meanwhile.
    `host` names the marketplace in messages; `made` counts requests, repeated ones too;
    `server_time` is the `Date` of the first answer; `left` is the latest `X-RateLimit-Remaining`.
    `known` is the day's quota by earlier calls.
    """

    def __init__(
        self,
        access: MarketplaceAccess,
        http: HttpClient,
        *,
        clock: Callable[[], datetime],
        sleep: Sleep,
        jitter: Jitter,
        budget: timedelta,
        tries: int = MOST_TRIES,
        time: Time | None = None,
        known: Quota | None = None,
    ) -> None:
        self.host = urlsplit(access.base_url).hostname or "the marketplace"
        self.made = 0
        self.server_time: datetime | None = None
        self.left: int | None = None
        self._access = access
        self._http = http
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._tries = tries
        self._repeated = 0
        self._time = time or asyncio.get_running_loop().time
        self._ends_at = self._time() + budget.total_seconds()
        self._closed_until = self._time()
        left = known.left if known and known.is_valid(clock()) else None
        self._limit = RateLimit(left, known.daily_limit if known else None)
        self._turn = asyncio.Lock()
        self._landed = asyncio.Event()
        self._granted = 0

    @property
    def quota(self) -> Quota | None:
        """What is left of the day's calls; None if no answer stated it."""
        left, ends_at = self._limit.day_left, self._limit.day_ends_at
        if left is None or not self._limit.day_is_stated:
            return None
        now, lasts = self._clock(), UNSTATED_VALIDITY
        if ends_at is not None:
            lasts = timedelta(seconds=max(0.0, ends_at - self._time()))
        return Quota(left, now, now + lasts, self._limit.daily_limit)

    @property
    def daily_limit(self) -> int | None:
        """Calls of a whole day, shared by all systems of the seller; None if unknown."""
        return self._limit.daily_limit

    async def get(
        self, path: str, query: Mapping[str, str], *, expected: type, most_bytes: int
    ) -> ApiAnswer:
        """GET `path`; the envelope's data is an `expected`, and never anything else.

        Raises MarketplaceRefused or MarketplaceUnavailable, whose kinds `answers` draws.
        """
        failures, granted = 0, self._granted
        while True:
            call = await self._begin()
            try:
                return await self._try(call, path, query, expected, most_bytes)
            except Passing as error:
                # A limit that let others through meanwhile will let this call through in turn.
                crowded = isinstance(error, LimitReached) and self._granted > granted
                failures, granted = 1 if crowded else failures + 1, self._granted
                if failures == self._tries or self._repeated == MOST_REPEATED:
                    raise
                self._repeated += 1
                await self._back_off(error, failures)

    async def _try(
        self, call: Call, path: str, query: Mapping[str, str], expected: type, most_bytes: int
    ) -> ApiAnswer:
        self.made += 1
        answer = None
        try:
            answer = await self._http.get(
                self._access.base_url.rstrip("/") + path,
                query={**query, "client_id": self._access.client_id.value},
                headers=_HEADERS,
                timeout=self._access.request_timeout,
                most_bytes=most_bytes,
                option="marketplace.base_url",
            )
        except NoAnswer as error:
            kind = Passing if error.passing else MarketplaceUnavailable
            raise kind(str(error)) from None
        finally:
            self._limit.end(call, {} if answer is None else answer.headers, self._time())
            self._landed.set()
        self._note(answer)
        envelope = open_answer(answer, self.host, self._told_time(answer) or self._clock())
        self._granted += 1
        if not isinstance(envelope.data, expected):
            raise Unreadable(
                f"{self.host} answers with something else than was asked for; look for a newer "
                "version of this program"
            )
        return envelope

    def _note(self, answer: HttpAnswer) -> None:
        if self.server_time is None:
            self.server_time = self._told_time(answer)
        left = calls_left(answer.headers)
        self.left = self.left if left is None else left

    def _told_time(self, answer: HttpAnswer) -> datetime | None:
        return http_date(answer.headers.get("date", ""))

    async def _back_off(self, error: Passing, failures: int) -> None:
        """Wait as long as asked, and decently; raises `error` when there is no time for it."""
        decent = backoff(failures, self._jitter())
        wait = max(decent, error.wait or timedelta(0)).total_seconds()
        if self._time() + wait >= self._ends_at:
            raise error
        logger.info(
            "%s; trying again in %.1f s",
            error,
            wait,
            extra={"event": "call_failed", "failures": failures, "wait_seconds": round(wait, 1)},
        )
        if isinstance(error, LimitReached):
            self._closed_until = max(self._closed_until, self._time() + wait)
        else:
            await self._sleep(wait)

    async def _begin(self) -> Call:
        """Begin a call as soon as the limit allows; after a 429, all calls wait."""
        async with self._turn:
            while (opens_at := self._opens_at(self._time())) > self._time() or self._is_used_up():
                if opens_at > self._time():
                    await self._sleep(opens_at - self._time())
                else:
                    await self._keep_reserve()
            return self._limit.begin(self._time())

    def _opens_at(self, now: float) -> float:
        """When another call may begin, or when to check again: an answer may open it sooner."""
        opens_at = self._limit.opens_at(now)
        soon = min(opens_at, now + _RECHECK_SECONDS) if self._limit.is_busy else opens_at
        return max(self._closed_until, soon)

    async def _keep_reserve(self) -> None:
        """Raise ReserveReached if only the reserve is left; wait first for the calls under way.

        They may not all count against what is left, and raising would cancel them.
        """
        if self._limit.is_busy:
            self._landed.clear()
            await self._landed.wait()
            return
        reserve = self._access.reserve_calls
        used_up = f"the limit of calls of {self.host} is used up"
        kept = f" but for {reserve} that are kept for other systems" if reserve else ""
        raise ReserveReached(f"{used_up}{kept}")

    def _is_used_up(self) -> bool:
        left = self._limit.day_left
        return left is not None and left <= self._access.reserve_calls


def backoff(failures: int, jitter: float) -> timedelta:
    """Return the wait after the `failures`-th failure (from 1): half to whole of 1, 2, 4, … s.

    `jitter`, between 0 and 1, keeps calls that failed together from coming together again.
    """
    return timedelta(seconds=2 ** (failures - 1) * (0.5 + jitter / 2))
