"""How long to wait before another try: what the marketplace asks for, and what is decent."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from notifier.http import http_date

LONGEST_ASKED = timedelta(days=1)
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_SINCE_1970 = 1e9
"""A number of seconds beyond this is no wait of decades, but an instant of this century."""


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """What `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3); None when it is nonsense.

    Parts of a second and the second since 1970 are none of the standard's, but are met. Never
    negative and never more than `LONGEST_ASKED`. `now` is the time where it was written.
    """
    return _wait(headers.get("retry-after", ""), now)


def window_left(headers: Mapping[str, str]) -> timedelta | None:
    """How long the present limit still lasts, by `X-RateLimit-Reset`; None when that is nonsense.

    No standard says how it is written: seconds, whole or not, are meant by most; the second or
    millisecond since 1970 at which it ends by some, or its date. An instant is measured by the
    `Date` of the same answer. Never negative and never more than `LONGEST_ASKED`.
    """
    return _wait(headers.get("x-ratelimit-reset", ""), http_date(headers.get("date", "")))


def _wait(value: str, now: datetime | None) -> timedelta | None:
    """Seconds, rounded up, or until an instant, as far as it is known what time it is there."""
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
    """A date as in HTTP or ISO 8601; the latter with a zone, or it is no instant."""
    if date := http_date(value):
        return date
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def calls_left(headers: Mapping[str, str]) -> int | None:
    """How many calls the limit still allows, by `X-RateLimit-Remaining`."""
    return _count(headers, "x-ratelimit-remaining")


def calls_allowed(headers: Mapping[str, str]) -> int | None:
    """How many calls a whole window allows, by `X-RateLimit-Limit`."""
    return _count(headers, "x-ratelimit-limit")


def backoff(failures: int, jitter: float) -> timedelta:
    """The decent wait after the `failures`-th failure (from 1): half to whole of 1, 2, 4, … s.

    `jitter` is between 0 and 1; it keeps calls that failed together from coming together again.
    """
    return timedelta(seconds=2 ** (failures - 1) * (0.5 + jitter / 2))


def _count(headers: Mapping[str, str], name: str) -> int | None:
    """A number of calls. Of several, as of a header that is there twice, the smallest counts."""
    told = [_number(value.strip()) for value in headers.get(name, "").split(",")]
    numbers = [number for number in told if number is not None]
    return max(0, math.floor(min(numbers))) if numbers and len(numbers) == len(told) else None


def _number(value: str) -> float | None:
    return float(value) if _NUMBER.fullmatch(value) else None
