"""Senseless values are reported, and keep no order from being read."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from notifier.domain.reading import Complete
from notifier.sources.file import OrderFile
from notifier.sources.file.summary import MOST_STATES
from tests.sources.file.shop import NO_WEB, NOW, access, csv_file, no_wait, row


async def read(file: Path, **more: object) -> OrderFile:
    source = OrderFile(
        replace(access(file), **more),  # type: ignore[arg-type]  # by name
        NO_WEB,
        clock=lambda: NOW,
        sleep=no_wait,
    )
    assert isinstance(await source.read(()), Complete)
    return source


async def test_a_file_as_it_was_meant_raises_none(tmp_path: Path) -> None:
    sound = row(1, quantity="2", price="19.90", cod="0.00", shipped="2026-11-10")

    source = await read(csv_file(tmp_path, sound, row(2)))

    assert list(source.diagnostics.warnings()) == []


async def test_senseless_values_are_reported_with_an_example_and_the_option(
    tmp_path: Path,
) -> None:
    rows = (
        row(1, shipped="10.11.2026", price='"19,90"', quantity="some"),
        row(2, shipped="2026-11-10"),
    )

    source = await read(csv_file(tmp_path, *rows))

    assert list(source.diagnostics.warnings()) == [
        (
            '1 of 1 values of "Pieces" are not quantities, such as "some", and are left out; '
            "compare columns.quantity"
        ),
        (
            '1 of 1 values of "Price" are not amounts, such as "19,90", and are left out; compare '
            "decimal and columns.price"
        ),
        (
            '1 of 2 values of "Shipped" are not dates, such as "10.11.2026", and are left out; '
            "compare date_format and columns.shipped"
        ),
    ]


async def test_a_column_without_any_sense_is_logged_without_a_word_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await read(csv_file(tmp_path, row(1, shipped="Jana Novak", price="-"), row(2, price="1.50")))

    (warning,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert 'orders.csv: 1 of 1 values of "Shipped" are not dates, and are left out' in (
        warning.getMessage()
    )


async def test_state_counts_show_a_state_in_another_spelling(tmp_path: Path) -> None:
    rows = (row(1, "Waiting"), row(2, "Waiting"), row(3, "Waits"), row(4, "collected"), row(5, ""))

    source = await read(csv_file(tmp_path, *rows))

    assert source.diagnostics.state_counts() == (
        '"Status" says "Waiting" 2×, "Waits" 1× (waits), "collected" 1× (collected), "" 1×'
    )


async def test_a_column_that_is_none_of_states_is_not_printed_whole(tmp_path: Path) -> None:
    rows = [row(n, f"state {n}") for n in range(MOST_STATES + 3)]

    source = await read(csv_file(tmp_path, *rows))

    told = source.diagnostics.state_counts()
    assert told is not None
    assert told.endswith("and 3 others")


async def test_without_a_column_of_states_none_are_reported(tmp_path: Path) -> None:
    assert (
        await read(csv_file(tmp_path, row(1)), columns={"id": "Order"})
    ).diagnostics.state_counts() is None
