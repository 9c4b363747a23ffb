"""Single values of a row, as text or as JSON has them: what makes no sense is None.

A program that exports a list writes numbers as text, flags as words, and amounts the way its
country does; none of that may cost us an order.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from zoneinfo import ZoneInfo

from notifier.domain.orders import YEARS

LONGEST_TEXT = 1000
LARGEST_NUMBER = 10**15

_DIGITS = re.compile(r"[0-9]{1,15}")
_WHOLE = re.compile(r"([0-9]{1,15})(?:[.,]0{1,15})?")
_AMOUNTS = {
    ".": re.compile(r"(?:[0-9]{1,15}|[0-9]{1,3}(?:[, '][0-9]{3}){1,4})(?:\.[0-9]{1,15})?"),
    ",": re.compile(r"(?:[0-9]{1,15}|[0-9]{1,3}(?:[. '][0-9]{3}){1,4})(?:,[0-9]{1,15})?"),
}
_AROUND_AMOUNT = re.compile(r"^[A-Z]{3}|[A-Z]{3}$|[€$£]|Kč|zł")
_NARROW_SPACES = str.maketrans("\u00a0\u202f\u2009’", "   '")
# Controls and separators end lines in mails and files, PostgreSQL refuses NUL, and nothing can
# encode a surrogate.
_UNUSABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def text(value: object) -> str | None:
    """Text on one line, at most `LONGEST_TEXT` characters; numbers and flags as JSON writes them.

    None for what is empty, and for what is no single value.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < LARGEST_NUMBER else None
    if isinstance(value, Decimal):
        return f"{value:f}" if _is_sensible(value) else None
    if not isinstance(value, str):
        return None
    return _UNUSABLE.sub(" ", value[:LONGEST_TEXT]).strip() or None


def order_id(number: str) -> int:
    """The id by which we know an order that is called `number`.

    A whole number is its own id. Everything else ("SI-2026/17", "0017") gets one of its own, far
    beyond those: 62 bits of a hash, so that of 100,000 numbers no two share one by chance.
    """
    if _DIGITS.fullmatch(number) and str(int(number)) == number and number != "0":
        return int(number)
    drawn = int.from_bytes(blake2b(number.encode(), digest_size=8).digest(), "big")
    return 2**62 + (drawn >> 2)


def quantity(value: object) -> int | None:
    """How many pieces, also as "2.000" or "2,0"."""
    found = _WHOLE.fullmatch(text(value) or "")
    return int(found[1]) if found and int(found[1]) > 0 else None


def amount(value: object, decimal: str) -> Decimal | None:
    """Money, exact. `decimal` is the sign before the cents, "." or ","; a number of JSON has its
    own. Thousands may be grouped, a currency may stand around it; nothing else is guessed."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        exact = Decimal(value)
        return round(exact, 4) if _is_sensible(exact) and exact >= 0 else None
    written = (text(value) or "").translate(_NARROW_SPACES)
    written = _AROUND_AMOUNT.sub("", written).strip()
    if not _AMOUNTS[decimal].fullmatch(written):
        return None
    grouping = "." if decimal == "," else ","
    plain = re.sub(rf"[{grouping} ']", "", written)
    return Decimal(plain.replace(",", "."))


def moment(value: object, zone: ZoneInfo, date_format: str | None) -> datetime | None:
    """An instant in UTC. Without an offset it is of the clocks of `zone`, a date its first moment.

    Written by ISO 8601, or as `date_format` says (that of `datetime.strptime`). A time that occurs
    twice in autumn is its first (PEP 495, fold=0).
    """
    written = text(value) or ""
    try:
        if date_format:
            found = datetime.strptime(written, date_format)  # noqa: DTZ007 - the zone follows
        else:
            found = datetime.fromisoformat(written)
        at = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year in YEARS else None


def currency(value: object) -> str | None:
    """A code of ISO 4217, in capitals."""
    code = (text(value) or "").upper()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None


def web_address(value: object) -> str | None:
    """An address of the web."""
    address = text(value)
    usable = address and address.startswith(("https://", "http://")) and " " not in address
    return address if usable else None


def _is_sensible(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) < 15
