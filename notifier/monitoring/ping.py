"""Pings to a monitor in the way of healthchecks.io, which raises an alarm when they stop.

A failed ping is only logged: a monitor must never cost a digest. Its URL is a secret, because it
is enough to send false signals, so no log line contains it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta

from notifier.errors import NotifierError
from notifier.http import HttpAnswer, HttpClient

OPTION = "alarms.ping_url"
# A tick waits for the answer before it reads any list, so a monitor that hangs must cost little.
TIMEOUT = timedelta(seconds=5)
# Only the status counts; healthchecks.io answers with two bytes.
MAX_BYTES = 64 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ping:
    """Tells a monitor when a digest begins, when all is done, and when an alarm begins."""

    url: str = field(repr=False)
    http: HttpClient = field(repr=False)
    timeout: timedelta = TIMEOUT

    async def report_start(self) -> None:
        """Report that a digest begins."""
        await self._send(self._get(self._below("start")))

    async def report_success(self) -> None:
        """Report that all work is done and nothing is wrong."""
        await self._send(self._get(self.url))

    async def report_failure(self, text: str) -> None:
        """Report a failure; `text` leaves this machine, so it must contain no address."""
        url = self._below("fail")
        await self._send(
            self.http.post(url, text, timeout=self.timeout, most_bytes=MAX_BYTES, option=OPTION)
        )

    def _below(self, name: str) -> str:
        # healthchecks.io accepts a URL with or without the last slash, but not two.
        return f"{self.url.rstrip('/')}/{name}"

    def _get(self, url: str) -> Awaitable[HttpAnswer]:
        return self.http.get(url, timeout=self.timeout, most_bytes=MAX_BYTES, option=OPTION)

    @staticmethod
    async def _send(request: Awaitable[HttpAnswer]) -> None:
        try:
            answer = await request
        except NotifierError as error:
            _log_failure(str(error))  # contains the host, but not the path
        except Exception as error:  # noqa: BLE001 - nothing about a monitor may cost a digest
            _log_failure(type(error).__name__)
        else:
            if not 200 <= answer.status < 300:
                _log_failure(f"it answered {answer.status}")


def _log_failure(why: str) -> None:
    logger.warning("the monitor could not be pinged: %s", why, extra={"event": "no_ping"})
