"""The marketplace's rows and details become our orders, whatever else stands in them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.orders import Item, OrderStatus
from notifier.i18n.language import Money
from notifier.simulator import World
from notifier.simulator.catalogue import CANARIES
from notifier.sources.mall.payloads import UnreadableOrder, moment, parse_order, parse_row
from tests.sources.mall.neighbour import START, Visit, access, detail
from tests.sources.test_values import JSON

PRAGUE = ZoneInfo("Europe/Prague")
FULL = {
    **detail(23_120_701),
    "purchase_id": 231_207,
    "external_id": "A-17",
    "external_order_id": 0,
    "currency": "EUR",
    "cod": 54.9,
    "cod_price": 2,
    "tracking_number": "SI00000000001",
    "tracking_url": "https://track.example/SI00000000001",
    "shipped": "2026-02-20 14:56:45",
    "first_delivery_attempt": "2026-02-23",
    "address": {"name": "Canary Buyer", "phone": "+44 7700 900123", "city": "Nowhere"},
    "branch_id": 12,
    "items": [
        {"id": "0042", "article_id": 100094165277, "quantity": 2, "price": 19.99, "title": "Kettle"}
    ],
    "consignment_status_history": [
        {"code": "CREATED", "tracking_number": "SI00000000001", "date": "2026-02-20 15:00:00"},
        {"status": "RETURNING", "tracking_number": "SI00000000002", "flags": ["damaged"]},
        "noise",
    ],
    "ulozenka_status_history": [{"id": 22, "name": "expired"}],
}


def test_a_full_detail_is_read_whole() -> None:
    order = parse_order(FULL, PRAGUE)

    assert (order.id, order.status, order.ready_to_return) == (23_120_701, "shipped", True)
    assert (order.external_id, order.purchase_id) == ("A-17", "231207")
    assert order.tracking_numbers == ("SI00000000001", "SI00000000002")
    assert order.tracking_url == "https://track.example/SI00000000001"
    assert order.cod == Money(Decimal("54.9"), "EUR")
    assert order.shipped_at == datetime(2026, 2, 20, 13, 56, 45, tzinfo=UTC)
    assert order.first_delivery_attempt == datetime(2026, 2, 22, 23, tzinfo=UTC)
    assert order.items == (
        Item("Kettle", 2, "0042", "100094165277", Money(Decimal("19.99"), "EUR")),
    )
    assert order.value == Money(Decimal("39.98"), "EUR")


def test_id_status_and_the_flag_are_enough() -> None:
    order = parse_order({"id": "7", "status": "SHIPPED", "ready_to_return": 1}, PRAGUE)

    assert order.waits_for_seller()
    assert (order.items, order.tracking_numbers, order.cod, order.value) == ((), (), None, None)


def test_nulls_are_as_good_as_missing_keys() -> None:
    sparse = {"id": 7, "status": "shipped", "ready_to_return": True}

    assert parse_order(dict.fromkeys(FULL) | sparse, PRAGUE) == parse_order(sparse, PRAGUE)


def test_an_order_paid_in_advance_has_no_cash_on_delivery() -> None:
    assert parse_order({**FULL, "cod": 0}, PRAGUE).cod is None


def test_without_a_currency_there_is_no_money() -> None:
    order = parse_order({**FULL, "currency": "euro"}, PRAGUE)

    assert (order.cod, order.value) == (None, None)


def test_the_sellers_number_may_stand_in_the_older_field() -> None:
    fields = {key: value for key, value in FULL.items() if key != "external_id"}

    assert parse_order({**fields, "external_order_id": 4711}, PRAGUE).external_id == "4711"
    assert parse_order({**fields, "external_order_id": 0}, PRAGUE).external_id is None


def test_a_status_nobody_knows_is_no_error() -> None:
    assert parse_order({**FULL, "status": "teleported"}, PRAGUE).status is OrderStatus.OTHER


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a b", "track.example", 5])
def test_only_addresses_of_the_web_are_tracking_links(url: object) -> None:
    assert parse_order({**FULL, "tracking_url": url}, PRAGUE).tracking_url is None


@pytest.mark.parametrize(
    "fields",
    [
        {"id": None},
        {"id": True},
        {"id": 0},
        {"status": None},
        {"status": ""},
        {"status": 5},
        {"ready_to_return": None},
        {"ready_to_return": "perhaps"},
    ],
)
def test_what_would_hide_a_parcel_is_unreadable_and_never_no(fields: dict[str, object]) -> None:
    with pytest.raises(UnreadableOrder):
        parse_order({**FULL, **fields}, PRAGUE)


@pytest.mark.parametrize("data", [None, [], "order", 5, True])
def test_what_is_no_object_is_unreadable(data: object) -> None:
    with pytest.raises(UnreadableOrder):
        parse_order(data, PRAGUE)


def test_an_order_that_is_not_shipped_needs_no_flag() -> None:
    order = parse_order({"id": 7, "status": "returned"}, PRAGUE)

    assert not order.ready_to_return


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        pytest.param("2026-01-15 12:00:00", datetime(2026, 1, 15, 11, tzinfo=UTC), id="winter"),
        pytest.param("2026-07-15 12:00:00", datetime(2026, 7, 15, 10, tzinfo=UTC), id="summer"),
        pytest.param("2026-07-15", datetime(2026, 7, 14, 22, tzinfo=UTC), id="a day"),
        pytest.param("2026-03-29 02:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="gap"),
        pytest.param("2026-10-25 02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), id="twice"),
    ],
)
def test_a_timestamp_is_local_to_the_marketplace(written: str, instant: datetime) -> None:
    assert moment(written, PRAGUE) == instant


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        "",
        "0000-00-00 00:00:00",
        "0001-01-01 00:00:00",
        "0001-01-01 01:00:00",
        "1970-01-01",
        "9999-12-31 23:59:59",
        "2026-02-30",
        "2026-1-5",
        "2026-01-05T10:00:00",
        "2026-W01-1",
        "٢٠٢٦-٠١-٠٥",
        "2026-01-05 10:00:00\n",
        "yesterday",
        ["2026-01-05"],
    ],
)
def test_an_unusable_timestamp_is_none(value: object) -> None:
    assert moment(value, PRAGUE) is None


@given(JSON)
def test_no_timestamp_is_too_strange(value: object) -> None:
    moment(value, PRAGUE)


@given(JSON)
def test_no_row_is_too_strange(value: object) -> None:
    parse_row(value, PRAGUE)


@given(st.sampled_from(sorted(set(FULL) - {"id", "status", "ready_to_return", "test"})), JSON)
def test_one_strange_field_never_hides_an_order(name: str, value: object) -> None:
    order = parse_order({**FULL, name: value}, PRAGUE)

    assert order.waits_for_seller()
    repr(order).encode()


@given(st.sampled_from(["id", "article_id", "quantity", "price", "title", "serial_numbers"]), JSON)
def test_one_strange_field_never_hides_an_item(name: str, value: object) -> None:
    item: dict[str, Any] = FULL["items"][0]  # type: ignore[index]  # it is the list above
    order = parse_order({**FULL, "items": [{**item, name: value}, item]}, PRAGUE)

    assert len(order.items) == 2
    assert order.items[0].quantity > 0


@given(JSON)
def test_any_data_is_an_order_or_unreadable(data: object) -> None:
    with suppress(UnreadableOrder):
        parse_order(data, PRAGUE)


def test_nothing_of_a_buyer_is_kept() -> None:
    assert "Canary" not in repr(parse_order(FULL, PRAGUE))
    assert "Nowhere" not in repr(parse_order(FULL, PRAGUE))


async def test_no_buyer_of_the_simulator_is_kept() -> None:
    for scenario in ("busy_day", "every_status"):
        world = World.from_scenario(scenario, start=START)

        shown = repr(await Visit(world, access(test_orders=True)).read())

        assert len(shown) > 1000
        assert [canary for canary in CANARIES if canary in shown] == []
