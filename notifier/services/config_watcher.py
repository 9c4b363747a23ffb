"""The configuration in force: the file as it is now or, while it is broken, the last good one.

A mistake in the file at noon must not stop the next morning's digest. Every tick reports it, and
after three days nothing is read or sent until it is corrected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.domain.settings import Settings
from notifier.errors import ConfigError, Problem

# Long enough for a weekend. Without an end, an old list of recipients would be in force for ever.
LONGEST = timedelta(days=3)
"""How long the last good configuration stays in force."""


@dataclass(frozen=True, slots=True)
class LastGood:
    """A configuration, and when it was last found good (aware)."""

    settings: Settings
    good_at: datetime


@dataclass(frozen=True, slots=True)
class EffectiveConfig:
    """The configuration in force; `trouble` says why it is not the file's, if it is not."""

    settings: Settings
    trouble: str | None = None


class ConfigWatcher:
    """Reads the configuration again at each call, and remembers the last good one."""

    def __init__(
        self,
        load: Callable[[], Settings],
        recall: Callable[[], LastGood | None],
        clock: Callable[[], datetime],
    ) -> None:
        """`load` raises ConfigError; `recall` returns what an earlier process kept, if anything."""
        self._load = load
        self._recall = recall
        self._clock = clock
        self._last: LastGood | None = None

    def current(self) -> EffectiveConfig:
        """Return the configuration in force now.

        Raises ConfigError if the file is broken and none was good in the last three days.
        """
        try:
            settings = self._load()
        except ConfigError as error:
            return self._last_good(error)
        self._last = LastGood(settings, self._clock())
        return EffectiveConfig(settings)

    def _last_good(self, error: ConfigError) -> EffectiveConfig:
        # This process's own is at least as new as the copy that an earlier one kept.
        last = self._last or self._recall()
        if last is None:
            raise error
        until = last.good_at + LONGEST
        if self._clock() > until:
            # The mistakes first: they are what the operator can correct.
            raise ConfigError((*error.problems, _too_old(last))) from error
        self._last = last
        return EffectiveConfig(last.settings, _trouble(error, last.good_at, until))


def _trouble(error: ConfigError, good_at: datetime, until: datetime) -> str:
    # One line of log and status must be enough; `notifier check` has room for the others.
    first, *others = error.problems
    more = f" (and {len(others)} more; `notifier check` lists them all)" if others else ""
    return (
        f"the configuration cannot be used: {first}{more}. The one of {good_at:%Y-%m-%d %H:%M} "
        f"UTC is used instead, until {until:%Y-%m-%d %H:%M} UTC and no longer"
    )


def _too_old(last: LastGood) -> Problem:
    message = (
        f"the last good configuration, of {last.good_at:%Y-%m-%d %H:%M} UTC, is too old to be "
        "used instead; nothing is read or sent until this is corrected"
    )
    return Problem("configuration", None, "", message)
