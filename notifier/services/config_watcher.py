"""The configuration that stands: as it is written, or as it was when it last was good.

A mistake in a file that somebody edits at noon must not cost anybody the digest of the next
morning. It is told, with every tick, and after three days nothing is done any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.domain.settings import Settings
from notifier.errors import ConfigError, Problem

LONGEST = timedelta(days=3)
"""That a configuration is used after it was last found good."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A configuration, and when it was last found good (aware)."""

    settings: Settings
    good_at: datetime


@dataclass(frozen=True, slots=True)
class EffectiveConfig:
    """The configuration to work with; `trouble` says why it is not the one that is written."""

    settings: Settings
    trouble: str | None = None


class ConfigWatcher:
    """Looks at the configuration again and again, and remembers the last good one."""

    def __init__(
        self,
        load: Callable[[], Settings],
        recall: Callable[[], Kept | None],
        clock: Callable[[], datetime],
    ) -> None:
        """`load` raises ConfigError; `recall` gives what an earlier process kept, if anything."""
        self._load = load
        self._recall = recall
        self._clock = clock
        self._last: Kept | None = None

    def look(self) -> EffectiveConfig:
        """The configuration of this moment.

        Raises ConfigError where it is broken and there was no good one within three days.
        """
        try:
            settings = self._load()
        except ConfigError as error:
            return self._instead(error)
        self._last = Kept(settings, self._clock())
        return EffectiveConfig(settings)

    def _instead(self, error: ConfigError) -> EffectiveConfig:
        last = self._last or self._recall()
        if last is None:
            raise error
        until = last.good_at + LONGEST
        if self._clock() > until:
            raise ConfigError((*error.problems, _too_old(last))) from error
        self._last = last
        return EffectiveConfig(last.settings, _trouble(error, last.good_at, until))


def _trouble(error: ConfigError, good_at: datetime, until: datetime) -> str:
    first, *others = error.problems
    more = f" (and {len(others)} more; `notifier check` tells them all)" if others else ""
    return (
        f"the configuration cannot be used: {first}{more}. The one of {good_at:%Y-%m-%d %H:%M} "
        f"UTC is used instead, until {until:%Y-%m-%d %H:%M} UTC and no longer"
    )


def _too_old(last: Kept) -> Problem:
    message = (
        f"the last good configuration, of {last.good_at:%Y-%m-%d %H:%M} UTC, is too old to be "
        "used instead; nothing is read or sent until this is mended"
    )
    return Problem("configuration", None, "", message)
