"""Whether the clock of this machine can be trusted: pure decisions about instants.

If the clock jumped to 2098, every message would be given up, every text erased and every day until
then skipped; if it jumped to 1970, nothing would ever be due. So the marketplace's clock confirms
an implausible time before anything is done.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum

from notifier.errors import ClockRefused

# Each release moves it on. It catches the clock of a machine without a battery, which starts years
# ago and is wrong until NTP answers.
BUILT_AT = datetime(2026, 11, 1, tzinfo=UTC)
"""When this version was made: the earliest possible time."""

MAX_OFFSET = timedelta(hours=1)
"""The largest difference from the marketplace's clock."""

USUAL_PAUSE = timedelta(hours=2)
"""The longest time between two ticks before the machine was off, or the clock jumped."""

# A timer may run only once a day, and the marketplace may be down on that day.
MAX_UNCONFIRMED = timedelta(days=2)
"""The longest pause that is trusted without the marketplace."""

# NTP may set a clock back a little; that repeats no slot, because the ledger has it already.
_SET_BACK = timedelta(minutes=10)


class ClockTrust(Enum):
    """How far a time can be trusted."""

    TRUSTED = "trusted"
    CONFIRM = "confirm it, and go on if that is impossible"
    MUST_CONFIRM = "confirm it, and stop if that is impossible"


def judge_clock(now: datetime, last: datetime | None) -> ClockTrust:
    """Decide how far `now` can be trusted after the last trusted time; both are aware.

    Raises ClockRefused if `now` is impossible.
    """
    if now < BUILT_AT:
        raise ClockRefused(
            f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, which is before this "
            "program was made; set it (timedatectl), then run this again"
        )
    # At the first start there is nothing to compare with; the answers of the first reading follow.
    if last is None or -_SET_BACK <= now - last <= USUAL_PAUSE:
        return ClockTrust.TRUSTED
    # Back in time is never plausible: a machine that was off comes back later, not earlier.
    plausible = last <= now <= last + MAX_UNCONFIRMED
    return ClockTrust.CONFIRM if plausible else ClockTrust.MUST_CONFIRM


def compare_clocks(now: datetime, server_time: datetime | None) -> None:
    """Raise ClockRefused if `now` is too far from the marketplace's time, where it is known."""
    if server_time is not None and abs(now - server_time) > MAX_OFFSET:
        raise ClockRefused(
            f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, the marketplace's "
            f"{server_time:%Y-%m-%d %H:%M} UTC; set it (timedatectl), then run this again"
        )
