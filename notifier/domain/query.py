"""Filters and sorting of the order list (`notifier orders`), by column."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from notifier.domain.columns import COLUMNS, Column, ColumnKind, Value
from notifier.domain.digest import Entry
from notifier.domain.schedule import parse_day

# Two-character signs come first, since the first alternative that matches is taken.
_CONDITION = re.compile(r"\s*(?P<column>[a-z_]+)\s*(?P<sign>>=|<=|!=|=|>|<|~)\s*(?P<value>.*?)\s*")

# Values of one column are of one type, so they compare with each other.
Comparable = Any

_COMPARE: dict[str, Callable[[Comparable, Comparable], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Condition:
    """One `column sign value`, such as `days>=3` or `items~monitor`."""

    column: Column
    sign: str
    text: str

    def matches(self, entry: Entry) -> bool:
        """Return whether an entry matches; a missing value matches `column=` and `column!=text`."""
        value = self.column.value(entry)
        if self.sign == "~":
            return self.text.casefold() in str(value or "").casefold()
        # Nothing is neither smaller nor larger than a value, so only = and != apply to it.
        if value is None or not self.text:
            return (value is None and not self.text) is (self.sign == "=")
        if self.column.kind is ColumnKind.REFERENCE:
            return _COMPARE[self.sign](_reference(value), _reference(self.operand()))
        return _COMPARE[self.sign](_comparable(value), self.operand())

    def operand(self) -> Comparable:
        """Return the text as a value of the column's type; raises ValueError if it is none."""
        text = self.text
        match self.column.kind:
            case ColumnKind.YES_NO if self.sign not in ("=", "!="):
                raise ValueError(f"{self.column.name} is yes or no; write {self.column.name}=true")
            case ColumnKind.YES_NO:
                return _truth(text)
            case ColumnKind.NUMBER:
                return _number(text)
            case ColumnKind.REFERENCE if text.isascii() and text.isdigit():
                return int(text)
            case ColumnKind.DATE | ColumnKind.INSTANT:
                return _date(text)
        return text.casefold()


def _truth(text: str) -> bool:
    try:
        return _TRUTHS[text.casefold()]
    except KeyError:
        raise ValueError(f'"{text}" is neither true nor false') from None


def find_column(name: str) -> Column:
    """Return the column of this name; the ValueError for others suggests the nearest name."""
    if name in COLUMNS:
        return COLUMNS[name]
    near = get_close_matches(name, COLUMNS, n=1)
    hint = f', did you mean "{near[0]}"' if near else ""
    raise ValueError(f'no column "{name}"{hint}; choose from: {", ".join(COLUMNS)}')


def parse_columns(text: str) -> tuple[Column, ...]:
    """Read a list of columns, such as `order,tracking,days`."""
    names = [name.strip() for name in text.split(",")]
    if not any(names):
        raise ValueError(f"no column is named; choose from: {', '.join(COLUMNS)}")
    return tuple(find_column(name) for name in names if name)


def parse_condition(text: str) -> Condition:
    """Read one condition; the ValueError of others says what to write."""
    match = _CONDITION.fullmatch(text)
    if not match:
        example = "write days>=3, items~monitor or overdue=true"
        raise ValueError(f'"{text}" is not a condition; {example}')
    condition = Condition(find_column(match["column"]), match["sign"], match["value"])
    if not condition.text and condition.sign not in ("=", "!="):
        raise ValueError(f'"{text}" has no value; add one after {condition.sign}')
    if condition.sign != "~" and condition.text:
        condition.operand()  # raises ValueError now, and not for each entry
    return condition


def filter_and_sort(
    entries: Iterable[Entry], conditions: Sequence[Condition], sort: str | None, zone: ZoneInfo
) -> tuple[Entry, ...]:
    """Return the entries that match every condition, with their times in `zone`.

    `sort` is a column, with `-` for descending order. Entries without a value come last either way.
    """
    local = (replace(entry, order=entry.order.in_zone(zone)) for entry in entries)
    matching = [entry for entry in local if all(c.matches(entry) for c in conditions)]
    if sort is None:
        return tuple(matching)
    column = find_column(sort.removeprefix("-"))
    present = [entry for entry in matching if column.value(entry) is not None]
    absent = [entry for entry in matching if column.value(entry) is None]
    key = _reference if column.kind is ColumnKind.REFERENCE else _sort_key
    present.sort(key=lambda e: key(column.value(e)), reverse=sort.startswith("-"))
    return (*present, *absent)


def _sort_key(value: Value) -> Comparable:
    assert value is not None  # noqa: S101 - the caller sorts entries without a value separately
    # Two orders of one day are sorted by their time, unlike in a condition.
    return value if isinstance(value, datetime) else _comparable(value)


def _reference(value: Value) -> tuple[int, str]:
    """Sort integers by their size, and texts after them."""
    # One column may hold both kinds, and Python cannot compare an int with a str.
    return (value, "") if isinstance(value, int) else (10**18, str(value).casefold())


def _comparable(value: Value) -> Comparable:
    match value:
        case str():
            return value.casefold()
        # A condition names a day, and `shipped=2026-11-22` means all of it.
        case datetime():
            return value.date()
    return value


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    # `Decimal` also reads "NaN", which is larger and smaller than nothing, and "Infinity".
    if not number.is_finite():
        raise ValueError(f'"{text}" is not a number')
    return number


def _date(text: str) -> date:
    try:
        return parse_day(text)
    except ValueError:
        raise ValueError(f'"{text}" is not a date; write YYYY-MM-DD') from None
