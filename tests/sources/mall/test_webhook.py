"""What a post to the webhook hints at, whatever is in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.sources.mall.webhook import (
    MOST_IDS,
    Hints,
    NotHints,
    TooManyHints,
    parse_hints,
)


@pytest.mark.parametrize(
    ("body", "ids", "skipped"),
    [
        (b"[123456, 1234567]", (123456, 1234567), 0),
        (b"[]", (), 0),
        (b'\xef\xbb\xbf["123456"]', (123456,), 0),
        (b"[7, 7, 7]", (7,), 0),
        (b'[{"order_id": 5, "id": "SKU-1"}]', (5,), 0),
        (b'[{"orderId": "5"}, {"order": {"id": 6}}, {"order": 7}, {"id": 8}]', (5, 6, 7, 8), 0),
        (b'[{"id": "SKU-1"}, {}, {"order": []}]', (), 3),
        (b'[true, false, null, 1.5, "", [1], -1, 0]', (), 8),
        (b'["12\\n", "../1", "1?a=b", "1#", "%31", "1@host", " 1", "+1", "0x1"]', (), 9),
        ('["\u0663", "\u00b2"]'.encode(), (), 2),
        (b'["\\u0000", "\\ud800", "1\\u0000"]', (), 3),
        (b"[" + b"9" * 5000 + b"]", (), 1),
        (b"[1e400, 1000000000000000]", (), 2),
        (b"[999999999999]", (999999999999,), 0),
    ],
)
def test_ids_are_taken_and_everything_else_is_skipped(
    body: bytes, ids: tuple[int, ...], skipped: int
) -> None:
    assert parse_hints(body) == Hints(ids, skipped)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"123",
        b'{"order_id": 1}',
        b'"[1]"',
        b"[1,",
        b"[NaN]",
        b"[" * 100_000,
        "[1]".encode("utf-16"),
        b"\x1f\x8b\x08\x00",
        b"[1]\x00",
        b"\xff",
    ],
)
def test_what_is_no_array_is_nothing(body: bytes) -> None:
    with pytest.raises(NotHints):
        parse_hints(body)


def test_a_flood_is_refused_as_a_whole() -> None:
    assert len(parse_hints(json.dumps(list(range(1, MOST_IDS + 1))).encode()).ids) == MOST_IDS
    with pytest.raises(TooManyHints):
        parse_hints(json.dumps([1] * (MOST_IDS + 1)).encode())


@given(st.binary() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_nothing_gets_through_that_is_no_id(body: bytes | str) -> None:
    try:
        hints = parse_hints(body.encode("utf-8", "replace") if isinstance(body, str) else body)
    except NotHints:
        return
    assert all(0 < id_ < 10**15 for id_ in hints.ids)
    assert len(set(hints.ids)) == len(hints.ids) <= MOST_IDS
