"""A file of orders as a source. It only ever reads; how an order left, a file seldom tells."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path

from notifier.domain.reading import Complete, Failed, Incomplete, Reading
from notifier.domain.settings import FileAccess
from notifier.errors import FileRefused, FileUnavailable, NotifierError
from notifier.http import HttpClient
from notifier.sources.file.conclusion import RowCollector
from notifier.sources.file.doubts import FileDiagnostics
from notifier.sources.file.fetch import Fetched, Sleep, from_path, from_web, name_of
from notifier.sources.file.records import records_in

logger = logging.getLogger("notifier.sources.file")

FARTHEST_AHEAD = timedelta(hours=1)
"""How far a file may be ahead of our clock and still be of the same time."""


class OrderFile:
    """The file of one account; a `Source`.

    `server_time` is the clock of the web server at the last answer; None for a path. `doubts` are
    about what was read last; with `warns` the worst of them are logged, for runs at night.
    """

    def __init__(
        self,
        access: FileAccess,
        http: HttpClient,
        *,
        clock: Callable[[], datetime],
        sleep: Sleep = asyncio.sleep,
        warns: bool = True,
    ) -> None:
        self.server_time: datetime | None = None
        self.name = name_of(access)
        self.doubts = FileDiagnostics(access)
        self._access = access
        self._http = http
        self._clock = clock
        self._sleep = sleep
        self._warns = warns

    async def read(self, known: Collection[int]) -> Reading:
        """Read the file, and what has become of `known`."""
        limit = self._access.run_timeout.total_seconds()
        try:
            async with asyncio.timeout(limit):
                return await self._read(known)
        except TimeoutError:
            why = f"{self.name} could not be read within {limit / 60:g} minutes; it is tried again"
            return Failed(self._clock(), FileUnavailable(why))

    async def ask_time(self) -> datetime | None:
        """The web server's clock. A path has none, but a file that was written a short while ago,
        by our clock, says that our clock can be right: then it is our time that is given."""
        with contextlib.suppress(NotifierError):
            fetched = await self._fetch()
            if isinstance(self._access.location, Path):
                return self._clock() if self._is_of_our_time(fetched) else None
        return self.server_time

    async def _read(self, known: Collection[int]) -> Complete | Incomplete | Failed:
        read_at = self._clock()
        try:
            fetched = await self._fetch()
            self._refuse_stale(fetched, read_at)
            sorting = RowCollector(self._access, self.name)
            await asyncio.to_thread(
                lambda: sorting.take(records_in(fetched.data, self._access, self.name))
            )
        except (FileRefused, FileUnavailable) as error:
            return Failed(read_at, error)
        self.doubts = sorting.doubts
        if self._warns:
            self._warn()
        return sorting.conclude(known, read_at, fetched.calls)

    def _warn(self) -> None:
        for sentence in self.doubts.hopeless():
            extra = {"event": "values_unreadable"}
            logger.warning("%s: %s", self.name, sentence, extra=extra)

    async def _fetch(self) -> Fetched:
        self.server_time = None
        limit, location = self._access.request_timeout, self._access.location
        if isinstance(location, Path):
            return await from_path(location, self._clock(), limit=limit, sleep=self._sleep)
        fetched = await from_web(
            location.value, self._http, self.name, limit=limit, sleep=self._sleep
        )
        self.server_time = fetched.server_time
        return fetched

    def _refuse_stale(self, fetched: Fetched, now: datetime) -> None:
        """An export that stopped must not look like parcels that nobody moves."""
        if fetched.written_at is None:
            return
        age = (fetched.server_time or now) - fetched.written_at
        if age > self._access.max_age:
            hours = self._access.max_age / timedelta(hours=1)
            raise FileUnavailable(
                f"{self.name} was written {_told(age)} ago, and max_age_hours allows {hours:g}; "
                "see why the export does not run"
            )

    def _is_of_our_time(self, fetched: Fetched) -> bool:
        if fetched.written_at is None:
            return False
        return -FARTHEST_AHEAD <= self._clock() - fetched.written_at <= self._access.max_age


def _told(age: timedelta) -> str:
    hours = age // timedelta(hours=1)
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"
