"""`GET /v1/orders`: rows, ids, filters, sorting, pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.conftest import SHIPPED, START, Opens, a_world

ROW_OF_A_SHIPPED_ORDER: dict[str, Any] = {
    "id": int,
    "purchase_id": int,
    "customer_id": int,
    "customer": str,
    "cod": (int, float),
    "payment_type": str,
    "ship_date": str,
    "tracking_number": str,
    "tracking_url": str,
    "status": str,
    "confirmed": bool,
    "test": bool,
    "mdp": bool,
    "mdp_classic": bool,
    "mdp_spectrum": bool,
    "open": str,
    "shipping": str,
    "shipped": str,
}


async def test_a_row_has_the_published_fields_and_no_ready_flag(caller: Opens) -> None:
    rows = await caller(a_world("busy_day")).data("/v1/orders", **SHIPPED, page_size=1000)

    assert len(rows) == 200
    for row in rows:
        for name, kind in ROW_OF_A_SHIPPED_ORDER.items():
            assert isinstance(row[name], kind), name
        assert row.keys() - ROW_OF_A_SHIPPED_ORDER.keys() <= {"external_id"}


async def test_without_basic_a_list_contains_ids(caller: Opens) -> None:
    world = a_world("busy_day")

    ids = await caller(world).ids(status="shipped", mdp="true")

    assert ids == world.shipped_ids()


async def test_test_orders_are_listed_only_on_request(caller: Opens) -> None:
    ask = caller(a_world("busy_day"))
    without, also = await ask.ids(status="shipped"), await ask.ids(status="shipped", test=1)

    assert len(set(also) - set(without)) == 3
    assert set(without) < set(also)


async def test_blocked_orders_are_listed_only_on_request(caller: Opens) -> None:
    world = a_world()
    blocked = world.add_order(status="blocked")
    ask = caller(world)

    assert blocked not in await ask.ids()
    assert blocked not in await ask.ids(status="nin:shipped")
    assert await ask.ids(status="blocked") == [blocked]
    assert blocked in await ask.ids(status="in:open,blocked")


@pytest.mark.parametrize(
    ("field", "wanted", "expected"),
    [
        ("id", "3000000002", [3_000_000_002]),
        ("id", "eq:3000000002", [3_000_000_002]),
        ("id", "in:3000000001,3000000003,7", [3_000_000_001, 3_000_000_003]),
        ("id", "nin:3000000001,3000000003", [3_000_000_002]),
        ("id", "gt:3000000002", [3_000_000_003]),
        ("id", "ge:3000000002", [3_000_000_002, 3_000_000_003]),
        ("id", "lt:3000000002", [3_000_000_001]),
        ("id", "le:3000000002", [3_000_000_001, 3_000_000_002]),
        ("id", "bt:3000000002,3000000009", [3_000_000_002, 3_000_000_003]),
        ("cod", "gt:10.5", [3_000_000_003]),
        ("cod", "bt:10.5,20", [3_000_000_002, 3_000_000_003]),
        ("mdp", "true", [3_000_000_001, 3_000_000_002]),
        ("mdp", "1", [3_000_000_001, 3_000_000_002]),
        ("mdp", "false", [3_000_000_003]),
        ("mdp", "eq:0", [3_000_000_003]),
        ("ship_date", "ge:2026-03-02", [3_000_000_002, 3_000_000_003]),
        ("shipped", "lt:2026-03-02 10:00:00", [3_000_000_001]),
        ("external_id", "B-2", [3_000_000_002]),
        ("external_id", "nin:B-2", [3_000_000_001, 3_000_000_003]),
        ("delivered_at", "gt:2000-01-01", []),
    ],
    ids=str,
)
async def test_a_list_can_be_filtered_by_any_field(
    caller: Opens, field: str, wanted: str, expected: list[int]
) -> None:
    world = a_world("every_status")
    for number, (mdp, cod, external_id) in enumerate(
        [(True, 0, "A-1"), (True, 10.5, "B-2"), (False, 20, None)], start=1
    ):
        world.add_order(
            id=3_000_000_000 + number,
            source="TEST",
            mdp=mdp,
            cod=cod,
            external_id=external_id,
            ship_date=f"2026-03-0{number}",
            shipped=f"2026-03-0{number} 10:00:00",
        )

    assert await caller(world).ids(source="TEST", **{field: wanted}) == expected


async def test_the_ready_flag_cannot_be_filtered_by(caller: Opens) -> None:
    ask = caller(a_world("busy_day"))

    assert await ask.ids(ready_to_return="true") == await ask.ids()


@pytest.mark.parametrize(
    "query",
    [
        {"status": "ne:shipped"},
        {"status": "neq:shipped"},
        {"id": "eq:seven"},
        {"id": "bt:1"},
        {"id": "gt:1,2"},
        {"mdp": "maybe"},
        {"_sort": "ready_to_return:asc"},
        {"_sort": "id:up"},
        {"page": "0"},
        {"page": "-1"},
        {"page_size": "many"},
    ],
    ids=str,
)
async def test_an_invalid_query_is_refused(caller: Opens, query: dict[str, str]) -> None:
    answer = await caller(a_world()).get("/v1/orders", **query)

    assert answer.status_code == 400
    assert answer.json()["result"] == {"code": 400, "status": "ERROR", "message": "Bad request"}
    assert answer.json()["errorCodes"][0].keys() == {"message", "errorCode", "errorAttributes"}


async def test_a_list_is_sorted_as_requested(caller: Opens) -> None:
    ask = caller(a_world("busy_day"))
    rows = await ask.data("/v1/orders", **{**SHIPPED, "_sort": "ship_date:desc,id:asc"})

    keys = [(row["ship_date"], -row["id"]) for row in rows]
    assert keys == sorted(keys, reverse=True)


async def test_pages_make_up_the_list(caller: Opens) -> None:
    world = a_world("busy_day")
    ask = caller(world)
    answers = [
        (await ask.get("/v1/orders", **SHIPPED, page=page, page_size=60)).json()
        for page in (1, 2, 3, 4, 5)
    ]

    assert [answer["paging"] for answer in answers] == [
        {"total": 200, "pages": 4, "size": 60, "page": page} for page in (1, 2, 3, 4, 5)
    ]
    assert [row["id"] for answer in answers for row in answer["data"]] == world.shipped_ids()
    assert answers[-1]["data"] == []


async def test_a_short_list_is_one_page_of_its_own_length(caller: Opens) -> None:
    ask = caller(a_world())
    short = (await ask.get("/v1/orders", **SHIPPED)).json()
    empty = (await ask.get("/v1/orders", status="lost")).json()

    assert short["paging"] == {"total": 6, "pages": 1, "size": 6, "page": 1}
    assert empty["paging"] == {"total": 0, "pages": 1, "size": 0, "page": 1}


async def test_pages_shift_when_an_order_leaves_between_them(caller: Opens) -> None:
    world = a_world("many_pages")
    ask = caller(world)
    first = await ask.ids(status="shipped", mdp="true", page=1)
    eleventh = world.shipped_ids()[10]
    world.set_status(first[0], "returned")

    second = await ask.ids(status="shipped", mdp="true", page=2)

    assert eleventh not in first + second


async def test_a_list_follows_a_running_clock(caller: Opens) -> None:
    now = START
    world = a_world("busy_day", clock=lambda: now)
    before = await caller(world).ids(status="shipped")
    now = START.replace(day=30)

    assert await caller(world).ids(status="shipped") != before
