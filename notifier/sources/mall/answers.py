"""What an answer of the marketplace means: data, or one of the ways in which it is none.

::

    MarketplaceRefused           the credential; a person must act
    └── Forbidden                it may not see what was asked for
    MarketplaceUnavailable       no use in asking for the same again now
    ├── NotThere                 it knows no such thing
    ├── NotUnderstood            it does not take the question
    └── Passing                  another try may help
        ├── LimitReached         too many calls
        │   └── ReserveReached   the rest is for others
        └── Unreadable           it answered, but not in its own words
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from notifier.errors import MarketplaceRefused, MarketplaceUnavailable
from notifier.http import HttpAnswer
from notifier.sources.mall.rate_headers import calls_left, retry_after, window_left

_LONGEST_NUMBER = 30


class Forbidden(MarketplaceRefused):
    """The credential may not see what was asked for: all, or this one thing."""


class NotThere(MarketplaceUnavailable):
    """The marketplace knows no such thing."""


class NotUnderstood(MarketplaceUnavailable):
    """The marketplace does not take the question as it was put."""


class Passing(MarketplaceUnavailable):
    """What another try may mend; `wait` is how long it asks us to wait, if it does."""

    def __init__(self, message: str, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class LimitReached(Passing):
    """The limit of calls is used up, by us or by the seller's other programs."""


class ReserveReached(LimitReached):
    """What is left of the limit is kept for the seller's other programs."""


class Unreadable(Passing):
    """An answer came that is not what the marketplace documents."""


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The usable part of a good answer."""

    data: Any = field(repr=False)
    paging: Mapping[str, Any] = field(default_factory=dict)


def open_answer(answer: HttpAnswer, host: str, now: datetime) -> ApiAnswer:
    """The data of an answer, or the error it means, as drawn above.

    `result.status` counts beside the HTTP status; `now` is the marketplace's own time.
    """
    if 200 <= answer.status < 300:
        content = _content(answer, host)
        status = _status_within(content["result"])
        if status == 200:
            paging = content.get("paging")
            return ApiAnswer(content.get("data"), paging if isinstance(paging, dict) else {})
        raise _error(status, host, answer.headers, now)
    if answer.status in (404, 410):
        _content(answer, host)  # Anybody's "not found" must not count as an order that is gone.
    raise _error(answer.status, host, answer.headers, now)


def _content(answer: HttpAnswer, host: str) -> dict[str, Any]:
    try:
        content = parse_json(answer.body)
    except ValueError:
        raise Unreadable(_strange(host, answer.status)) from None
    if not isinstance(content, dict) or not isinstance(content.get("result"), dict):
        raise Unreadable(_strange(host, answer.status))
    return content


def _status_within(result: dict[str, Any]) -> int:
    """The HTTP status that `result` amounts to; it may tell of an error although HTTP did not."""
    match result:
        case {"status": "OK"}:
            return 200
        case {"code": int(code)} if 400 <= code < 600:
            return code
        case {"status": "LIMITED"}:
            return 429
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
            return NotThere(f"{host} knows no such address ({status}); check base_url")
        case 429:
            return _limit_reached(host, headers, now)
        case 408 | 425 | 500 | 502 | 503 | 504 | 507 | 520 | 521 | 522 | 523 | 524:
            return Passing(
                f"{host} is out of order ({status}); wait until it works again",
                retry_after(headers, now),
            )
    return NotUnderstood(
        f"{host} does not answer this question ({status}); look for a newer version of this program"
    )


def _limit_reached(host: str, headers: Mapping[str, str], now: datetime) -> LimitReached:
    wait = retry_after(headers, now)
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
    except OverflowError:  # by a clock of the marketplace that shows the end of the year 9999
        return " for now"


def _strange(host: str, status: int) -> str:
    return (
        f"{host} answers ({status}) with something that is not the marketplace's JSON; "
        "check base_url, and whether something stands in between"
    )


def parse_json(body: bytes) -> Any:
    """Strict UTF-8 JSON (RFC 8259); raises ValueError for anything else, however deep or long.

    A number of absurd length is null, so that it costs a field and not the whole answer. A name
    that an object has twice makes it nonsense: the second value might hide an order.
    """
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_int=_whole_number,
            parse_constant=_refuse,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return fields


def _whole_number(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
