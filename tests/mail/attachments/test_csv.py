"""The CSV file: all waiting orders, without formulas."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.columns import COLUMNS
from notifier.domain.digest import Digest, compose
from notifier.domain.orders import Item
from notifier.domain.reading import Complete, Departure
from notifier.domain.settings import CsvHeadings
from notifier.i18n.language import Money
from notifier.mail.attachments.csv import orders_csv, safe_cell
from tests.days import huge
from tests.factories import DAY, NOON, account, digest, mail_options, order, snapshot


def rows(shown: Digest, language: str = "en") -> list[dict[str, str]]:
    """Return the rows of the file by the names of the columns."""
    text = orders_csv(shown, mail_options(language=language)).content.decode("utf-8-sig")
    delimiter = ";" if language == "sl" else ","
    return list(csv.DictReader(io.StringIO(text), list(COLUMNS), delimiter=delimiter))[1:]


def test_a_row_has_every_column_in_a_form_spreadsheets_read() -> None:
    full = order(
        4500001,
        items=(Item("Lamp", 2, sku="L-9", price=Money(Decimal("45.50"), "EUR")),),
        cod=Money(Decimal("91.00"), "EUR"),
        first_delivery_attempt=datetime(2026, 11, 12, 23, 30, tzinfo=UTC),
    )

    (row,) = rows(digest(full, previous=snapshot(full, o4500001=date(2026, 11, 15))))

    assert row == {
        "order": "4500001",
        "external_id": "EXT-4500001",
        "tracking": "MD4500001",
        "tracking_url": "https://tracking.example/4500001",
        "items": "2 × Lamp",
        "sku": "L-9",
        "pieces": "2",
        "value": "91.00",
        "cod": "91.00",
        "currency": "EUR",
        "shipped": "2026-11-10 10:00",
        "first_attempt": "2026-11-13 00:30",
        "first_seen": "2026-11-15",
        "days": "7",
        "overdue": "yes",
    }


def test_it_begins_with_a_mark_and_translated_headings() -> None:
    english, slovenian = (
        orders_csv(digest(order()), mail_options(language=code)).content for code in ("en", "sl")
    )

    assert english.startswith(b"\xef\xbb\xbfOrder,Your order number,Tracking number")
    assert slovenian.startswith("\ufeffNaročilo;Vaša številka naročila;".encode())


def test_the_delimiter_is_a_semicolon_in_languages_with_a_decimal_comma() -> None:
    (row,) = rows(digest(order()), "sl")

    assert row["value"] == "19,90"
    assert row["overdue"] == "ne"


def test_it_contains_every_waiting_order_and_no_other() -> None:
    before = snapshot(order(1), order(2))
    shown = compose(
        account(), Complete(NOON, (order(2), order(3)), {1: Departure.RETURNED}), before, DAY
    )

    assert [row["order"] for row in rows(shown)] == ["2", "3"]
    assert len(rows(huge(2_000))) == 2_000


def test_it_is_named_for_its_day_in_plain_characters() -> None:
    file = orders_csv(digest(order()), mail_options(language="sl"))

    assert (file.filename, file.content_type) == ("orders-2026-11-22.csv", "text/csv")


def test_beyond_a_megabyte_it_is_compressed_always_to_the_same_bytes() -> None:
    shown = digest(*(order(n, items=(Item("x" * 200, 1),)) for n in range(1, 4_000)))

    file = orders_csv(shown, mail_options())

    assert (file.filename, file.content_type) == ("orders-2026-11-22.csv.gz", "application/gzip")
    assert gzip.decompress(file.content).count(b"\r\n") == 4_000
    assert orders_csv(shown, mail_options()) == file


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("https://evil.example")', '\'=HYPERLINK("https://evil.example")'),
        ("+447700900123", "'+447700900123"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1+1", "'＝1+1"),
        ("\t=1+1", "'=1+1"),
        ("\r=1+1", "'=1+1"),
        ("\u200b=1+1", "'=1+1"),
        (" =1+1", "'=1+1"),
        ("two\r\nlines", "two lines"),
        ("1-2", "1-2"),
        ("https://tracking.example/1", "https://tracking.example/1"),
    ],
)
def test_no_text_is_taken_for_a_formula(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


@given(st.text())
def test_no_text_begins_a_formula_or_a_row(text: str) -> None:
    shown = digest(order(1, external_id=text, items=(Item(text, 1, sku=text),)))

    (row,) = rows(shown)

    assert set(row) == set(COLUMNS)
    assert not row["external_id"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_an_amount_below_zero_stays_a_number() -> None:
    refund = order(1, items=(Item("Refund", 1, price=Money(Decimal("-5.00"), "EUR")),))

    assert rows(digest(refund))[0]["value"] == "-5.00"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://ok.example\\@evil.example/"])
def test_a_link_that_the_mail_would_not_show_is_not_in_the_file_either(url: str) -> None:
    content = orders_csv(digest(order(1, tracking_url=url)), mail_options()).content

    assert url not in content.decode("utf-8-sig")


def test_headings_can_be_the_names_of_the_columns() -> None:
    options = replace(mail_options(language="sl"), csv_headings=CsvHeadings.NAMES)

    content = orders_csv(digest(order()), options).content.decode("utf-8-sig")

    assert content.splitlines()[0].split(";") == list(COLUMNS)
