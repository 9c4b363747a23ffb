"""Read `Retry-After` and `X-RateLimit-*`, in every form they are written in."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from notifier.http import http_date

LONGEST_ASKED = timedelta(days=1)
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_SINCE_1970 = 1e9
"""A larger number of seconds is no wait of decades, but an instant of this century."""


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return the wait that `Retry-After` asks for, or None if it makes no sense.

    The standard allows seconds and a date (RFC 9110, 10.2.3); fractions and seconds since 1970
    occur as well. Never negative, at most `LONGEST_ASKED`. `now` is the time of the marketplace.
    """
    return _wait(headers.get("retry-after", ""), now)


def window_left(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long the window lasts by `X-RateLimit-Reset`, or None if it makes no sense.

    No standard covers it: most write seconds, some the second or millisecond since 1970 at which
    the window ends, or a date. An instant is measured by the `Date` of the same answer. Never
    negative, at most `LONGEST_ASKED`.
    """
    return _wait(headers.get("x-ratelimit-reset", ""), http_date(headers.get("date", "")))


def _wait(value: str, now: datetime | None) -> timedelta | None:
    """Return seconds, rounded up, or the time from `now` to an instant."""
    number = _number(value.strip())
    if number is not None and number < _SINCE_1970:
        return timedelta(seconds=min(max(math.ceil(number), 0), LONGEST_ASKED.total_seconds()))
    ends_at = _instant(value.strip()) if number is None else _since_1970(number)
    if ends_at is None or now is None:
        return None
    return min(max(ends_at - now, timedelta(0)), LONGEST_ASKED)


def _since_1970(number: float) -> datetime | None:
    seconds = number if number < _SINCE_1970 * 1000 else number / 1000
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):  # a year that no calendar has
        return None


def _instant(value: str) -> datetime | None:
    """Read a date as in HTTP or ISO 8601; without a zone it is no instant."""
    if date := http_date(value):
        return date
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def calls_left(headers: Mapping[str, str]) -> int | None:
    """Return how many calls the window still allows, by `X-RateLimit-Remaining`."""
    return _count(headers, "x-ratelimit-remaining")


def calls_allowed(headers: Mapping[str, str]) -> int | None:
    """Return how many calls a whole window allows, by `X-RateLimit-Limit`."""
    return _count(headers, "x-ratelimit-limit")


def _count(headers: Mapping[str, str], name: str) -> int | None:
    """Read a number of calls; of several, as in a header that occurs twice, the smallest."""
    values = [_number(value.strip()) for value in headers.get(name, "").split(",")]
    numbers = [number for number in values if number is not None]
    return max(0, math.floor(min(numbers))) if numbers and len(numbers) == len(values) else None


def _number(value: str) -> float | None:
    return float(value) if _NUMBER.fullmatch(value) else None
