"""How long to wait before another try: what the marketplace asks for, and what is decent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_ASKED = timedelta(days=1)
_SECONDS = re.compile(r"[0-9]{1,15}")


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """What `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3); None when it is neither.

    Never negative and never more than `LONGEST_ASKED`. `now` is the time where the date was
    written.
    """
    value = headers.get("retry-after", "").strip()
    if (wait := _seconds(value)) is not None:
        return wait
    date = http_date(value)
    return min(max(date - now, timedelta(0)), LONGEST_ASKED) if date else None


def window_left(headers: Mapping[str, str]) -> timedelta | None:
    """How long the present limit still lasts, by `X-RateLimit-Reset` (seconds)."""
    return _seconds(headers.get("x-ratelimit-reset", "").strip())


def calls_left(headers: Mapping[str, str]) -> int | None:
    """How many calls the limit still allows, by `X-RateLimit-Remaining`."""
    return _count(headers, "x-ratelimit-remaining")


def calls_allowed(headers: Mapping[str, str]) -> int | None:
    """How many calls a whole window allows, by `X-RateLimit-Limit`."""
    return _count(headers, "x-ratelimit-limit")


def http_date(value: str) -> datetime | None:
    """The instant of an HTTP date, in UTC; None when it is none."""
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        # It is made for mail, and answers nonsense with errors of many kinds.
        return None


def backoff(failures: int, jitter: float) -> timedelta:
    """The decent wait after the `failures`-th failure (from 1): half to whole of 1, 2, 4, … s.

    `jitter` is between 0 and 1; it keeps calls that failed together from coming together again.
    """
    return timedelta(seconds=2 ** (failures - 1) * (0.5 + jitter / 2))


def _count(headers: Mapping[str, str], name: str) -> int | None:
    value = headers.get(name, "").strip()
    return int(value) if _SECONDS.fullmatch(value) else None


def _seconds(value: str) -> timedelta | None:
    if not _SECONDS.fullmatch(value):
        return None
    return timedelta(seconds=min(int(value), LONGEST_ASKED.total_seconds()))
