"""Single values of the marketplace's JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.sources.mall.fields import LONGEST_TEXT, amount, flag, moment, number, text

PRAGUE = ZoneInfo("Europe/Prague")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("value", [True, 1, "1", "true", "TRUE"])
def test_yes_comes_in_many_forms(value: object) -> None:
    assert flag(value) is True


@pytest.mark.parametrize("value", [False, 0, "0", "false"])
def test_no_comes_in_many_forms(value: object) -> None:
    assert flag(value) is False


@pytest.mark.parametrize("value", [None, "", "maybe", 2, -1, 1.0, [], {}, [True], "١"])
def test_what_is_neither_yes_nor_no_is_unknown(value: object) -> None:
    assert flag(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (23120701, 23120701),
        ("23120701", 23120701),
        (0, 0),
        (999_999_999_901, 999_999_999_901),
        (True, None),
        (-1, None),
        (1.0, None),
        ("٣", None),
        ("12\n", None),
        ("1e3", None),
        (10**15, None),
        ("9" * 5000, None),
        (None, None),
        ([1], None),
    ],
)
def test_numbers_are_whole_or_none(value: object, expected: int | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  Čajnik  ", "Čajnik"),
        ("two\r\nlines\x00", "two lines"),
        ("three\u2028more\u2029lines", "three more lines"),
        ("a lone \ud800 half", "a lone   half"),
        ("", None),
        ("\x07", None),
        (100094165277, "100094165277"),
        (True, None),
        (1.5, None),
        (None, None),
        ({"a": 1}, None),
        ("x" * 10_000_000, "x" * LONGEST_TEXT),
    ],
)
def test_text_is_one_line_that_can_be_stored(value: object, expected: str | None) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("19.99", "19.99"),
        ("34.990000000000002", "34.99"),
        ("0.30000000000000004", "0.30"),
        ("45", "45"),
        ("10000009", "10000009"),
        ("0", "0"),
        ("-5.5", "-5.5"),
        ("1234.5678", "1234.5678"),
        ('"12.50"', "12.50"),
        ('"12,50"', None),
        ('"٣"', None),
        ("true", None),
        ("null", None),
        ("1e400", None),
        ("1e300", None),
        ("[]", None),
    ],
)
def test_money_is_exact(written: str, expected: str | None) -> None:
    money = amount(json.loads(written))

    assert money == (None if expected is None else Decimal(expected))
    assert expected is None or len(str(money)) <= len(written)


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
def test_moments_are_told_on_the_marketplaces_clock(written: str, instant: datetime) -> None:
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
def test_what_is_no_moment_is_none(value: object) -> None:
    assert moment(value, PRAGUE) is None


@given(JSON)
def test_no_value_is_too_strange(value: object) -> None:
    for reader in (flag, number, text, amount):
        reader(value)
    moment(value, PRAGUE)
