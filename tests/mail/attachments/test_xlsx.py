"""The workbook: all waiting orders, sortable, without formulas."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from notifier.domain.columns import COLUMNS
from notifier.domain.digest import Digest
from notifier.domain.orders import Item
from notifier.i18n.language import Money, load_language
from notifier.mail.attachments.xlsx import money_format, orders_xlsx
from tests.days import huge, normal
from tests.factories import digest, mail_options, order, snapshot

HOSTILE = ("=cmd|'/c calc'!A1", "+1", "-2+3", "@SUM(A1)", "https://evil.example/", "{=1+1}")


def sheet(shown: Digest, language: str = "en") -> Any:
    file = orders_xlsx(shown, mail_options(language=language))
    return load_workbook(BytesIO(file.content)).active


def cells(shown: Digest, language: str = "en") -> dict[str, Any]:
    """Return the cells of the first order by the names of their columns."""
    return dict(zip(COLUMNS, sheet(shown, language)[2], strict=True))


def comparable(value: Any) -> Any:
    """Return a day or time of a cell as text, any other value unchanged."""
    return value.isoformat() if isinstance(value, date) else value


def xml(shown: Digest) -> str:
    """Return all parts of the file as one text."""
    with zipfile.ZipFile(BytesIO(orders_xlsx(shown, mail_options()).content)) as parts:
        return "".join(parts.read(name).decode() for name in parts.namelist())


def test_a_row_has_real_dates_numbers_and_words() -> None:
    full = order(
        4500001,
        items=(Item("Lamp", 2, sku="L-9", price=Money(Decimal("45.50"), "EUR")),),
        cod=Money(Decimal("91.00"), "EUR"),
        first_delivery_attempt=datetime(2026, 11, 12, 23, 30, tzinfo=UTC),
    )

    row = cells(digest(full, previous=snapshot(full, o4500001=date(2026, 11, 15))))

    assert {name: comparable(cell.value) for name, cell in row.items()} == {
        "order": 4500001,
        "external_id": "EXT-4500001",
        "tracking": "MD4500001",
        "tracking_url": "https://tracking.example/4500001",
        "items": "2 × Lamp",
        "sku": "L-9",
        "pieces": 2,
        "value": 91,
        "cod": 91,
        "currency": "EUR",
        "shipped": "2026-11-10T10:00:00",
        "first_attempt": "2026-11-13T00:30:00",
        "first_seen": "2026-11-15T00:00:00",
        "days": 7,
        "overdue": "yes",
    }
    assert [row[name].data_type for name in ("order", "tracking_url", "value", "shipped")] == [
        "n",
        "s",
        "n",
        "d",
    ]


def test_money_is_shown_as_people_write_it() -> None:
    dear = Money(Decimal(1249900), "HUF")
    row = cells(digest(order(1, items=(Item("Fridge", 1, price=dear),), cod=dear)))

    assert (row["value"].number_format, row["value"].value) == ("[$HUF]#,##0.00", 1249900)
    assert money_format("EUR", load_language("sl")) == "#,##0.00\u00a0[$€]"
    assert money_format("JPY", load_language("sl")) == "#,##0\u00a0[$¥]"
    assert money_format("[x]", load_language("sl")) == "#,##0.00"


def test_headings_are_translated_stay_in_sight_and_filter() -> None:
    shown = normal()
    page = sheet(shown, "sl")

    assert [cell.value for cell in page[1]][:2] == ["Naročilo", "Vaša številka naročila"]
    assert page.title == load_language("sl").gettext("To collect")
    assert page.freeze_panes == "B2"
    assert page.auto_filter.ref == f"A1:O{len(shown.present) + 1}"
    assert page.print_title_rows == "$1:$1"


def test_it_contains_every_waiting_order_in_the_order_of_the_mail() -> None:
    shown = huge(1_000)

    numbers = [row[0].value for row in sheet(shown).iter_rows(min_row=2)]

    assert numbers == [entry.order.id for entry in shown.present]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_a_formula_or_a_link_also_when_it_is_edited(text: str) -> None:
    shown = digest(order(1, external_id=text, items=(Item(text, 1, sku=text),)))

    row = cells(shown)

    assert (row["external_id"].value, row["external_id"].data_type) == (text, "s")
    assert row["external_id"].style.startswith("Normal")
    # Without it, a spreadsheet reads the text as a formula once its cell is edited.
    assert row["external_id"].quotePrefix
    assert not re.search(r"<f[ >]|<hyperlink|TargetMode", xml(shown))


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=50))
def test_any_text_makes_a_file_that_can_be_read(text: str) -> None:
    shown = digest(order(1, external_id=text, items=(Item(text, 1, sku=text),)))

    assert not re.search(r"<f[ >]|<hyperlink", xml(shown))
    assert cells(shown)["order"].value == 1


@pytest.mark.parametrize(
    "text", ["x" * 40_000, "😀" * 40_000, "\x00\x08\x1b_x000D_\ufffe" + "č" * 9]
)
def test_no_cell_is_longer_than_a_spreadsheet_takes(text: str) -> None:
    value = cells(digest(order(1, items=(Item(text, 1),))))["items"].value

    assert 0 < len(value.encode("utf-16-le")) // 2 <= 32_767


@pytest.mark.parametrize("amount", ["12345678901234567890.12", "1E+400", "0.12345678901234567"])
def test_a_number_that_a_spreadsheet_would_round_is_text(amount: str) -> None:
    price = Money(Decimal(amount), "EUR")

    cell = cells(digest(order(1, items=(Item("Gold", 1, price=price),))))["value"]

    assert (Decimal(cell.value), cell.data_type) == (price.amount, "s")


def test_the_same_digest_makes_the_same_bytes() -> None:
    file = orders_xlsx(normal(), mail_options(language="sl"))

    assert file == orders_xlsx(normal(), mail_options(language="sl"))
    assert file.filename == "orders-2026-11-22.xlsx"
    made = load_workbook(BytesIO(file.content)).properties.created
    assert comparable(made) == "2026-11-22T00:00:00"
