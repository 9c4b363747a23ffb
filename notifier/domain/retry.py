"""When a message, and a list that could not be read, is tried again: pure schedules."""

from __future__ import annotations

from datetime import datetime, timedelta

_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 60))


def next_try(attempts: int, now: datetime) -> datetime:
    """When a message that was deferred for the `attempts`-th time (from 1) is tried again.

    The pauses fit greylisting, which mostly lets a message in after five to fifteen minutes,
    and then become an hour (RFC 5321, 4.5.4.1, asks for at least 30 minutes in the long run).
    """
    return now + _PAUSES[min(attempts, len(_PAUSES)) - 1]


def next_reading(due_at: datetime, failed_at: datetime) -> datetime:
    """When a list that could not be read is read again, given when it was due and last failed.

    Half as long as it has been due, from five minutes to an hour. Each try costs calls that other
    systems need, and to read whole lists several times an hour is called abuse by the marketplace.
    """
    return failed_at + min(max((failed_at - due_at) / 2, _PAUSES[0]), _PAUSES[-1])
