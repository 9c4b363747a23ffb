"""Sum up all rows of a file: the reading, and warnings about values that were perhaps not meant."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from notifier.domain.orders import Order
from notifier.domain.reading import Complete, Departure, Incomplete
from notifier.domain.settings import FileAccess
from notifier.errors import FileRefused
from notifier.i18n.foreign_text import folded
from notifier.sources.file.parsing import BrokenRow, Record
from notifier.sources.file.rows import (
    FileRow,
    RowState,
    UnreadableRow,
    amount,
    merge_rows,
    moment,
    order_id,
    quantity,
    read_row,
    text,
)

MOST_NAMED = 5
"""Rows named in one sentence."""

MOST_STATES = 12
"""States shown; a column with more of them is probably not the column of states."""

LONGEST_SHOWN = 60
"""Characters of a value that a message quotes."""

logger = logging.getLogger("notifier.sources.file")


class RowCollector:
    """The rows of one file, grouped by order, and those that cannot be read."""

    def __init__(self, access: FileAccess, name: str) -> None:
        self.diagnostics = FileDiagnostics(access)
        self._access = access
        self._name = name
        self._rows: dict[int, list[FileRow]] = {}
        self._broken: list[BrokenRow] = []

    def collect(self, records: Iterable[Record | BrokenRow]) -> None:
        """Read every row; raises FileRefused if none of them can be read."""
        for record in records:
            if isinstance(record, BrokenRow):
                self._broken.append(record)
                continue
            try:
                row = read_row(record, self._access)
            except UnreadableRow as error:
                self._broken.append(BrokenRow(record.place, str(error), error.number))
            else:
                self._rows.setdefault(row.order.id, []).append(row)
                self.diagnostics.count(record)
        # Then the configuration or the export is wrong, and not some rows.
        if self._broken and not self._rows:
            raise FileRefused(f"no row of {self._name} can be read: {self._broken_rows()}")

    def conclude(self, known: Collection[int], read_at: datetime, calls: int) -> _Result:
        """Return the reading; an order that has left a file without broken rows was collected."""
        waiting = {
            id_: merge_rows(ready)
            for id_, rows in sorted(self._rows.items())
            # One waiting item is enough for its order to wait.
            if (ready := [row for row in rows if row.state is RowState.WAITS])
        }
        orders = tuple(order for order, _ in waiting.values())
        undecided = [order.display_number for order, agree in waiting.values() if not agree]
        numbers = dict(self._unread())
        unread = tuple(sorted({*numbers, *self._maybe_unread(known)}))
        departed = dict(self._departed(set(known).difference(waiting, unread)))
        candidates = len(self._rows.keys() | set(unread))
        self._log(candidates, orders, calls)
        if why := "; ".join(self._gaps(undecided)):
            # The mail shows the file's own number where the id is only a hash of it.
            named = {id_: number for id_, number in numbers.items() if number != str(id_)}
            return Incomplete(read_at, orders, why, unread, departed, candidates, calls, named)
        return Complete(read_at, orders, departed, candidates, calls)

    def _unread(self) -> Iterator[tuple[int, str]]:
        """Yield id and number of each order whose row is broken but whose number is readable."""
        for broken in self._broken:
            if broken.number and (id_ := order_id(broken.number)) not in self._rows:
                yield id_, broken.number

    def _maybe_unread(self, known: Collection[int]) -> Iterator[int]:
        """Yield every known order without a row, if a broken row has no number: it may be it."""
        if not all(broken.number for broken in self._broken):
            yield from (id_ for id_ in known if id_ not in self._rows)

    def _departed(self, left: Collection[int]) -> Iterator[tuple[int, Departure]]:
        for id_ in left:
            # all() of no rows is true: an order that has left a complete file counts as collected.
            collected = all(row.state is RowState.COLLECTED for row in self._rows.get(id_, ()))
            yield id_, Departure.RETURNED if collected else Departure.WITHDRAWN

    def _gaps(self, undecided: Sequence[str]) -> Iterator[str]:
        if self._broken:
            total = len(self._broken) + sum(map(len, self._rows.values()))
            yield (
                f"{len(self._broken)} of {total} rows of {self._name} could not be read: "
                f"{self._broken_rows()}"
            )
        if undecided:
            yield (
                f"several rows of one order in {self._name} do not agree, and the first one "
                f"counts: {_listed(undecided)}"
            )

    def _broken_rows(self) -> str:
        return _listed([str(broken) for broken in self._broken])

    def _log(self, candidates: int, orders: Sequence[Order], calls: int) -> None:
        logger.info(
            "%s: %d orders read, %d wait for the seller, %d rows unreadable",
            self._name,
            candidates,
            len(orders),
            len(self._broken),
            extra={
                "event": "orders_read",
                "read": candidates,
                "waiting": len(orders),
                "unreadable": len(self._broken),
                "calls": calls,
            },
        )


_Result = Complete | Incomplete


def _listed(words: Sequence[str]) -> str:
    rest = len(words) - MOST_NAMED
    shown = ", ".join(words[:MOST_NAMED])
    return f"{shown} and {rest} more" if rest > 0 else shown


@dataclass(slots=True)
class FileDiagnostics:
    """Counts of states and of senseless values, for warnings that point to the configuration.

    A state spelled differently from the configuration looks like a shop where nothing waits, and
    a date in another format like no date. Neither keeps an order from being read.
    """

    access: FileAccess
    _states: Counter[str] = field(default_factory=Counter)
    _written: Counter[str] = field(default_factory=Counter)
    """Values that are not empty, by our column."""
    _senseless: Counter[str] = field(default_factory=Counter)
    """Those of them without a meaning, by our column."""
    _examples: dict[str, str] = field(default_factory=dict)

    def count(self, record: Record) -> None:
        """Count the values of one row."""
        for value in record.values.get("ready", ())[:1]:
            self._states[text(value) or ""] += 1
        for ours, (parse, _, _) in _CHECKED.items():
            for value in record.values.get(ours, ()):
                if written := text(value):
                    self._written[ours] += 1
                    if parse(value, self.access) is None:
                        self._senseless[ours] += 1
                        self._examples.setdefault(ours, written)

    def unusable_columns(self) -> Iterator[str]:
        """Yield a sentence for each column without a single usable value.

        It quotes none of them: a column configured by mistake may hold buyers' names.
        """
        for ours, count in self._senseless.items():
            if count == self._written[ours]:
                yield self._sentence(ours)

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each column with unusable values, with the first of them."""
        for ours in self._senseless:
            yield self._sentence(ours, f', such as "{self._examples[ours][:LONGEST_SHOWN]}"')

    def state_counts(self) -> str | None:
        """Return how often each state occurs and what it means; None without such a column."""
        if not self._states:
            return None
        found = [
            f'"{state[:LONGEST_SHOWN]}" {count}×{self._meaning(state)}'
            for state, count in self._states.most_common(MOST_STATES)
        ]
        more = len(self._states) - len(found)
        rest = [f"and {more} others"] if more else []
        return f'"{self.access.columns["ready"]}" says {", ".join([*found, *rest])}'

    def _meaning(self, state: str) -> str:
        if folded(state) in self.access.ready_values:
            return " (waits)"
        return " (collected)" if folded(state) in self.access.collected_values else ""

    def _sentence(self, ours: str, example: str = "") -> str:
        _, kind, option = _CHECKED[ours]
        count = f"{self._senseless[ours]} of {self._written[ours]}"
        return (
            f'{count} values of "{self.access.columns[ours]}" are not {kind}{example}, and are '
            f"left out; compare {option}"
        )


_CHECKED: dict[str, tuple[Callable[[object, FileAccess], object], str, str]] = {
    "quantity": (lambda value, _: quantity(value), "quantities", "columns.quantity"),
    "price": (amount, "amounts", "decimal and columns.price"),
    "cod": (amount, "amounts", "decimal and columns.cod"),
    "shipped": (moment, "dates", "date_format and columns.shipped"),
    "first_attempt": (moment, "dates", "date_format and columns.first_attempt"),
}
"""By our column: how its values are parsed, what they are, and the options that decide it."""
