"""Tell a monitor how we are, in the way of healthchecks.io: it misses us when we are silent.

A monitor must never cost anybody a digest: whatever goes wrong is a line in the log, without the
URL, because whoever knows that can speak for us.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta

from notifier.errors import NotifierError
from notifier.http import HttpAnswer, HttpClient

OPTION = "alarms.ping_url"
PATIENCE = timedelta(seconds=5)
"""That a monitor may take for everything."""
MOST_BYTES = 64 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ping:
    """A monitor that is told when a digest is begun, when all is good, and of each alarm."""

    url: str = field(repr=False)
    http: HttpClient = field(repr=False)
    patience: timedelta = PATIENCE

    async def begin(self) -> None:
        """A digest is begun."""
        await self._tell(self._get(self._below("start")))

    async def good(self) -> None:
        """What was to be done is done, and nothing is wrong."""
        await self._tell(self._get(self.url))

    async def bad(self, text: str) -> None:
        """Something is wrong; `text` goes to strangers, and names nobody."""
        url = self._below("fail")
        await self._tell(
            self.http.post(url, text, timeout=self.patience, most_bytes=MOST_BYTES, option=OPTION)
        )

    def _below(self, name: str) -> str:
        return f"{self.url.rstrip('/')}/{name}"

    def _get(self, url: str) -> Awaitable[HttpAnswer]:
        return self.http.get(url, timeout=self.patience, most_bytes=MOST_BYTES, option=OPTION)

    @staticmethod
    async def _tell(asking: Awaitable[HttpAnswer]) -> None:
        try:
            answer = await asking
        except NotifierError as error:
            _complain(str(error))  # names the host alone
        except Exception as error:  # noqa: BLE001 - nothing about a monitor may cost a digest
            _complain(type(error).__name__)
        else:
            if not 200 <= answer.status < 300:
                _complain(f"it answers {answer.status}")


def _complain(why: str) -> None:
    logger.warning("the monitor could not be told: %s", why, extra={"event": "no_ping"})
