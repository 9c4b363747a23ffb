"""What a list may be asked for: conditions on its fields, an order, a page.

`field=value` or `field=operator:value,value`. What is no field of a row is passed over, as is
`ready_to_return`: the marketplace offers no filter for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from notifier.simulator.answers import ROW, row_value
from notifier.simulator.lifecycle import SimulatedStatus
from notifier.simulator.orders import VisibleState

DEFAULT_PAGE_SIZE = 100
TRUTHS = frozenset({"confirmed", "test", "mdp", "mdp_classic", "mdp_spectrum"})
NUMBERS = frozenset({"id", "purchase_id", "customer_id", "cod"})
TRUTH_WORDS = {"true": True, "1": True, "false": False, "0": False}
WITH_OPERATOR = re.compile(r"([a-z]{2,3}):(.*)", re.DOTALL)


class QueryError(Exception):
    """The query cannot be understood; the message says which part."""


class Operator(StrEnum):
    """How a field is compared. "Not equal" is missing on purpose: sources differ on its name."""

    EQ = "eq"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"
    IN = "in"
    NIN = "nin"
    BT = "bt"


COMPARE: Mapping[Operator, Callable[[Any, Sequence[Any]], bool]] = {
    Operator.EQ: lambda value, wanted: value == wanted[0],
    Operator.GT: lambda value, wanted: value > wanted[0],
    Operator.GE: lambda value, wanted: value >= wanted[0],
    Operator.LT: lambda value, wanted: value < wanted[0],
    Operator.LE: lambda value, wanted: value <= wanted[0],
    Operator.IN: lambda value, wanted: value in wanted,
    Operator.NIN: lambda value, wanted: value not in wanted,
    Operator.BT: lambda value, wanted: wanted[0] <= value <= wanted[1],
}

HOW_MANY = {Operator.IN: range(1, 10_001), Operator.NIN: range(1, 10_001), Operator.BT: range(2, 3)}


@dataclass(frozen=True, slots=True)
class ListCondition:
    """What one field must be."""

    field: str
    operator: Operator
    wanted: tuple[bool | float | str, ...]

    def holds(self, seen: VisibleState) -> bool:
        """Whether an order meets it; what has no value, or a strange one, is only ever "not in"."""
        value = row_value(seen, self.field)
        if not isinstance(value, _kind(self.field)):
            return self.operator is Operator.NIN
        return COMPARE[self.operator](value, self.wanted)

    def asks_for(self, value: str) -> bool:
        """Whether it names this very value."""
        return self.operator in {Operator.EQ, Operator.IN} and value in self.wanted


@dataclass(frozen=True, slots=True)
class Selection:
    """Which orders a list is of, and in which order: all of a query but its page."""

    conditions: tuple[ListCondition, ...]
    sort: tuple[tuple[str, bool], ...]
    """Field, and whether it descends; the first one decides."""
    with_test: bool

    def of(self, orders: Iterable[VisibleState]) -> list[VisibleState]:
        """The orders it selects."""
        chosen = [seen for seen in orders if self._includes(seen)]
        for field, descending in reversed(self.sort):
            chosen.sort(key=lambda seen: _sort_key(seen, field), reverse=descending)
        return chosen

    def _includes(self, seen: VisibleState) -> bool:
        if seen.order.test and not self.with_test:
            return False
        if seen.status == SimulatedStatus.BLOCKED and not self._asks_for_blocked:
            return False
        return all(condition.holds(seen) for condition in self.conditions)

    @property
    def only_shipped(self) -> bool:
        """Whether nothing can be in it but what is `shipped`."""
        return any(
            condition.field == "status" and set(condition.wanted) == {SimulatedStatus.SHIPPED}
            for condition in self.conditions
            if condition.operator in {Operator.EQ, Operator.IN}
        )

    @property
    def _asks_for_blocked(self) -> bool:
        return any(
            condition.field == "status" and condition.asks_for(SimulatedStatus.BLOCKED)
            for condition in self.conditions
        )


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Everything a list is asked for."""

    selection: Selection
    basic: bool
    """Rows; without it the answer is ids only."""
    page: int
    page_size: int


def parse(pairs: Iterable[tuple[str, str]]) -> ListQuery:
    """Understand a query string; of a name that occurs twice the last one counts. May raise
    QueryError."""
    query = dict(pairs)
    with_test = _truth("test", query.pop("test", "0").removeprefix("eq:"))
    return ListQuery(
        Selection(_conditions(query), _sort(query.get("_sort", "id:asc")), with_test),
        basic=query.get("filter") == "basic",
        page=_count("page", query.get("page", "1")),
        page_size=_count("page_size", query.get("page_size", str(DEFAULT_PAGE_SIZE))),
    )


def _conditions(query: Mapping[str, str]) -> tuple[ListCondition, ...]:
    return tuple(_condition(field, text) for field, text in query.items() if field in ROW)


def _condition(field: str, text: str) -> ListCondition:
    match = WITH_OPERATOR.fullmatch(text)
    if match is None:
        return ListCondition(field, Operator.EQ, (_value(field, text),))
    operator, values = _operator(field, match[1]), match[2].split(",")
    if len(values) not in HOW_MANY.get(operator, range(1, 2)):
        raise QueryError(f"{field}: {operator.value} does not take {len(values)} values")
    return ListCondition(field, operator, tuple(_value(field, value) for value in values))


def _operator(field: str, word: str) -> Operator:
    try:
        return Operator(word)
    except ValueError:
        raise QueryError(f"{field}: unknown operator {word}") from None


def _value(field: str, text: str) -> bool | float | str:
    if field in TRUTHS:
        return _truth(field, text)
    if field not in NUMBERS:
        return text
    try:
        return float(text)
    except ValueError:
        raise QueryError(f"{field}: {text} is not a number") from None


def _truth(field: str, text: str) -> bool:
    try:
        return TRUTH_WORDS[text.lower()]
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
    if field in TRUTHS:
        return bool
    return (int, float) if field in NUMBERS else str


def _sort_key(seen: VisibleState, field: str) -> tuple[bool, Any]:
    """What has no value comes first, as null does."""
    value = row_value(seen, field)
    known = isinstance(value, _kind(field))
    return (known, value if known else 0)
