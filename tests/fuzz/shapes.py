"""Objects such as a marketplace sends, or a shop's program writes, shaped by the bytes of an input.

Bytes that are changed at random are seldom JSON; a search that starts from the names of the fields
gets behind the parser at once. The same bytes make the same object, with or without a fuzzer.
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
    "status": ("shipped", "Returned", "lost", "open", "unheard of"),
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
    """Choices by the bytes of an input, one after the other; the first of all when they are over.

    So a shorter input makes a simpler object.
    """

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def below(self, limit: int) -> int:
        """A whole number from 0."""
        return next(self._bytes, 0) % limit

    def one_of(self, choices: Sequence[Any]) -> Any:
        """One of at most 256."""
        return choices[self.below(len(choices))]

    def value(self, usual: Sequence[Any]) -> Any:
        """Mostly what a field should hold; else anything at all, or text of the input's own."""
        match self.below(8):
            case 6:
                return self.one_of(SCALARS)
            case 7:
                return self.text()
        return self.one_of(usual)

    def text(self) -> str:
        """Text of the input's own bytes."""
        length = self.below(24)
        return bytes(self.below(256) for _ in range(length)).decode("utf-8", "surrogateescape")

    def filled(self, shape: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """An object of this shape, in which every eighth field is missing."""
        drawn = {name: self.value(usual) for name, usual in shape.items()}
        return {name: value for name, value in drawn.items() if self.below(8) != 7}

    def several(self, shape: Mapping[str, Sequence[Any]]) -> list[Any]:
        """Up to four objects of this shape, with something else among them at times."""
        rows = [self.filled(shape) for _ in range(self.below(5))]
        return rows if self.below(8) != 7 else [*rows, self.one_of(SCALARS)]


def drawn_detail(draws: Draws) -> dict[str, Any]:
    """An order's detail as `GET /v1/orders/{id}` has it in `data`."""
    return draws.filled(DETAIL) | {
        "items": draws.several(ITEM),
        "consignment_status_history": draws.several(EVENT),
        "ulozenka_status_history": draws.several(EVENT),
    }


def drawn_record(draws: Draws) -> dict[str, Any]:
    """A row of a file of orders, by the columns of `COLUMNS`."""
    return draws.filled(RECORD) | {"lines": draws.several(LINE)}
