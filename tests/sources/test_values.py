"""Single values from foreign data."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.sources.values import (
    LONGEST_TEXT,
    amount,
    currency_code,
    flag,
    number,
    text,
    web_address,
)

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


@given(JSON)
def test_no_value_is_too_strange(value: object) -> None:
    for reader in (flag, number, text, amount, currency_code, web_address):
        reader(value)
