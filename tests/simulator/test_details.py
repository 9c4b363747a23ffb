"""`GET /v1/orders/{id}`, `/consignments` and `/stats`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from notifier.simulator import ABSENT
from tests.simulator.conftest import START, Opens, a_world

NUMBER = (int, float)

# Keys that the official client reads without checking that they exist.
ALWAYS_THERE: dict[str, Any] = {
    "id": int,
    "purchase_id": int,
    "external_order_id": int,
    "currency": str,
    "delivery_price": NUMBER,
    "cod_price": NUMBER,
    "cod": NUMBER,
    "discount": NUMBER,
    "payment_type": str,
    "delivery_method": str,
    "delivery_method_id": (int, str),
    "branches": dict,
    "address": dict,
    "confirmed": bool,
    "status": str,
    "items": list,
    "test": bool,
    "mdp": bool,
    "mdp_classic": bool,
    "mdp_spectrum": bool,
    "ready_to_return": bool,
    "ulozenka_status_history": list,
    "consignment_status_history": list,
}
OF_AN_ADDRESS = ("customer_id", "name", "phone", "email", "street", "city", "zip", "country")
OF_AN_ITEM: dict[str, Any] = {
    "id": str,
    "article_id": int,
    "quantity": int,
    "price": NUMBER,
    "vat": int,
    "title": str,
    "serial_numbers": list,
}
MAY_BE_ABSENT = {
    "external_id",
    "branch_id",
    "tracking_number",
    "tracking_url",
    "ship_date",
    "delivery_date",
    "delivered_at",
    "first_delivery_attempt",
    *("shipped", "shipping", "open", "blocked", "lost", "returned", "cancelled", "delivered"),
}
CARRIER_CODES = {
    *("CREATED", "RECEIVED", "CANCELLED", "DELIVERING", "DAMAGED", "RETURNING", "RETURNED"),
    *("READY_FOR_PICKUP", "DELIVERED", "LOST"),
}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")


@pytest.mark.parametrize("name", ["busy_day", "every_status"])
async def test_every_key_that_the_official_client_requires_is_there(
    caller: Opens, name: str
) -> None:
    ask = caller(a_world(name))
    statuses = "in:blocked,open,shipping,shipped,cancelled,delivered,lost,returned"
    for order_id in await ask.ids(status=statuses, test=1):
        order = await ask.detail(order_id)
        assert_right_types(order, ALWAYS_THERE)
        assert order.keys() - ALWAYS_THERE.keys() <= MAY_BE_ABSENT
        assert all(order["address"][name] is not None for name in OF_AN_ADDRESS)
        assert len({item["id"] for item in order["items"]}) == len(order["items"]) > 0
        for item in order["items"]:
            assert_right_types(item, OF_AN_ITEM)
        for event in order["consignment_status_history"]:
            assert event["code"] in CARRIER_CODES
            assert set(event["flags"]) <= {"damaged", "lost"}
            assert isinstance(event["tracking_number"], str)
        for event in order["ulozenka_status_history"]:
            assert_right_types(event, {"id": int, "name": str, "date": str})


def assert_right_types(values: dict[str, Any], kinds: dict[str, Any]) -> None:
    for name, kind in kinds.items():
        assert isinstance(values[name], kind), name


async def test_times_are_local_times_without_an_offset(caller: Opens) -> None:
    world = a_world()
    world.add_order(id=7)

    order = await caller(world).detail(7)

    assert (
        order["shipped"] == "2026-03-17 08:00:00"
    )  # 12 days before START; Prague is an hour ahead
    for name in MAY_BE_ABSENT & order.keys() - {"external_id", "branch_id"}:
        if not name.startswith("tracking"):
            assert TIMESTAMP.fullmatch(order[name]), name


async def test_an_order_has_a_time_for_each_status_it_has_been_in(caller: Opens) -> None:
    world = a_world()
    expected = {
        "blocked": {"blocked"},
        "open": {"open"},
        "cancelled": {"open", "cancelled"},
        "shipping": {"open", "shipping"},
        "shipped": {"open", "shipping", "shipped"},
        "delivered": {"open", "shipping", "shipped", "delivered"},
        "returned": {"open", "shipping", "shipped", "returned"},
        "lost": {"open", "shipping", "shipped", "lost"},
    }
    for status, times in expected.items():
        order = await caller(world).detail(world.add_order(status=status))
        assert order.keys() & expected.keys() == times


async def test_an_order_is_tracked_from_shipping_on(caller: Opens) -> None:
    world = a_world()
    open_, shipped = world.add_order(status="shipping"), world.add_order()

    assert "tracking_number" not in await caller(world).detail(open_)
    assert "tracking_number" in await caller(world).detail(shipped)


async def test_absent_values_are_missing_keys_or_nulls(caller: Opens) -> None:
    world = a_world()
    missing, nulls = world.add_order(status="open"), world.add_order(status="open", nulls=True)

    assert "delivered_at" not in await caller(world).detail(missing)
    assert (await caller(world).detail(nulls))["delivered_at"] is None
    assert (await caller(world).detail(nulls))["items"][0]["purchase_price"] is None


async def test_fields_are_as_they_were_set_by_hand(caller: Opens) -> None:
    world = a_world()
    world.add_order(id=9, cod="twelve", currency=ABSENT, external_id=None, customer="Nobody")

    order = await caller(world).detail(9)
    row = (await caller(world).data("/v1/orders", filter="basic", id=9))[0]

    assert order["cod"] == row["cod"] == "twelve"
    assert "currency" not in order
    assert order["external_id"] is None
    assert row["customer"] == "Nobody"
    assert "customer" not in order


async def test_an_unknown_order_is_not_found(caller: Opens) -> None:
    answer = await caller(a_world()).get("/v1/orders/7")

    assert answer.status_code == 404
    assert answer.json() == {
        "result": {"code": 404, "status": "ERROR", "message": "Order not found"},
        "errorCodes": [
            {
                "message": "Order 7 not found",
                "errorCode": "ORDER_NOT_FOUND",
                "errorAttributes": [],
            }
        ],
    }


async def test_an_order_of_a_later_day_is_unknown(
    caller: Opens,
) -> None:
    world = a_world("busy_day")
    known = set(world.shipped_ids())
    world.advance(2)
    later = max(set(world.shipped_ids()) - known)

    assert (await caller(a_world("busy_day")).get(f"/v1/orders/{later}")).status_code == 404
    assert (await caller(world).detail(later))["status"] == "shipped"


async def test_consignments_answer_the_number_of_parcels(caller: Opens) -> None:
    world = a_world("busy_day")
    ask = caller(world)
    counts = set()
    for order_id in world.ready_ids():
        count = (await ask.data(f"/v1/orders/{order_id}/consignments"))["parcel_count"]
        history = (await ask.detail(order_id))["consignment_status_history"]
        assert count == len({event["tracking_number"] for event in history})
        counts.add(count)
    assert counts == {1, 3}


async def test_stats_count_orders_of_the_last_days_by_status(caller: Opens) -> None:
    world = a_world()
    world.advance(10)
    ask = caller(world)
    stats = await ask.data("/v1/orders/stats", days=30)

    assert stats.keys() == {
        *("blocked", "open", "shipping", "shipped", "cancelled", "delivered", "lost", "returned")
    }
    assert stats["shipped"] == len(await ask.ids(status="shipped"))
    assert sum((await ask.data("/v1/orders/stats", days=1)).values()) < sum(stats.values())
    assert (await ask.get("/v1/orders/stats", days="all")).status_code == 400


async def test_history_has_no_future_events(caller: Opens) -> None:
    world = a_world("busy_day")
    latest = (START + timedelta(hours=2)).strftime("%Y-%m-%d %H:%M:%S")  # summer time began today
    for order_id in world.shipped_ids():
        order = await caller(world).detail(order_id)
        dates = [event["date"] for event in order["consignment_status_history"]]
        assert dates == sorted(dates)
        assert dates[-1] <= latest
