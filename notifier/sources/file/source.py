"""A file of orders as a source. It only reads; how an order left is known from the file alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path

from notifier.domain.reading import Failed, Reading
from notifier.domain.settings import FileAccess
from notifier.errors import FileRefused, FileUnavailable, NotifierError
from notifier.http import HttpClient
from notifier.sources.file.fetch import Fetched, Sleep, display_name, fetch_path, fetch_url
from notifier.sources.file.parsing import parse_records
from notifier.sources.file.summary import FileDiagnostics, RowCollector

logger = logging.getLogger("notifier.sources.file")

# As much as the marketplace's clock may differ from ours.
FARTHEST_AHEAD = timedelta(hours=1)
"""How far the time of a file may be ahead of our clock while that still counts as correct."""


class OrderFile:
    """The file of one account; a `Source`.

    `server_time` is the web server's clock at the last answer; None for a path. `diagnostics` are
    those of the last reading; with `warns`, the worst of them are logged.
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
        self.name = display_name(access)
        self.diagnostics = FileDiagnostics(access)
        self._access = access
        self._http = http
        self._clock = clock
        self._sleep = sleep
        self._warns = warns

    async def read(self, known: Collection[int]) -> Reading:
        """Read which orders wait, and how those of `known` left that wait no longer."""
        limit = self._access.run_timeout.total_seconds()
        try:
            async with asyncio.timeout(limit):
                return await self._read(known)
        except TimeoutError:
            why = f"{self.name} could not be read within {limit / 60:g} minutes; it is tried again"
            return Failed(self._clock(), FileUnavailable(why))

    async def ask_time(self) -> datetime | None:
        """Return the web server's clock; for a path, our own if the age of the file confirms it."""
        with contextlib.suppress(NotifierError):
            fetched = await self._fetch()
            if isinstance(self._access.location, Path):
                return self._clock() if self._confirms_clock(fetched) else None
        return self.server_time

    async def _read(self, known: Collection[int]) -> Reading:
        read_at = self._clock()
        collector = RowCollector(self._access, self.name)
        try:
            fetched = await self._fetch()
            # Before parsing, which takes seconds for a large file.
            self._refuse_old(fetched, read_at)
            # A large file takes seconds, and other accounts need the loop meanwhile.
            await asyncio.to_thread(self._collect, fetched.data, collector)
        except (FileRefused, FileUnavailable) as error:
            return Failed(read_at, error)
        self.diagnostics = collector.diagnostics
        for sentence in self.diagnostics.unusable_columns() if self._warns else ():
            extra = {"event": "values_unreadable"}
            logger.warning("%s: %s", self.name, sentence, extra=extra)
        return collector.conclude(known, read_at, fetched.calls)

    def _collect(self, data: bytes, collector: RowCollector) -> None:
        collector.collect(parse_records(data, self._access, self.name))

    async def _fetch(self) -> Fetched:
        # The clock of an earlier answer must not vouch for the present one.
        self.server_time = None
        limit, location = self._access.request_timeout, self._access.location
        if isinstance(location, Path):
            return await fetch_path(location, self._clock(), limit=limit, sleep=self._sleep)
        fetched = await fetch_url(
            location.value, self._http, self.name, limit=limit, sleep=self._sleep
        )
        self.server_time = fetched.server_time
        return fetched

    def _refuse_old(self, fetched: Fetched, now: datetime) -> None:
        """Raise FileUnavailable beyond `max_age`: a stopped export must not look like no change."""
        if fetched.written_at is None:
            return
        # By the server's own clock if possible, so that a wrong clock here does not make the file
        # old.
        age = (fetched.server_time or now) - fetched.written_at
        if age > self._access.max_age:
            hours = age // timedelta(hours=1)
            shown = f"{hours} hours" if hours < 72 else f"{hours // 24} days"
            most = self._access.max_age / timedelta(hours=1)
            raise FileUnavailable(
                f"{self.name} was written {shown} ago, and max_age_hours allows {most:g}; "
                "check why the export does not run"
            )

    def _confirms_clock(self, fetched: Fetched) -> bool:
        if fetched.written_at is None:
            return False
        return -FARTHEST_AHEAD <= self._clock() - fetched.written_at <= self._access.max_age
