"""The query of an order list: conditions on fields, a sequence, a page.

A condition is `field=value` or `field=operator:value,value`. Names that are not fields of a row are
ignored, and so is `ready_to_return`: the marketplace has no filter for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notifier.simulator.answers import ROW, row_value
from notifier.simulator.orders import OrderView, SimulatedStatus

DEFAULT_PAGE_SIZE = 100
BOOLEANS = frozenset({"confirmed", "test", "mdp", "mdp_classic", "mdp_spectrum"})
NUMBERS = frozenset({"id", "purchase_id", "customer_id", "cod"})
BOOLEAN_WORDS = {"true": True, "1": True, "false": False, "0": False}
WITH_OPERATOR = re.compile(r"([a-z]{2,3}):(.*)", re.DOTALL)


class QueryError(Exception):
    """A part of the query is invalid; the message names it."""


# "Not equal" is left out, because sources disagree on its name.
OPERATORS: Mapping[str, Callable[[Any, Sequence[Any]], bool]] = {
    "eq": lambda value, wanted: value == wanted[0],
    "gt": lambda value, wanted: value > wanted[0],
    "ge": lambda value, wanted: value >= wanted[0],
    "lt": lambda value, wanted: value < wanted[0],
    "le": lambda value, wanted: value <= wanted[0],
    "in": lambda value, wanted: value in wanted,
    "nin": lambda value, wanted: value not in wanted,
    "bt": lambda value, wanted: wanted[0] <= value <= wanted[1],
}
"""Comparison of a value with the values of a query, by the operator's name."""
VALUE_COUNTS = {"in": range(1, 10_001), "nin": range(1, 10_001), "bt": range(2, 3)}
"""Allowed numbers of values; all other operators take one."""


@dataclass(frozen=True, slots=True)
class FieldCondition:
    """A condition on one field."""

    field: str
    operator: str
    wanted: tuple[bool | float | str, ...]

    def holds(self, view: OrderView) -> bool:
        """Return whether an order meets it. A missing or malformed value only meets "not in"."""
        value = row_value(view, self.field)
        if not isinstance(value, _kind(self.field)):
            return self.operator == "nin"
        return OPERATORS[self.operator](value, self.wanted)

    @property
    def statuses(self) -> frozenset[object]:
        """The statuses it names; empty for a condition on another field, or of another kind."""
        by_value = self.field == "status" and self.operator in {"eq", "in"}
        return frozenset(self.wanted if by_value else ())


@dataclass(frozen=True, slots=True)
class Selection:
    """All of a query except its page: which orders a list has, and in which sequence."""

    conditions: tuple[FieldCondition, ...]
    sort: tuple[tuple[str, bool], ...]
    """Pairs of a field and whether it descends; the first pair weighs most."""
    with_test: bool

    def of(self, orders: Iterable[OrderView]) -> list[OrderView]:
        """Return the selected orders, sorted."""
        selected = [view for view in orders if self._includes(view)]
        for field, descending in reversed(self.sort):
            selected.sort(key=lambda view: _sort_key(view, field), reverse=descending)
        return selected

    @property
    def only_shipped(self) -> bool:
        """Whether it can only contain orders in `shipped`."""
        return any(each.statuses == {SimulatedStatus.SHIPPED} for each in self.conditions)

    def _includes(self, view: OrderView) -> bool:
        if view.order.test and not self.with_test:
            return False
        # Blocked orders are listed only by a condition that names their status.
        if view.status == SimulatedStatus.BLOCKED and not any(
            SimulatedStatus.BLOCKED in each.statuses for each in self.conditions
        ):
            return False
        return all(condition.holds(view) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A parsed query of a list."""

    selection: Selection
    basic: bool
    """Whether the answer has rows; otherwise it has ids only."""
    page: int
    page_size: int


def parse(pairs: Iterable[tuple[str, str]]) -> ListQuery:
    """Parse a query string, in which the last of repeated names counts. Raise QueryError."""
    query = dict(pairs)
    with_test = _boolean("test", query.pop("test", "0").removeprefix("eq:"))
    return ListQuery(
        Selection(
            tuple(_condition(field, text) for field, text in query.items() if field in ROW),
            _sort(query.get("_sort", "id:asc")),
            with_test,
        ),
        basic=query.get("filter") == "basic",
        page=_count("page", query.get("page", "1")),
        page_size=_count("page_size", query.get("page_size", str(DEFAULT_PAGE_SIZE))),
    )


def _condition(field: str, text: str) -> FieldCondition:
    match = WITH_OPERATOR.fullmatch(text)
    if match is None:
        return FieldCondition(field, "eq", (_value(field, text),))
    operator, values = match[1], match[2].split(",")
    if operator not in OPERATORS:
        raise QueryError(f"{field}: unknown operator {operator}")
    if len(values) not in VALUE_COUNTS.get(operator, range(1, 2)):
        raise QueryError(f"{field}: {operator} does not take {len(values)} values")
    return FieldCondition(field, operator, tuple(_value(field, value) for value in values))


def _value(field: str, text: str) -> bool | float | str:
    if field in BOOLEANS:
        return _boolean(field, text)
    if field not in NUMBERS:
        return text
    try:
        return float(text)
    except ValueError:
        raise QueryError(f"{field}: {text} is not a number") from None


def _boolean(field: str, text: str) -> bool:
    try:
        return BOOLEAN_WORDS[text.lower()]
    except KeyError:
        raise QueryError(f"{field}: {text} is neither true nor false") from None


def _sort(text: str) -> tuple[tuple[str, bool], ...]:
    parts = [part.partition(":") for part in text.split(",")]
    for field, _, direction in parts:
        if field not in ROW or direction not in {"", "asc", "desc"}:
            raise QueryError(f"_sort: {field}:{direction} is no field with asc or desc")
    return tuple((field, direction == "desc") for field, _, direction in parts)


def _count(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise QueryError(f"{name}: {text} is not a number from 1 on")
    return int(text)


def _kind(field: str) -> type | tuple[type, ...]:
    if field in BOOLEANS:
        return bool
    return (int, float) if field in NUMBERS else str


def _sort_key(view: OrderView, field: str) -> tuple[bool, Any]:
    value = row_value(view, field)
    known = isinstance(value, _kind(field))
    # Missing and malformed values come first, as null does in a database.
    return (known, value if known else 0)
