"""The calls of one reading: authenticated, counted, tried again where that helps."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from notifier import __version__
from notifier.domain.quota import UNTOLD, Quota
from notifier.domain.settings import MarketplaceAccess
from notifier.errors import MarketplaceUnavailable
from notifier.http import HttpAnswer, HttpClient, NoAnswer, http_date
from notifier.sources.mall import pace
from notifier.sources.mall.answers import (
    ApiAnswer,
    LimitReached,
    Passing,
    ReserveReached,
    Unreadable,
    open_answer,
)
from notifier.sources.mall.tally import Begun
from notifier.sources.mall.window import Window

MOST_TRIES = 4

MOST_REPEATED = 200
"""So many calls of a reading may be repetitions: the day's calls are not for asking in vain."""

_A_MOMENT = 0.1
"""Seconds until it is looked again whether an answer has told of a new window."""

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

    `time` is that of the event loop unless given: the clock of a machine may be moved meanwhile.
    `host` names the marketplace in messages; `made` counts requests, repeated ones too;
    `server_time` is the `Date` of the first answer; `left` is how many more calls the limit
    allows, as told last. `known` is what earlier calls were told of the day.
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
        self._window = Window(known.daily_limit if known else None)
        if known and known.holds(clock()):
            self._window.quota = known.left
        self._turn = asyncio.Lock()
        self._landed = asyncio.Event()
        self._granted = 0

    @property
    def quota(self) -> Quota | None:
        """What is left of the calls of a day; None where no answer told."""
        lasts = self._window.day_lasts(self._time())
        if self._window.quota is None or lasts is None:
            return None
        now = self._clock()
        until = now + (timedelta(seconds=lasts) if lasts else UNTOLD)
        return Quota(self._window.quota, now, until, self._window.daily_limit)

    @property
    def daily_limit(self) -> int | None:
        """Calls of a whole day, for everybody who calls for the seller, where it was told."""
        return self._window.daily_limit

    async def get(
        self, path: str, query: Mapping[str, str], *, expected: type, most_bytes: int
    ) -> ApiAnswer:
        """GET `path`; the envelope's data is an `expected`, and never anything else.

        Raises MarketplaceRefused or MarketplaceUnavailable, whose kinds `answers` draws.
        """
        failures, granted = 0, self._granted
        while True:
            begun = await self._begin()
            try:
                return await self._try(begun, path, query, expected, most_bytes)
            except Passing as error:
                # A limit that let others through meanwhile will let this call through in turn.
                crowded = isinstance(error, LimitReached) and self._granted > granted
                failures, granted = 1 if crowded else failures + 1, self._granted
                if failures == self._tries or self._repeated == MOST_REPEATED:
                    raise
                self._repeated += 1
                await self._back_off(error, failures)

    async def _try(
        self, begun: Begun, path: str, query: Mapping[str, str], expected: type, most_bytes: int
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
            headers = None if answer is None else answer.headers
            self._window.end(begun, headers, self._time())
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
        left = pace.calls_left(answer.headers)
        self.left = self.left if left is None else left

    def _told_time(self, answer: HttpAnswer) -> datetime | None:
        return http_date(answer.headers.get("date", ""))

    async def _back_off(self, error: Passing, failures: int) -> None:
        """Wait as long as asked, and decently; raises `error` when there is no time for it."""
        decent = pace.backoff(failures, self._jitter())
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

    async def _begin(self) -> Begun:
        """Begin a call when it may: a limit that one ran into holds for all; so does the pace."""
        async with self._turn:
            while (opens_at := self._opens_at(self._time())) > self._time() or self._is_used_up():
                if opens_at > self._time():
                    await self._sleep(opens_at - self._time())
                else:
                    await self._keep_reserve()
            return self._window.begin(self._time())

    def _opens_at(self, now: float) -> float:
        """When another call may begin, or when to look again: an answer may tell sooner."""
        opens_at = self._window.opens_at(now)
        soon = min(opens_at, now + _A_MOMENT) if self._window.is_busy else opens_at
        return max(self._closed_until, soon)

    async def _keep_reserve(self) -> None:
        """Raise ReserveReached where only those calls are left that are not for us.

        Not while calls are under way: which of them an answer has counted, it does not tell, and
        whoever raises ends them all.
        """
        if self._window.is_busy:
            self._landed.clear()
            await self._landed.wait()
            return
        reserve = self._access.reserve_calls
        used_up = f"the limit of calls of {self.host} is used up"
        kept = f" but for {reserve} that are kept for other systems" if reserve else ""
        raise ReserveReached(f"{used_up}{kept}")

    def _is_used_up(self) -> bool:
        left = self._window.quota
        return left is not None and left <= self._access.reserve_calls
