"""A file of orders is read whole, or the reading names what could not be read."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.domain.orders import Item
from notifier.domain.reading import Complete, Departure, Failed, Incomplete, Source
from notifier.domain.settings import FileFormat
from notifier.errors import FileRefused, FileUnavailable
from notifier.i18n.foreign_text import folded
from notifier.i18n.language import Money
from notifier.sources.file import OrderFile
from notifier.sources.file import fetch as fetching
from notifier.sources.file.parsing import MOST_ROWS
from tests.sources.file.shop import (
    HEADER,
    NO_WEB,
    NOW,
    access,
    csv_file,
    gap,
    no_wait,
    orders,
    read,
    row,
    why_not,
    written,
)


async def test_a_row_tells_all_that_a_column_is_named_for(tmp_path: Path) -> None:
    file = csv_file(
        tmp_path,
        row(
            4500001,
            external_id="SI-17",
            tracking="MD1",
            title='"Kettle, 2 l"',
            sku="K-1",
            quantity="2",
            price="19.90",
            cod="39.80",
            shipped="2026-11-10",
        ),
    )

    (order,) = await orders(access(file))

    assert (order.id, order.display_number, order.external_id) == (4500001, "4500001", "SI-17")
    assert order.waits_for_seller()
    assert order.tracking_numbers == ("MD1",)
    assert order.items == (Item("Kettle, 2 l", 2, sku="K-1", price=Money(Decimal("19.90"), "EUR")),)
    assert order.cod == Money(Decimal("39.80"), "EUR")
    assert order.shipped_at == datetime(2026, 11, 9, 23, tzinfo=UTC)


async def test_only_rows_in_the_right_state_wait(tmp_path: Path) -> None:
    file = csv_file(tmp_path, row(1, "on its way"), row(2, " Waits "), row(3, ""))

    assert [order.id for order in await orders(access(file))] == [2]


@pytest.mark.parametrize(
    "written",
    ["PRIPRAVLJEN ZA VRAČILO", "Pripravljen  za\u00a0vrac\u030cilo", "ｐripravljen za vračilo"],
)
async def test_a_state_is_the_same_however_its_letters_and_spaces_are_written(
    tmp_path: Path, written: str
) -> None:
    file = csv_file(tmp_path, row(1, written))
    reads = access(file, ready_values=frozenset({folded("Pripravljen za vrac\u030cilo ")}))

    assert [order.id for order in await orders(reads)] == [1]


async def test_without_a_column_of_the_state_every_row_waits(tmp_path: Path) -> None:
    file = written(tmp_path / "orders.csv", "Order\n1\n2\n")

    assert [order.id for order in await orders(access(file, columns={"id": "Order"}))] == [1, 2]


async def test_a_header_alone_says_that_nothing_waits(tmp_path: Path) -> None:
    reading = await read(access(csv_file(tmp_path)))

    assert reading == Complete(NOW, ())


async def test_rows_of_one_order_are_its_items_and_parcels_and_a_repeated_row_counts_once(
    tmp_path: Path,
) -> None:
    kettle, cup = row(1, title="Kettle", tracking="A"), row(1, title="Cup", tracking="B")

    (order,) = await orders(access(csv_file(tmp_path, kettle, cup, kettle)))

    assert [item.title for item in order.items] == ["Kettle", "Cup"]
    assert order.tracking_numbers == ("A", "B")


async def test_rows_of_one_order_that_do_not_agree_are_told_and_it_is_shown(tmp_path: Path) -> None:
    file = csv_file(tmp_path, row(1, shipped="2026-11-10"), row(1, shipped="2026-11-11"))

    reading = await gap(access(file))

    assert [order.id for order in reading.orders] == [1]
    assert "do not agree, and the first one counts: 1" in reading.why


async def test_an_order_number_may_be_any_text(tmp_path: Path) -> None:
    file = csv_file(tmp_path, row("SI-2026/17"), row("0017"), row(17))

    found = await orders(access(file))

    assert {order.display_number for order in found} == {"SI-2026/17", "0017", "17"}
    assert len({order.id for order in found}) == 3
    assert found == await orders(access(file))


@pytest.mark.parametrize(
    ("delimiter", "decimal", "encoding", "price"),
    [
        (";", ",", "cp1250", "1.234,50"),
        (";", ",", "utf-16", "1\u00a0234,50 €"),
        ("\t", ".", "utf-8", "1,234.50"),
        ("|", ".", "utf-8-sig", "EUR 1234.5"),
    ],
)
async def test_it_is_read_the_way_its_country_writes(
    tmp_path: Path, delimiter: str, decimal: str, encoding: str, price: str
) -> None:
    text = delimiter.join(["Order", "Article", "Price"]) + "\r\n"
    text += delimiter.join(["1", "Čajník", price.replace("€", "EUR")]) + "\r\n"
    file = access(
        written(tmp_path / "orders.csv", text.encode(encoding)),
        columns={"id": "Order", "title": "Article", "price": "Price"},
        delimiter=delimiter,
        decimal=decimal,
        encoding=encoding,
    )

    (order,) = await orders(file)

    assert order.items == (Item("Čajník", 1, price=Money(Decimal("1234.50"), "EUR")),)


async def test_an_amount_that_could_mean_two_things_is_no_amount(tmp_path: Path) -> None:
    (order,) = await orders(access(csv_file(tmp_path, row(1, title="Cup", price='"19,90"'))))

    assert order.items == (Item("Cup", 1),)


@pytest.mark.parametrize(
    ("date_format", "text"),
    [(None, "2026-11-10T00:00:00+01:00"), ("%d.%m.%Y", "10.11.2026"), (None, "2026-11-09T23:00Z")],
)
async def test_a_date_is_of_the_clocks_of_the_account(
    tmp_path: Path, date_format: str | None, text: str
) -> None:
    file = access(csv_file(tmp_path, row(1, shipped=text)), date_format=date_format)

    (order,) = await orders(file)

    assert order.shipped_at == datetime(2026, 11, 9, 23, tzinfo=UTC)


@pytest.mark.parametrize("text", ["9999-12-31", "9999-12-31T23:59:59Z", "0001-01-01", "1970-01-01"])
async def test_a_date_that_stands_for_never_is_none(tmp_path: Path, text: str) -> None:
    (order,) = await orders(access(csv_file(tmp_path, row(1, shipped=text))))

    assert order.shipped_at is None


async def test_the_line_that_excel_writes_before_the_header_is_none(tmp_path: Path) -> None:
    file = written(tmp_path / "orders.csv", "sep=;\nOrder;Status\n1;waits\n")
    named = access(file, delimiter=";", columns={"id": "Order", "ready": "Status"})

    assert [order.id for order in await orders(named)] == [1]


def json_access(file: Path, **more: Any) -> Any:
    columns = {
        "id": "no",
        "ready": "state.name",
        "title": "lines.article.name",
        "quantity": "lines.pieces",
        "tracking": "parcels",
        "price": "lines.price",
    }
    return access(file, format=FileFormat.JSON, columns=columns, **more)


async def test_json_is_read_by_dotted_paths_with_lists_on_the_way(tmp_path: Path) -> None:
    one = {
        "no": "A-1",
        "state": {"name": "Waits"},
        "parcels": ["P1", "P2"],
        "lines": [
            {"article": {"name": "Kettle"}, "pieces": 2, "price": 19.9},
            {"article": {"name": "Cup"}},
        ],
    }
    file = written(tmp_path / "orders.json", json.dumps({"data": {"orders": [one]}}))

    (order,) = await orders(json_access(file, records="data.orders"))

    assert order.display_number == "A-1"
    assert order.tracking_numbers == ("P1", "P2")
    assert order.items == (
        Item("Kettle", 2, price=Money(Decimal("19.9"), "EUR")),
        Item("Cup", 1),
    )


async def test_an_empty_list_of_json_says_that_nothing_waits(tmp_path: Path) -> None:
    assert await orders(json_access(written(tmp_path / "orders.json", "[]"))) == ()
    inside = written(tmp_path / "orders.json", '{"orders": []}')
    assert await orders(json_access(inside, records="orders")) == ()


async def test_a_row_that_does_not_tell_whether_it_waits_is_not_taken_for_no(
    tmp_path: Path,
) -> None:
    rows = [{"no": 1, "state": {"name": "waits"}}, {"no": 2}, 3]

    reading = await gap(json_access(written(tmp_path / "orders.json", json.dumps(rows))))

    assert [order.id for order in reading.orders] == [1]
    assert reading.unread == (2,)
    assert "2 of 3 rows of" in reading.why
    assert "record 2, order 2 (it does not say whether it waits), record 3" in reading.why
    assert reading.why.endswith("record 3 (it is not an object)")


async def test_a_row_that_cannot_be_read_is_named_and_keeps_no_other_from_being_read(
    tmp_path: Path,
) -> None:
    file = csv_file(tmp_path, row(1), row(""), "2,waits,too,short", row(3) + ",too,long", row(4))

    reading = await gap(access(file), known=[1, 2, 5])

    assert [order.id for order in reading.orders] == [1, 4]
    assert reading.unread == (2, 3, 5)  # the row without a number may be that of order 5
    assert reading.departed == {}
    assert reading.candidates == 5
    assert "line 3 (it has no order number)" in reading.why
    assert "line 4, order 2 (it has 4 cells, the header 10)" in reading.why


async def test_an_unread_order_keeps_the_number_people_know_it_by(tmp_path: Path) -> None:
    reading = await gap(access(csv_file(tmp_path, row("SI-17"), "SI-18,waits", "19,waits")))

    assert sorted(reading.numbers.values()) == ["SI-18"]
    assert [reading.numbers.get(id_, str(id_)) for id_ in reading.unread] == ["19", "SI-18"]


async def test_a_quote_that_is_never_closed_is_told_of_where_it_begins(tmp_path: Path) -> None:
    reading = await gap(access(csv_file(tmp_path, row(1), '2,"waits', row(3), row(4))), [2, 3])

    assert [order.id for order in reading.orders] == [1]
    assert "line 3 (its quotes are not closed correctly)" in reading.why
    assert reading.departed == {}


async def test_what_has_left_a_complete_file_was_collected(tmp_path: Path) -> None:
    file = csv_file(tmp_path, row(1), row(2, "collected"), row(3, "lost"))

    reading = await read(access(file), known=[1, 2, 3, 4])

    assert isinstance(reading, Complete)
    assert reading.departed == {
        2: Departure.RETURNED,
        3: Departure.WITHDRAWN,
        4: Departure.RETURNED,
    }


async def test_an_order_whose_row_cannot_be_read_has_not_left(tmp_path: Path) -> None:
    reading = await gap(access(csv_file(tmp_path, "1,waits,short", row(2))), known=[1, 3])

    assert reading.departed == {3: Departure.RETURNED}


FAILURES = [
    pytest.param(b"", {}, "is empty, without even a header", id="nothing"),
    pytest.param(b"\n \n", {}, "is empty, without even a header", id="blank"),
    pytest.param(b"<!DOCTYPE html><p>Log in", {}, "is a web page or XML", id="html"),
    pytest.param(b"\n<html>", {}, "is a web page or XML", id="html later"),
    pytest.param(
        "Order,Status\nČ,ž\n".encode("cp1250"),
        {},
        'is not written in "utf-8-sig" (line 2); set encoding, perhaps to "cp1250"',
        id="encoding",
    ),
    pytest.param("Order,Status\n".encode("utf-16"), {}, 'write encoding = "utf-16"', id="utf-16"),
    pytest.param(
        "Order,Č\n".encode("utf-16"),
        {"encoding": "cp1250"},
        'is not written in "cp1250" (line 1); write encoding = "utf-16"',
        id="utf-16 for cp1250",
    ),
    pytest.param(
        "Order,Č\n".encode("utf-16-le"),
        {"encoding": "cp1250"},
        'write encoding = "utf-16-le"',
        id="utf-16 without a mark",
    ),
    pytest.param(
        "Order,Č\n".encode(), {"encoding": "cp1250"}, 'is UTF-8, not "cp1250"', id="utf-8"
    ),
    pytest.param(
        HEADER.replace(",", ";").encode(), {}, 'seems to be separated by ";"; write', id="separator"
    ),
    pytest.param(
        HEADER.replace("Parcel", "Parcels").encode(),
        {},
        'has no column "Parcel" (did you mean "Parcels"?), only "Order", ',
        id="column",
    ),
    pytest.param(
        HEADER.replace("Parcel", "PARCELS").replace("Price", "Price/pc").encode(),
        {},
        'has no column "Parcel" (did you mean "PARCELS"?), "Price" (did you mean "Price/pc"?), ',
        id="two columns",
    ),
    pytest.param(b"Order,Order,Status\n", {}, "has no column", id="columns"),
    pytest.param(
        (HEADER + ",Order\n").encode(), {}, 'has several columns called "Order"', id="twice"
    ),
    pytest.param(
        b"[9E999999999999999999999999]",
        {"format": FileFormat.JSON},
        "no row of orders.csv can be read",
        id="a number that is none",
    ),
    pytest.param(b"sep=,\n\n", {}, "has no readable header row", id="only Excel's line"),
    pytest.param(
        f"{HEADER}\n{row('')}\n".encode(),
        {},
        "no row of orders.csv can be read: line 2 (it has no order number)",
        id="rows",
    ),
]


@pytest.mark.parametrize(("content", "more", "why"), FAILURES)
async def test_what_is_no_list_is_never_an_empty_one(
    tmp_path: Path, content: bytes, more: dict[str, Any], why: str
) -> None:
    told = await why_not(access(written(tmp_path / "orders.csv", content), **more))

    assert told.startswith(("orders.csv ", "no row of orders.csv"))
    assert why in told


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('[{"no": 1}, {"n', "is not complete JSON (error in line 1)"),
        ("{}", "has no list of orders at its top level; set records to its path"),
        ('{"orders": []}', 'has no list of orders at its top level; write records = "orders"'),
        (
            '{"meta": {"page": 1}, "data": {"orders": []}}',
            'has no list of orders at its top level; write records = "data.orders"',
        ),
        ("null", "has no list of orders at its top level"),
        ("[" * 100_000, "is not complete JSON"),
        ("[" + "9" * 5000 + "]", "is not complete JSON"),
    ],
    ids=["truncated", "object", "wrapped", "deeper", "null", "deep", "digits"],
)
async def test_json_that_is_no_list_is_never_an_empty_one(
    tmp_path: Path, content: str, why: str
) -> None:
    assert why in await why_not(json_access(written(tmp_path / "orders.json", content)))


async def test_a_list_that_is_not_where_it_should_be_is_named(tmp_path: Path) -> None:
    file = json_access(written(tmp_path / "orders.json", '{"data": {}}'), records="data.orders")

    assert 'has no list of orders at "data.orders"' in await why_not(file)


async def test_a_file_that_is_not_there_may_come(tmp_path: Path) -> None:
    reading = await read(access(tmp_path / "orders.csv"))

    assert isinstance(reading, Failed)
    assert isinstance(reading.error, FileUnavailable)
    assert "does not exist; check the export" in reading.why


async def test_a_folder_or_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert "is a folder" in await why_not(access(tmp_path))
    assert "is a device or pipe" in await why_not(access(tmp_path / "pipe"))


async def test_an_export_that_stopped_does_not_look_like_parcels_nobody_moves(
    tmp_path: Path,
) -> None:
    file = access(csv_file(tmp_path, row(1)))

    assert await orders(file)
    assert await why_not(file, now=NOW + timedelta(hours=36)) == (
        "orders.csv was written 37 hours ago, and max_age_hours allows 36; check why the export "
        "does not run"
    )
    assert "was written 8 days ago" in await why_not(file, now=NOW + timedelta(days=8))


async def test_a_file_that_is_being_written_is_read_later(tmp_path: Path) -> None:
    now = NOW - timedelta(hours=1)
    file = csv_file(tmp_path, row(1))

    async def meanwhile(_seconds: float) -> None:
        csv_file(tmp_path, row(1), row(2))

    grows = OrderFile(access(file), NO_WEB, clock=lambda: now, sleep=meanwhile)
    rests = OrderFile(access(file), NO_WEB, clock=lambda: now, sleep=no_wait)
    reading = await grows.read(())

    assert isinstance(reading, Failed)
    assert "is being written now" in reading.why
    assert isinstance(await rests.read(()), Complete)


@pytest.mark.slow
async def test_no_file_is_read_beyond_a_limit(tmp_path: Path) -> None:
    many = written(tmp_path / "orders.csv", "Order\n" + "1\n" * (MOST_ROWS + 1))
    large = written(tmp_path / "large.csv", bytes(fetching.MOST_BYTES + 1))

    assert "has more than 100000 rows" in await why_not(access(many, columns={"id": "Order"}))
    assert "is larger than 32 MiB" in await why_not(access(large))


async def test_a_path_has_no_clock_but_a_fresh_file_confirms_ours(tmp_path: Path) -> None:
    file = access(csv_file(tmp_path, row(1)))

    def source(now: datetime) -> Source:
        return OrderFile(file, NO_WEB, clock=lambda: now, sleep=no_wait)

    ours = source(NOW)
    await ours.read(())
    assert ours.server_time is None
    assert await ours.ask_time() == NOW
    assert await source(NOW + timedelta(days=3)).ask_time() is None
    assert await source(NOW - timedelta(days=3)).ask_time() is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["no", "state", "lines", "parcels", "name"]), JSON) | JSON,
    max_size=4,
)
many = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@many
@given(ROWS)
async def test_no_json_keeps_the_order_beside_it_from_being_read(
    tmp_path: Path, rows: list[Any]
) -> None:
    sound = {"no": "sound", "state": {"name": "waits"}}
    file = written(tmp_path / "orders.json", json.dumps([*rows, sound]))

    reading = await read(json_access(file))

    assert isinstance(reading, Complete | Incomplete)
    assert "sound" in {order.display_number for order in reading.orders}


@many
@given(st.binary(max_size=200))
async def test_no_bytes_are_more_than_a_file_that_cannot_be_read(
    tmp_path: Path, content: bytes
) -> None:
    file = written(tmp_path / "orders.csv", content)

    reading = await read(access(file))

    assert isinstance(reading, Failed)
    assert isinstance(reading.error, FileRefused)


@many
@given(st.text(max_size=60))
async def test_whatever_stands_in_a_cell_an_order_stays_one(tmp_path: Path, text: str) -> None:
    cell = '"' + text.replace('"', '""').replace("\x00", "") + '"'
    content = f"{HEADER}\n{row(1, title=cell, price=cell, shipped=cell, tracking=cell)}\n"
    file = written(tmp_path / "orders.csv", content.encode("utf-8", "replace"))

    reading = await read(access(file))

    assert isinstance(reading, Complete)
    assert [order.id for order in reading.orders] == [1]
