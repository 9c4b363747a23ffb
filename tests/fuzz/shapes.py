"""Objects as a marketplace sends or an export writes, built from the bytes of a fuzzer's input.

Random bytes are seldom valid JSON; objects built from the real field names get past the JSON
parser at once. The same bytes always make the same object, with or without a fuzzer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from notifier.domain.settings import FileAccess, FileFormat

MOMENTS = (
    "2026-11-10 09:00:00", "2026-11-10", "2026-10-25 02:30:00", "2026-03-29 02:30:00",
    "0000-00-00 00:00:00", "0001-01-01 01:00:00", "1970-01-01", "9999-12-31 23:59:59",
    "9999-12-31T23:59:59+00:00", "0001-01-02T00:00:00-12:00", "2026-02-30",
)  # fmt: skip
NUMBERS = (
    0, 1, 2, 22, 4500001, -1, 10**15 - 1, 10**15, 2**63, 10**29, 0.1, 19.99, 0.30000000000000004,
    1e15, 1e-9, 1e308, -0.0,
)  # fmt: skip
WORDS = (
    "", " ", "0", "1", "true", "4500001", "19.90", "-5", "1e9", "nan", "EUR", "czk", "shipped",
    "Returned", "back", "done", "RETURNING", "SI-2026/17", "Kettle", "https://t.example.com/1",
    "javascript:alert(1)", "=1+1", "a\r\nBcc: eve@evil.example", "a\x00b\x85c\u2028d\u2029e",
    "\ud800", "\u202eevil", "\u0301", "=?utf-8?q?=0d=0a?=", "{{ 7 * 7 }}", "<script>", "x" * 1200,
    "😀\u200d😀",
)  # fmt: skip
SCALARS: tuple[Any, ...] = (None, True, False, *NUMBERS, *WORDS, *MOMENTS, [], {})

_WHOLE = (1, 2, 22, 4500001, "4500002", 10**15 - 1)
_FLAG = (True, False, 1, "0", None)
_MONEY = (12.5, "19.90", 0, 10**14, "999999999999999.99", 0.1)

DETAIL: Mapping[str, Sequence[Any]] = {
    "id": _WHOLE,
    "status": ("shipped", "Returned", "lost", "open", "unknown status"),
    "ready_to_return": _FLAG,
    "mdp": _FLAG,
    "test": _FLAG,
    "currency": ("EUR", "czk", "HUF", None),
    "cod": _MONEY,
    "external_id": WORDS,
    "external_order_id": WORDS,
    "purchase_id": WORDS,
    "tracking_number": WORDS,
    "tracking_url": WORDS,
    "shipped": MOMENTS,
    "first_delivery_attempt": MOMENTS,
}
ITEM: Mapping[str, Sequence[Any]] = {
    "id": WORDS, "article_id": WORDS, "title": WORDS, "quantity": _WHOLE, "price": _MONEY,
}  # fmt: skip
EVENT: Mapping[str, Sequence[Any]] = {
    "id": _WHOLE, "code": WORDS, "status": WORDS, "tracking_number": WORDS,
}  # fmt: skip
PAGING: Mapping[str, Sequence[Any]] = {"pages": _WHOLE, "page": _WHOLE, "total": _WHOLE}
RECORD: Mapping[str, Sequence[Any]] = {
    "Order": (*_WHOLE, *WORDS),
    "State": ("back", "done", "BACK", "elsewhere"),
    "Price": _MONEY,
    "Sent": MOMENTS,
}
LINE: Mapping[str, Sequence[Any]] = {"name": WORDS}

COLUMNS = {"id": "Order", "ready": "State", "title": "Item", "price": "Price", "shipped": "Sent"}
CSV_ACCESS = FileAccess(
    Path("orders.csv"), FileFormat.CSV, COLUMNS, "Europe/Prague",
    ready_values=frozenset({"back"}), collected_values=frozenset({"done"}), currency="EUR",
)  # fmt: skip
JSON_ACCESS = replace(
    CSV_ACCESS,
    format=FileFormat.JSON,
    records="data.orders",
    columns=COLUMNS | {"title": "lines.name"},
)


class Draws:
    """A sequence of choices, one per input byte; after the last byte, always the first choice.

    So a shorter input makes a simpler object, which helps the fuzzer to minimise failures.
    """

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to `limit` - 1."""
        return next(self._bytes, 0) % limit

    def one_of(self, choices: Sequence[Any]) -> Any:
        """Return one of at most 256 choices."""
        return choices[self.below(len(choices))]

    def value(self, usual: Sequence[Any]) -> Any:
        """Return a usual value six times in eight, otherwise any scalar or arbitrary text."""
        match self.below(8):
            case 6:
                return self.one_of(SCALARS)
            case 7:
                return self.text()
        return self.one_of(usual)

    def text(self) -> str:
        """Return text made of the next input bytes."""
        length = self.below(24)
        return bytes(self.below(256) for _ in range(length)).decode("utf-8", "surrogateescape")

    def filled(self, shape: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """Return an object of this shape; one field in eight is missing."""
        drawn = {name: self.value(usual) for name, usual in shape.items()}
        return {name: value for name, value in drawn.items() if self.below(8) != 7}

    def several(self, shape: Mapping[str, Sequence[Any]]) -> list[Any]:
        """Return up to four objects of this shape, sometimes followed by a scalar."""
        rows = [self.filled(shape) for _ in range(self.below(5))]
        return rows if self.below(8) != 7 else [*rows, self.one_of(SCALARS)]


def drawn_detail(draws: Draws) -> dict[str, Any]:
    """Return an order detail as in `data` of `GET /v1/orders/{id}`."""
    return draws.filled(DETAIL) | {
        "items": draws.several(ITEM),
        "consignment_status_history": draws.several(EVENT),
        "ulozenka_status_history": draws.several(EVENT),
    }


def drawn_record(draws: Draws) -> dict[str, Any]:
    """Return a record of an order file with the columns of `COLUMNS`."""
    return draws.filled(RECORD) | {"lines": draws.several(LINE)}
