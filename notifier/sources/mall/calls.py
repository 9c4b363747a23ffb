"""Make the calls of one reading: authenticated, counted, paced, and retried where that helps."""

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
    ReserveReached,
    Retryable,
    UnreadableAnswer,
    calls_left,
    open_answer,
)
from notifier.sources.mall.rate_limit import Call, RateLimit

# Tries of one call. With pauses of about 1, 2 and 4 seconds they outlast a short outage; a longer
# one is left to the next run, which comes in minutes.
MOST_TRIES = 4

# Retries in one reading. Without this limit, four tries of each of 2,000 orders would spend a whole
# day's calls on a marketplace that keeps failing.
MOST_RETRIES = 200

_RECHECK_SECONDS = 0.1
"""Time between checks whether the answer of a call under way has opened the limit."""

Sleep = Callable[[float], Awaitable[None]]
Jitter = Callable[[], float]
Time = Callable[[], float]
"""A monotonic clock, in seconds."""

_HEADERS = {
    "Accept": "application/json",
    "X-Application-Name": "notifier",
    "X-Application-Version": __version__,
}

logger = logging.getLogger("notifier.sources.mall")


class Calls:
    """The calls for one account, until `budget` of time is used up.

    `time` is the event loop's by default, because the machine's clock may be set meanwhile.
    `host` names the marketplace in messages; `made` counts requests, retries included;
    `server_time` is the `Date` of the first answer; `left` is the latest `X-RateLimit-Remaining`.
    `known` is the day's quota according to earlier calls.
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
        self._retries = 0
        self._time = time or asyncio.get_running_loop().time
        # Retries wait on this clock, too: one that could not end in time is not begun.
        self._ends_at = self._time() + budget.total_seconds()
        self._closed_until = self._time()
        # Without what earlier runs learned, each run would make a call to find out that none are
        # left.
        left = known.left if known and known.is_valid(clock()) else None
        self._limit = RateLimit(left, known.daily_limit if known else None)
        # Calls begin one by one, so that each is counted before the next asks how many are left.
        self._turn = asyncio.Lock()
        self._call_ended = asyncio.Event()
        self._successes = 0

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
        """GET `path`; the answer's data has the type `expected`.

        Raises MarketplaceRefused or MarketplaceUnavailable, whose kinds `answers` draws.
        """
        failures, successes = 0, self._successes
        while True:
            call = await self._begin()
            try:
                return await self._try(call, path, query, expected, most_bytes)
            except Retryable as error:
                # If the limit lets other calls through meanwhile, it will let this one through too.
                is_crowded = isinstance(error, LimitReached) and self._successes > successes
                failures, successes = 1 if is_crowded else failures + 1, self._successes
                if failures == self._tries or self._retries == MOST_RETRIES:
                    raise
                self._retries += 1
                await self._back_off(error, failures)

    async def _try(
        self, call: Call, path: str, query: Mapping[str, str], expected: type, most_bytes: int
    ) -> ApiAnswer:
        self.made += 1
        answer = None
        try:
            answer = await self._http.get(
                self._access.base_url.rstrip("/") + path,
                # The API takes its credential in the query, so no message and no log may show an
                # address.
                query={**query, "client_id": self._access.client_id.value},
                headers=_HEADERS,
                timeout=self._access.request_timeout,
                most_bytes=most_bytes,
                option="marketplace.base_url",
            )
        except NoAnswer as error:
            kind = Retryable if error.retryable else MarketplaceUnavailable
            raise kind(str(error)) from None
        finally:
            # In `finally`, because a cancelled call would count as under way forever.
            self._limit.end(call, {} if answer is None else answer.headers, self._time())
            self._call_ended.set()
        # Waits are measured from the marketplace's own time, because our clock may be wrong.
        answered_at = self._note(answer) or self._clock()
        envelope = open_answer(answer, self.host, answered_at)
        # Before the check of the type: an unreadable answer also shows that the limit lets calls
        # through.
        self._successes += 1
        if not isinstance(envelope.data, expected):
            raise UnreadableAnswer(
                f"the answer of {self.host} has data of another kind than documented; look for a "
                "newer version of this program"
            )
        return envelope

    def _note(self, answer: HttpAnswer) -> datetime | None:
        """Keep what the headers say; return the marketplace's time."""
        answered_at = http_date(answer.headers.get("date", ""))
        # Only from the first answer: retries may take minutes, and it is compared with our clock.
        if self.server_time is None:
            self.server_time = answered_at
        left = calls_left(answer.headers)
        self.left = self.left if left is None else left
        return answered_at

    async def _back_off(self, error: Retryable, failures: int) -> None:
        """Wait before a retry, at least as long as asked; raise `error` if time is too short."""
        pause = backoff(failures, self._jitter())
        wait = max(pause, error.wait or timedelta(0)).total_seconds()
        # Waiting beyond the deadline would only delay what has been read already.
        if self._time() + wait >= self._ends_at:
            raise error
        logger.info(
            "%s; trying again in %.1f s",
            error,
            wait,
            extra={"event": "call_failed", "failures": failures, "wait_seconds": round(wait, 1)},
        )
        if isinstance(error, LimitReached):
            # All calls share the limit, so the others would be refused as well.
            self._closed_until = max(self._closed_until, self._time() + wait)
        else:
            await self._sleep(wait)

    async def _begin(self) -> Call:
        """Begin a call as soon as the limit allows; after a 429, all calls wait."""
        async with self._turn:
            # A loop, because an answer may change the limit while this call waits.
            while (opens_at := self._opens_at(self._time())) > self._time() or self._is_used_up():
                if opens_at > self._time():
                    await self._sleep(opens_at - self._time())
                else:
                    await self._keep_reserve()
            return self._limit.begin(self._time())

    def _opens_at(self, now: float) -> float:
        """Return when another call may begin, or when to check again: an answer may open it."""
        opens_at = self._limit.opens_at(now)
        soon = min(opens_at, now + _RECHECK_SECONDS) if self._limit.is_busy else opens_at
        return max(self._closed_until, soon)

    async def _keep_reserve(self) -> None:
        """Raise ReserveReached if only the reserve is left; wait first for the calls under way.

        They may not all count against what is left, and raising would cancel them.
        """
        if self._limit.is_busy:
            self._call_ended.clear()
            await self._call_ended.wait()
            return
        reserve = self._access.reserve_calls
        used_up = f"the limit of calls of {self.host} is used up"
        kept = f" except for {reserve} calls reserved for other systems" if reserve else ""
        raise ReserveReached(f"{used_up}{kept}")

    def _is_used_up(self) -> bool:
        left = self._limit.day_left
        return left is not None and left <= self._access.reserve_calls


def backoff(failures: int, jitter: float) -> timedelta:
    """Return the wait after the `failures`-th failure (from 1): half to whole of 1, 2, 4, … s.

    `jitter`, between 0 and 1, keeps calls that failed together from coming together again.
    """
    return timedelta(seconds=2 ** (failures - 1) * (0.5 + jitter / 2))
