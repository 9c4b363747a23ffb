"""Single JSON values as the marketplace sends them, read tolerantly: what makes no sense is None.

Absent values are missing keys in some of its answers and nulls in others, numbers come as text,
money as int or float; none of that may cost us an order.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from notifier.domain.orders import YEARS

LONGEST_TEXT = 1000
_LARGEST_NUMBER = 10**15
_FLAGS = {"1": True, "true": True, "0": False, "false": False}
_DIGITS = re.compile(r"[0-9]{1,15}")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{2}:[0-9]{2}:[0-9]{2})?")
# Controls and separators end lines in mails and files, PostgreSQL refuses NUL, and nothing can
# encode a surrogate.
_UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def flag(value: object) -> bool | None:
    """True or false, also as 1, 0 and their texts."""
    if isinstance(value, bool):
        return value
    return _FLAGS.get(str(value).lower()) if isinstance(value, int | str) else None


def number(value: object) -> int | None:
    """A whole number that is not negative, also as ASCII digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < _LARGEST_NUMBER else None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return None


def text(value: object) -> str | None:
    """Text on one line, at most `LONGEST_TEXT` characters; a whole number becomes its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < _LARGEST_NUMBER else None
    if not isinstance(value, str):
        return None
    start = value[:LONGEST_TEXT]
    clean = start if start.isprintable() else _UNUSABLE.sub(" ", start)
    return clean.strip() or None


def amount(value: object) -> Decimal | None:
    """Money, exact: 19.99 of a JSON float is 19.99, and not the double next to it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _AMOUNT.fullmatch(value):
        return None
    # The shortest text of a float is what was meant, except at the end of somebody's arithmetic
    # (0.1 + 0.2): no market of ours counts in less than hundredths.
    if not isinstance(value, str) and not abs(value) < _LARGEST_NUMBER:
        return None
    exact = Decimal(str(value))
    return exact if exact == round(exact, 4) else round(exact, 2)


def moment(value: object, zone: ZoneInfo) -> datetime | None:
    """An instant in UTC, of `Y-m-d H:i:s` or `Y-m-d` (its first moment) on the clocks of `zone`.

    A time that occurs twice in autumn is its first; one that does not occur in spring is as much
    later as the clocks were moved (PEP 495, fold=0).
    """
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        at = datetime.fromisoformat(value).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year in YEARS else None
