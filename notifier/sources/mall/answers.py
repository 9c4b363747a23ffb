"""Read an answer of the marketplace: its rate limit headers, its envelope, or the error it means.

::

    MarketplaceRefused           the credential is not accepted; a person must act
    └── Forbidden                it may not read this
    MarketplaceUnavailable       asking the same again now is useless
    ├── NotFound                 no such order or address
    ├── RequestRejected          the request itself is not accepted
    └── Retryable                another try may help
        ├── LimitReached         too many calls
        │   └── ReserveReached   the calls left are reserved for other programs
        └── UnreadableAnswer     the answer is not the marketplace's JSON
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from notifier.errors import MarketplaceRefused, MarketplaceUnavailable
from notifier.http import HttpAnswer, http_date

# Upper bound of any wait that a header asks for. The longest limit we know is a day's quota, so a
# longer wait is a mistake of the server.
LONGEST_ASKED = timedelta(days=1)

# Digits. int() takes time that grows with their square, and refuses more than 4,300 of them
# (CVE-2020-10735), which would cost the whole answer.
_LONGEST_NUMBER = 30
# Not \d, which also matches the digits of other scripts.
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_SINCE_1970 = 1e9
"""A larger number of seconds is an instant of this century, not a wait of decades."""


class Forbidden(MarketplaceRefused):
    """The credential may not read this: one order, or everything."""


class NotFound(MarketplaceUnavailable):
    """The marketplace has no such order or address."""


class RequestRejected(MarketplaceUnavailable):
    """The marketplace does not accept the request as it is."""


class Retryable(MarketplaceUnavailable):
    """Another try may help; `wait` is how long the marketplace asks us to wait, if it does."""

    def __init__(self, message: str, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class LimitReached(Retryable):
    """The limit of calls is used up, by us or by the seller's other programs."""


class ReserveReached(LimitReached):
    """The calls left are reserved for the seller's other programs."""


class UnreadableAnswer(Retryable):
    """The answer is not what the marketplace documents."""


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The usable part of a good answer."""

    data: Any = field(repr=False)
    paging: Mapping[str, Any] = field(default_factory=dict)


def open_answer(answer: HttpAnswer, host: str, now: datetime) -> ApiAnswer:
    """Return the data of an answer, or raise the error it means, as drawn above.

    `result.status` counts beside the HTTP status. `now` is the marketplace's own time.
    """
    if 200 <= answer.status < 300:
        content = _content(answer, host)
        status = _status_within(content["result"])
        if status == 200:
            paging = content.get("paging")
            return ApiAnswer(content.get("data"), paging if isinstance(paging, dict) else {})
        raise _error(status, host, answer.headers, now)
    if answer.status in (404, 410):
        # A "not found" from a proxy or another server must not count as an order that is gone.
        _content(answer, host)
    raise _error(answer.status, host, answer.headers, now)


def _content(answer: HttpAnswer, host: str) -> dict[str, Any]:
    try:
        content = parse_json(answer.body)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("result"), dict):
        raise UnreadableAnswer(
            f"the answer of {host} ({answer.status}) is not the marketplace's JSON; check "
            "base_url, and whether a proxy or a login page answers in its place"
        )
    return content


def _status_within(result: dict[str, Any]) -> int:
    """Return the HTTP status that `result` means; it may be an error although HTTP says 200."""
    match result:
        case {"status": "OK"}:
            return 200
        case {"code": int(code)} if 400 <= code < 600:
            return code
        # The marketplace's word for 429, which may come without the code.
        case {"status": "LIMITED"}:
            return 429
    # An unknown word counts as an outage: it is tried again, and never taken for data.
    return 500


def _error(
    status: int, host: str, headers: Mapping[str, str], now: datetime
) -> MarketplaceRefused | MarketplaceUnavailable:
    match status:
        case 401:
            return MarketplaceRefused(
                f"{host} does not accept the client_id (401); compare it with the one in the "
                "seller's portal and correct it in the configuration"
            )
        case 403:
            return Forbidden(
                f"{host} does not allow this client_id to read orders (403); ask for access in "
                "the seller's portal"
            )
        case 404 | 410:
            return NotFound(f"{host} has no such address ({status}); check base_url")
        case 429:
            return _limit_reached(host, headers, now)
        # 507 and 52x come from the storage or the proxy in front of the marketplace.
        case 408 | 425 | 500 | 502 | 503 | 504 | 507 | 520 | 521 | 522 | 523 | 524:
            return Retryable(
                f"{host} is out of order ({status}); wait until it works again",
                retry_after(headers, now),
            )
    return RequestRejected(
        f"{host} does not accept this request ({status}); look for a newer version of this program"
    )


def _limit_reached(host: str, headers: Mapping[str, str], now: datetime) -> LimitReached:
    wait = retry_after(headers, now)
    # With calls left, the header describes another limit than the one that refused this call.
    if wait is None and not calls_left(headers):
        wait = window_left(headers)
    until = _until(now, wait) if wait else " for now"
    return LimitReached(
        f"the limit of calls at {host} is used up{until}; other programs of the seller share it",
        wait,
    )


def _until(now: datetime, wait: timedelta) -> str:
    try:
        return f" until {now + wait:%Y-%m-%d %H:%M} UTC"
    except OverflowError:  # the marketplace's clock may show the end of the year 9999
        return " for now"


def parse_json(body: bytes) -> Any:
    """Parse strict UTF-8 JSON (RFC 8259); raises ValueError for anything else.

    A number of absurd length becomes null, so that it costs one field and not the whole answer.
    An object with the same name twice is an error: the second value might hide an order.
    """
    try:
        # Decoded here, because json.loads would also take UTF-16 and UTF-32, which RFC 8259, 8.1
        # rules out. It allows ignoring a byte order mark.
        return json.loads(
            body.decode("utf-8-sig"),
            parse_int=lambda digits: int(digits) if len(digits) <= _LONGEST_NUMBER else None,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    # The parser of the standard library calls itself for each bracket.
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("an object has the same name twice")
    return fields


def _refuse_constant(name: str) -> None:
    # The standard library takes NaN and Infinity, which RFC 8259, 6 does not permit.
    raise ValueError(f"{name} is not JSON")


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
        # Rounded down, the wait would end before the limit does.
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
    # A repeated header arrives as one, joined by commas (RFC 9110, 5.3). If one value is
    # unreadable, it may be the smallest, so then nothing is known.
    values = [_number(value.strip()) for value in headers.get(name, "").split(",")]
    numbers = [number for number in values if number is not None]
    return max(0, math.floor(min(numbers))) if numbers and len(numbers) == len(values) else None


def _number(value: str) -> float | None:
    return float(value) if _NUMBER.fullmatch(value) else None
