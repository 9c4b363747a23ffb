"""Whether the clock of this machine can be trusted: pure decisions about instants.

A clock that jumps to 2098 would give up every message, erase every text and skip every day until
then; one that jumps to 1970 would find nothing due for ever. So the marketplace's clock confirms
an implausible time before anything is done.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum

from notifier.errors import ClockRefused

BUILT_AT = datetime(2026, 11, 1, tzinfo=UTC)
"""The earliest possible time: when this version was made. Each release moves it on."""

MAX_OFFSET = timedelta(hours=1)
"""The largest difference from the marketplace's clock."""

USUAL_PAUSE = timedelta(hours=2)
"""The longest time between two ticks before the machine was off, or the clock jumped."""

MAX_UNCONFIRMED = timedelta(days=2)
"""The longest pause trusted without the marketplace: a timer may run only once a day."""

_SET_BACK = timedelta(minutes=10)


class ClockTrust(Enum):
    """How far a time can be trusted."""

    TRUSTED = "trusted"
    CONFIRM = "confirm it, and go on where nobody can confirm it"
    MUST_CONFIRM = "confirm it, and stop where nobody can confirm it"


def judge_clock(now: datetime, last: datetime | None) -> ClockTrust:
    """Decide how far `now` can be trusted after the last trusted time; both are aware.

    Raises ClockRefused if `now` is impossible.
    """
    if now < BUILT_AT:
        raise ClockRefused(
            f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, which is before this "
            "program was made; set it (timedatectl), then run this again"
        )
    if last is None or -_SET_BACK <= now - last <= USUAL_PAUSE:
        return ClockTrust.TRUSTED
    plausible = last <= now <= last + MAX_UNCONFIRMED
    return ClockTrust.CONFIRM if plausible else ClockTrust.MUST_CONFIRM


def compare_clocks(now: datetime, server_time: datetime | None) -> None:
    """Raise ClockRefused if `now` is too far from the marketplace's time, where it is known."""
    if server_time is not None and abs(now - server_time) > MAX_OFFSET:
        raise ClockRefused(
            f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, the marketplace's "
            f"{server_time:%Y-%m-%d %H:%M} UTC; set it (timedatectl), then run this again"
        )
