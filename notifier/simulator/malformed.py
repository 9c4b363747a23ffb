"""Orders of which something is not as it should be, among others that are well.

Ids tell what a right client makes of them: it shows those from `READABLE` on, and says of those
from `UNREADABLE` on that they could not be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from notifier.simulator.orders import ABSENT

READABLE = 23_100_001
UNREADABLE = 23_200_001
STRAY_ROWS: tuple[object, ...] = (None, "23100001x", 7.5, [], [{"id": 23_100_002}], {}, True)
"""What stands among the rows of the list and is none."""

WAITING: Mapping[str, object] = {"status": "shipped", "mdp": True, "ready_to_return": True}

ODD_FIELDS: tuple[Mapping[str, object], ...] = (
    {"ready_to_return": "true", "test": "0", "confirmed": None},
    {"ready_to_return": 1, "test": 0},
    {"id": "23100003"},
    {"items": None, "address": None, "branches": None},
    {"items": {"0": {"id": "A", "title": "One"}}, "address": [], "customer": {"name": None}},
    {"items": [None, 7, "x", [], {}, {"title": None, "quantity": "two", "price": "free"}]},
    {"items": [{"id": 12, "title": 34, "quantity": -1, "price": "12,50", "article_id": {}}]},
    {"consignment_status_history": None, "ulozenka_status_history": "RETURNING"},
    {"consignment_status_history": [None, 5, "RETURNING", {}, {"code": None}, {"code": ["x"]}]},
    {"consignment_status_history": [{"code": "TELEPORTED", "flags": "haunted", "date": 0}]},
    {
        "consignment_status_history": {"code": "RETURNING"},
        "ulozenka_status_history": [{"id": "22"}],
    },
    {"shipped": "0000-00-00 00:00:00", "ship_date": "yesterday", "open": 0},
    {"shipped": "2026-02-30 25:61:00", "first_delivery_attempt": [], "delivered_at": False},
    {"cod": "12,50", "currency": None, "cod_price": {}},
    {"cod": -3, "currency": "euros", "discount": "none"},
    {"cod": 1e300, "currency": 978, "delivery_price": None},
    {"tracking_number": 12_345_678_901, "tracking_url": "javascript:alert(1)"},
    {"tracking_number": ["SI1", None], "tracking_url": 0},
    {"external_id": [], "external_order_id": None, "purchase_id": "x" * 5_000},
    {"external_id": "<script>\u202e\u0000\n", "delivery_method": None, "branch_id": {}},
    {"source": 5, "payment_type": [], "customer_id": "nobody"},
    dict.fromkeys(("items", "currency", "cod", "address", "shipped", "purchase_id"), ABSENT),
)

UNREADABLE_FLAGS: tuple[object, ...] = (None, ABSENT, "perhaps", 2, {}, [True], "")

UNREADABLE_DETAILS = (
    b'{"result":{"code":200,"status":"OK"},"data":null}',
    b'{"result":{"code":200,"status":"OK"},"data":[]}',
    b'{"result":{"code":200,"status":"OK"},"data":{"id":null,"status":"shipped"}}',
    b'{"result":{"code":200,"status":"OK"},"data":{"id":23200011,"status":42}}',
    b'{"result":{"code":200,"status":"OK"},"data":{"id":232000',
    b'{"result":null,"data":"shipped"}',
    b"[]",
    b"",
)


STRANGE_IDS: tuple[object, ...] = (None, "abc", -5, 1.5, 10**30, {})


def malformed_orders() -> Iterator[Mapping[str, object]]:
    """As fields of orders that are set by hand."""
    for id_, fields in enumerate(ODD_FIELDS, READABLE):
        yield {"id": id_, **WAITING, **fields}
    flags = [{"ready_to_return": flag} for flag in UNREADABLE_FLAGS]
    for id_, unreadable in enumerate((*flags, *({} for _ in UNREADABLE_DETAILS)), UNREADABLE):
        yield {"id": id_, "status": "shipped", "mdp": True, **unreadable}
    for strange_id in STRANGE_IDS:
        yield {"status": "shipped", "mdp": True, "id": strange_id}


def malformed_details() -> Mapping[int, bytes]:
    """What the detail of some of them answers instead of what it should."""
    first = UNREADABLE + len(UNREADABLE_FLAGS)
    return {
        id_: body.replace(b"23200011", json.dumps(id_).encode())
        for id_, body in enumerate(UNREADABLE_DETAILS, first)
    }
