"""Single values from foreign data, read tolerantly: a value that makes no sense becomes None.

Neighbours send numbers as text, flags as 0 and 1, money as int or float, and leave out what they
do not know; none of that may cost an order.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from notifier.domain.orders import YEARS

# The mail has a limit in bytes, so one endless title would push other orders out of it.
LONGEST_TEXT = 1000
# Below 2**53, so a float holds it exactly, and below the ids of hashed numbers (2**62, see
# `file/rows.py`).
LARGEST_NUMBER = 10**15
_FLAGS = {"1": True, "true": True, "0": False, "false": False}
# Not \d, which also matches the digits of other scripts.
_DIGITS = re.compile(r"[0-9]{1,15}")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
# Controls and separators end lines in mails and files, PostgreSQL refuses NUL, and no encoding
# has surrogates.
_UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def flag(value: object) -> bool | None:
    """Return a boolean, also from 1, 0 and their texts."""
    # First, because in Python True is an int as well.
    if isinstance(value, bool):
        return value
    return _FLAGS.get(str(value).lower()) if isinstance(value, int | str) else None


def number(value: object) -> int | None:
    """Return a whole number that is not negative, also from ASCII digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < LARGEST_NUMBER else None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return None


def text(value: object) -> str | None:
    """Return text on one line, at most `LONGEST_TEXT` characters; a whole number as its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < LARGEST_NUMBER else None
    return one_line(value) if isinstance(value, str) else None


def one_line(value: str) -> str | None:
    """Return the start of `value` without control characters; None if nothing is left."""
    # Cut first: a hostile value may have megabytes.
    start = value[:LONGEST_TEXT]
    clean = start if start.isprintable() else _UNUSABLE.sub(" ", start)
    return clean.strip() or None


def amount(value: object) -> Decimal | None:
    """Return money, exact: 19.99 from a JSON float is 19.99, and not the double next to it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _AMOUNT.fullmatch(value):
        return None
    # Written with `not … <` because it must also refuse NaN, which compares as false with
    # everything.
    if not isinstance(value, str) and not abs(value) < LARGEST_NUMBER:
        return None
    # The shortest text of a float is the number that was meant, unless it is the result of the
    # sender's arithmetic (0.1 + 0.2). No currency we know needs more than hundredths.
    exact = Decimal(str(value))
    return exact if exact == round(exact, 4) else round(exact, 2)


def currency_code(value: object) -> str | None:
    """Return a code of ISO 4217, in capitals."""
    code = (text(value) or "").upper()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None


def web_address(value: object) -> str | None:
    """Return an http or https address."""
    # The mail turns it into a link, and a link with another scheme (javascript:) can run code.
    address = text(value)
    usable = address and address.startswith(("https://", "http://")) and " " not in address
    return address if usable else None


def to_utc(local: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the instant in UTC; a time without an offset is local to `zone`.

    A time that occurs twice in autumn is the first of the two; one that is skipped in spring is
    moved by as much as the clocks were (PEP 495, fold=0). None for a year outside `YEARS`.
    """
    try:
        at = (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    # The years 1 and 9999 leave the calendar when a time zone is subtracted.
    except (ValueError, OverflowError):
        return None
    return at if at.year in YEARS else None
