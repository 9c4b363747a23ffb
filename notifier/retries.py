"""When a message is tried again, and when it is given up: a pure schedule."""

from __future__ import annotations

from datetime import datetime, timedelta

_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 60))


def next_try(attempts: int, now: datetime) -> datetime:
    """When a message that was deferred for the `attempts`-th time (from 1) is tried again.

    The pauses fit greylisting, which mostly lets a message in after five to fifteen minutes,
    and then become an hour (RFC 5321, 4.5.4.1, asks for at least 30 minutes in the long run).
    """
    return now + _PAUSES[min(attempts, len(_PAUSES)) - 1]
