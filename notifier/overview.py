"""Filter and sort the overview of orders, by the columns everything else uses."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from notifier.columns import COLUMNS, Column, Value
from notifier.digest import Entry

_CONDITION = re.compile(r"\s*(?P<column>[a-z_]+)\s*(?P<sign>>=|<=|!=|=|>|<|~)\s*(?P<value>.*?)\s*")

_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One `column sign value`, such as `days>=3` or `items~monitor`."""

    column: Column
    sign: str
    text: str

    def holds(self, entry: Entry) -> bool:
        """Whether the entry fits. A missing value fits nothing but `!=`."""
        value = self.column.value(entry)
        if self.sign == "~":
            return self.text.casefold() in str(value or "").casefold()
        if self.sign in ("=", "!="):
            return (_same(value, self.text)) is (self.sign == "=")
        if value is None:
            return False
        return _COMPARE[self.sign](*_comparable(value, self.text))


def find_column(name: str) -> Column:
    """The column of that name; raises ValueError that names the nearest one."""
    if name in COLUMNS:
        return COLUMNS[name]
    near = get_close_matches(name, COLUMNS, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    raise ValueError(f'no column "{name}"{hint} There is: {", ".join(COLUMNS)}')


def parse_columns(text: str) -> tuple[Column, ...]:
    """Read `order,tracking,days`."""
    return tuple(find_column(name.strip()) for name in text.split(",") if name.strip())


def parse_condition(text: str) -> Condition:
    """Read one condition; raises ValueError that says what can be written."""
    match = _CONDITION.fullmatch(text)
    if not match:
        raise ValueError(f'"{text}" is no condition; write days>=3, items~monitor or overdue=true')
    return Condition(find_column(match["column"]), match["sign"], match["value"])


def arrange(
    entries: Iterable[Entry], conditions: Sequence[Condition], sort: str | None
) -> tuple[Entry, ...]:
    """The entries that fit every condition; `sort` is a column, with `-` for descending.

    Entries without a value in that column come last either way.
    """
    chosen = [entry for entry in entries if all(c.holds(entry) for c in conditions)]
    if sort is None:
        return tuple(chosen)
    column = find_column(sort.removeprefix("-"))
    present = [entry for entry in chosen if column.value(entry) is not None]
    absent = [entry for entry in chosen if column.value(entry) is None]
    present.sort(key=lambda e: _sort_key(column.value(e)), reverse=sort.startswith("-"))
    return (*present, *absent)


def _sort_key(value: Value) -> tuple[str, Value]:
    """Within one column all values are of one kind; text is compared without case."""
    return ("", value.casefold()) if isinstance(value, str) else ("", value)


def _same(value: Value, text: str) -> bool:
    if isinstance(value, bool):
        return value is (text.casefold() in ("true", "yes", "1"))
    if value is None:
        return text == ""
    try:
        left, right = _comparable(value, text)
    except ValueError:
        return False
    return left == right


def _comparable(value: Value, text: str) -> tuple[Value, Value]:
    """Both sides as one kind; raises ValueError when `text` is not of the column's kind."""
    match value:
        case bool():
            raise ValueError(f"a yes or no cannot be compared with {text}; write overdue=true")
        case int() | Decimal():
            try:
                return Decimal(value), Decimal(text)
            except InvalidOperation:
                raise ValueError(f'"{text}" is not a number') from None
        case datetime():
            return value.date(), _date(text)
        case date():
            return value, _date(text)
    return str(value).casefold(), text.casefold()


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is not a date; write YYYY-MM-DD') from None
