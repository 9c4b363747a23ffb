"""The line of every key and list element, however it is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from notifier.config.toml import Where, lines_of


def test_every_way_to_write_a_value_has_its_line() -> None:
    text = '''# a comment with [brackets] and "quotes
admin = "x"  # y = [
"a b".c = 1
[smtp]
host = """
[not.a.table]
x = "1"
"""
ports = [ 1, # one ]
  [2, 3], { a = 1, "b" = {c.d=2} },

  1979-05-27T07:32:00.5Z,
]
[accounts.lj . 'pl"ace']
name = 'a\\'
quotes = """a""""
more = \'\'\'b\'\'\'\'
e = {}
'''
    assert lines_of(text) == {
        ("admin",): 2,
        ("a b",): 3,
        ("a b", "c"): 3,
        ("smtp",): 4,
        ("smtp", "host"): 5,
        ("smtp", "ports"): 9,
        ("smtp", "ports", 0): 9,
        ("smtp", "ports", 1): 10,
        ("smtp", "ports", 1, 0): 10,
        ("smtp", "ports", 1, 1): 10,
        ("smtp", "ports", 2): 10,
        ("smtp", "ports", 2, "a"): 10,
        ("smtp", "ports", 2, "b"): 10,
        ("smtp", "ports", 2, "b", "c"): 10,
        ("smtp", "ports", 2, "b", "c", "d"): 10,
        ("smtp", "ports", 3): 12,
        ("accounts",): 14,
        ("accounts", "lj"): 14,
        ("accounts", "lj", 'pl"ace'): 14,
        ("accounts", "lj", 'pl"ace', "name"): 15,
        ("accounts", "lj", 'pl"ace', "quotes"): 16,
        ("accounts", "lj", 'pl"ace', "more"): 17,
        ("accounts", "lj", 'pl"ace', "e"): 18,
    }


def test_a_table_stands_where_its_header_is_though_another_implied_it_before() -> None:
    assert lines_of("[a.b]\n\n[a]\nc = 1\n") == {("a", "b"): 1, ("a",): 3, ("a", "c"): 4}


def test_of_an_array_of_tables_the_last_one_counts() -> None:
    assert lines_of("[[a]]\nb = 1\n[[a]]\nb = 2\n") == {("a",): 3, ("a", "b"): 4}


BREAKS = st.sampled_from(["", " ", "\n", " # [ \"'\n", "\r\n", "\n\n  "])
SCALARS = st.sampled_from(
    [
        *("1", "-2.5e3", "true", "07:32:00", "1979-05-27 07:32:00", '"a # b"', "'c ] d'"),
        *('""', '"""\ne\n"f" = 1 """', "'''\n[g]\n'''", '"\\" = ["', '"""\\""""'),
    ]
)
KEYS = st.sampled_from(["a", "b-1", "c_2", '"d e"', "'f.g'", '"h\\"i"', "j.k", "l . m", "3"])


@st.composite
def lists(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    elements = draw(st.lists(inner, max_size=4))
    text = "".join(f"{draw(BREAKS)}{element}{draw(BREAKS)}," for element in elements)
    return f"[{text}{draw(BREAKS)}]"


@st.composite
def inline_tables(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    pairs = [f"x{n}.y = {draw(inner)}" for n in range(draw(st.integers(0, 3)))]
    return f"{{ {', '.join(pairs)} }}"


VALUES = st.recursive(SCALARS, lambda inner: lists(inner) | inline_tables(inner), max_leaves=8)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Valid TOML of every shape: tables, dotted keys, lists over lines, texts over lines."""
    lines = []
    for table in range(draw(st.integers(0, 3))):
        lines.append(f"[t{table}.{draw(KEYS)}]" if table else "# first")
        for number, value in enumerate(draw(st.lists(VALUES, max_size=4))):
            lines.append(f"{draw(KEYS)}.z{table}{number} = {value}  # {number}")
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


@given(documents())
def test_whatever_toml_reads_has_a_line_and_that_line_names_it(text: str) -> None:
    lines = lines_of(text)
    places = set(_places(tomllib.loads(text), ()))

    assert set(lines) == places
    for where, number in lines.items():
        line = text.split("\n")[number - 1]
        if isinstance(where[-1], str):
            assert where[-1].replace('"', '\\"') in line


def _places(value: Any, where: Where) -> Iterator[Where]:
    if where:
        yield where
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*where, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, (*where, index))
