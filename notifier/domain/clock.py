"""Whether this machine's clock can be believed: pure decisions about instants.

A clock that jumps to 2098 would give every message up, erase every text and skip every day until
then; one that jumps to 1970 would find nothing due for ever. So a time that follows badly on the
last one is confirmed by the marketplace's clock before anything is done by it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum

from notifier.errors import ClockRefused

BUILT_AT = datetime(2026, 11, 1, tzinfo=UTC)
"""It is never earlier than this: when this version was made. Moved on with each release."""

FARTHEST_OFF = timedelta(hours=1)
"""From the marketplace's clock."""

USUAL_PAUSE = timedelta(hours=2)
"""From one tick to the next. After a longer one the machine was off, or the clock jumped."""

LONGEST_UNCONFIRMED = timedelta(days=2)
"""A pause that is believed when the marketplace cannot be asked: a timer may run once a day."""

_SET_BACK = timedelta(minutes=10)


class Belief(Enum):
    """What is to be done about a time."""

    SURE = "it follows on the last one"
    ASK = "somebody should confirm it, but it may be"
    ASK_OR_STOP = "nothing may be done by it unless somebody confirms it"


def judge(now: datetime, last: datetime | None) -> Belief:
    """Whether `now` can be believed, given the last time that was; both aware.

    Raises ClockRefused where it cannot be at all.
    """
    if now < BUILT_AT:
        raise ClockRefused(
            f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, which is before this "
            "program was made; set it (timedatectl), then run this again"
        )
    if last is None or -_SET_BACK <= now - last <= USUAL_PAUSE:
        return Belief.SURE
    return Belief.ASK if last <= now <= last + LONGEST_UNCONFIRMED else Belief.ASK_OR_STOP


def compare(now: datetime, told: datetime | None) -> None:
    """Raise ClockRefused when the marketplace told a time that is too far from `now`."""
    if told is not None and abs(now - told) > FARTHEST_OFF:
        raise ClockRefused(
            f"the clock of this machine says {now:%Y-%m-%d %H:%M} UTC, the marketplace's "
            f"{told:%Y-%m-%d %H:%M} UTC; set it (timedatectl), then run this again"
        )
