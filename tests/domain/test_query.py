"""Filtering and sorting the overview of orders."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from notifier.domain.digest import Entry
from notifier.domain.orders import Item
from notifier.domain.query import filter_and_sort, parse_columns, parse_condition
from notifier.i18n.language import Money
from tests.factories import digest, order, snapshot

UTC = ZoneInfo("UTC")


def entries() -> tuple[Entry, ...]:
    lamp = Item("Namizna LUČ", 2, sku="L-9", price=Money(Decimal("45.50"), "EUR"))
    before = snapshot(order(1), o1=date(2026, 11, 12))
    return digest(
        order(1),
        order(2, items=(lamp,)),
        order(3, external_id=None, tracking_numbers=("CZ77", "CZ78")),
        previous=before,
    ).present


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("days>=3", [1]),
        ("days<3", [2, 3]),
        ("days=10", [1]),
        ("items~luč", [2]),
        ("tracking~cz78", [3]),
        ("order=2", [2]),
        ("order!=2", [1, 3]),
        ("value>50", [2]),
        ("overdue=true", [1]),
        ("overdue=false", [2, 3]),
        ("external_id=", [3]),
        ("external_id!=", [1, 2]),
        ("first_seen<2026-11-20", [1]),
        ("shipped>=2026-11-10", [1, 2, 3]),
        ("sku=l-9", [2]),
    ],
)
def test_a_condition_keeps_matching_entries(condition: str, expected: list[int]) -> None:
    kept = filter_and_sort(entries(), [parse_condition(condition)], None, UTC)

    assert [entry.order.id for entry in kept] == expected


def test_a_day_is_the_local_one_of_the_time_zone() -> None:
    shipped = datetime(2026, 11, 10, 23, 30, tzinfo=UTC)
    (late,) = digest(order(1, shipped_at=shipped)).present
    condition = [parse_condition("shipped>=2026-11-11")]

    assert filter_and_sort([late], condition, None, UTC) == ()
    (kept,) = filter_and_sort([late], condition, None, ZoneInfo("Europe/Prague"))
    assert kept.order.shipped_at
    assert kept.order.shipped_at.isoformat() == "2026-11-11T00:30:00+01:00"


def test_an_entry_must_match_all_conditions() -> None:
    both = [parse_condition("days<3"), parse_condition("items~kettle")]

    assert [entry.order.id for entry in filter_and_sort(entries(), both, None, UTC)] == [3]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("order", [1, 2, 3]), ("-order", [3, 2, 1]), ("-value", [2, 1, 3]), ("items", [1, 3, 2])],
)
def test_a_column_sorts_both_ways(sort: str, expected: list[int]) -> None:
    assert [entry.order.id for entry in filter_and_sort(entries(), [], sort, UTC)] == expected


def test_entries_without_a_value_come_last_in_both_directions() -> None:
    for sort in ("external_id", "-external_id"):
        assert filter_and_sort(entries(), [], sort, UTC)[-1].order.id == 3


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("days", "write days>=3"),
        ("day>=3", 'did you mean "days"'),
        ("days>=soon", "is not a number"),
        ("shipped>yesterday", "YYYY-MM-DD"),
        ("overdue>1", "overdue=true"),
    ],
)
def test_the_error_of_an_invalid_condition_says_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(hint)):
        parse_condition(text)


def test_columns_are_selected_by_name_and_a_wrong_name_suggests_the_nearest() -> None:
    assert [column.name for column in parse_columns("order, days")] == ["order", "days"]
    with pytest.raises(ValueError, match='did you mean "tracking"'):
        parse_columns("order,traking")
