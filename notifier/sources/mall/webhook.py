"""What the marketplace posts to the webhook: the ids of orders that changed.

Nobody has documented who may post, or that it is signed; so a body is a hint and never data. It
may be an array of ids, or, as announced for the items of orders, of objects with an order's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from notifier.sources.mall.answers import parse_json
from notifier.sources.values import number

MOST_BYTES = 64 * 1024
MOST_IDS = 1_000

_NAMES = ("order_id", "orderId", "order", "id")
"""Of an order's id in an object, the surest first: that of an item has an `id` of its own."""


class NotHints(ValueError):
    """The body is nothing that the marketplace posts."""


class TooManyHints(NotHints):
    """The body names more orders than one post may."""


@dataclass(frozen=True, slots=True)
class Hints:
    """The orders a post names, each once, and how much in it names none."""

    ids: tuple[int, ...]
    skipped: int


def parse_hints(body: bytes) -> Hints:
    """Read the body of a post; what in it is no id is skipped.

    Raises TooManyHints beyond `MOST_IDS`, and NotHints where it is no JSON array.
    """
    try:
        content = parse_json(body)
    except ValueError:
        raise NotHints("the body is no JSON") from None
    if not isinstance(content, list):
        raise NotHints("the body is no array of ids")
    if len(content) > MOST_IDS:
        raise TooManyHints(f"the body names more than {MOST_IDS} orders")
    found = list(_ids(content))
    return Hints(tuple(dict.fromkeys(found)), len(content) - len(found))


def _ids(content: Iterable[object]) -> Iterator[int]:
    for one in content:
        if id_ := _id(one):
            yield id_


def _id(value: object) -> int | None:
    """The id that a value is, or that an object has; None or 0 where there is none."""
    if not isinstance(value, dict):
        return number(value)
    named = next((value[name] for name in _NAMES if value.get(name) is not None), None)
    return number(named.get("id") if isinstance(named, dict) else named)
