"""What all rows of a file come to: everything, a part with the reason, or nothing."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from notifier.domain.orders import Order
from notifier.domain.reading import Complete, Departure, Incomplete
from notifier.domain.settings import FileAccess
from notifier.errors import FileRefused
from notifier.sources.file import fields
from notifier.sources.file.doubts import FileDiagnostics
from notifier.sources.file.records import Broken, Record
from notifier.sources.file.rows import FileRow, RowState, UnreadableRow, read_row, together

MOST_NAMED = 5
"""Rows that are named in one sentence."""

logger = logging.getLogger("notifier.sources.file")


@dataclass(slots=True)
class RowCollector:
    """The rows of one file, by order; and those that say nothing."""

    access: FileAccess
    name: str
    rows: dict[int, list[FileRow]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    doubts: FileDiagnostics = field(init=False)

    def __post_init__(self) -> None:
        self.doubts = FileDiagnostics(self.access)

    def take(self, records: Iterable[Record | Broken]) -> None:
        """Sort every row; raises FileRefused where nothing can be made of the file."""
        for record in records:
            if isinstance(record, Broken):
                self.broken.append(record)
                continue
            try:
                row = read_row(record, self.access)
            except UnreadableRow as error:
                self.broken.append(Broken(record.place, str(error), error.number))
            else:
                self.rows.setdefault(row.order.id, []).append(row)
                self.doubts.take(record)
        if self.broken and not self.rows:
            raise FileRefused(f"no row of {self.name} can be read: {self._named()}")

    def conclude(self, known: Collection[int], read_at: datetime, calls: int) -> Reading:
        """The reading. What is not in the file any more was collected, if all of it was read."""
        found = {id_: self._waiting(rows) for id_, rows in self.rows.items()}
        orders = tuple(order for _, (order, _) in sorted(found.items()) if order)
        undecided = [order.display_number for order, agree in found.values() if order and not agree]
        numbers = dict(self._unread())
        unread = tuple(sorted({*numbers, *self._maybe_unread(known)}))
        departed = dict(self._departed(frozenset(known), {order.id for order in orders}, unread))
        candidates = len(self.rows.keys() | set(unread))
        _tell(self.name, candidates, len(orders), len(self.broken), calls)
        if why := "; ".join(self._gaps(undecided)):
            named = {id_: number for id_, number in numbers.items() if number != str(id_)}
            return Incomplete(read_at, orders, why, unread, departed, candidates, calls, named)
        return Complete(read_at, orders, departed, candidates, calls)

    def _waiting(self, rows: Sequence[FileRow]) -> tuple[Order | None, bool]:
        """The order of these rows if it waits: one item of it that does is enough."""
        waiting = [row for row in rows if row.says is RowState.WAITS]
        return together(waiting) if waiting else (None, True)

    def _unread(self) -> Iterator[tuple[int, str]]:
        """The orders of which nothing is known but that there is a row, and their numbers."""
        for broken in self.broken:
            if broken.number and (id_ := fields.order_id(broken.number)) not in self.rows:
                yield id_, broken.number

    def _maybe_unread(self, known: Collection[int]) -> Iterator[int]:
        """A row of which not even the order is known may be that of any order."""
        if not all(broken.number for broken in self.broken):
            yield from (id_ for id_ in known if id_ not in self.rows)

    def _departed(
        self, known: frozenset[int], waiting: Collection[int], unread: Collection[int]
    ) -> Iterator[tuple[int, Departure]]:
        for id_ in known - set(waiting) - set(unread):
            rows = self.rows.get(id_, ())
            collected = all(row.says is RowState.COLLECTED for row in rows)
            yield id_, Departure.RETURNED if collected else Departure.WITHDRAWN

    def _gaps(self, undecided: Sequence[str]) -> Iterator[str]:
        if self.broken:
            total = len(self.broken) + sum(map(len, self.rows.values()))
            yield (
                f"{len(self.broken)} of {total} rows of {self.name} could not be read: "
                f"{self._named()}"
            )
        if undecided:
            yield (
                f"several rows of one order in {self.name} do not agree about it, and the first "
                f"one counts: {_listed(undecided)}"
            )

    def _named(self) -> str:
        return _listed([_called(broken) for broken in self.broken])


Reading = Complete | Incomplete


def _called(broken: Broken) -> str:
    order = f", order {broken.number[:60]}" if broken.number else ""
    return f"{broken.place}{order} ({broken.why})"


def _listed(words: Sequence[str]) -> str:
    rest = len(words) - MOST_NAMED
    shown = ", ".join(words[:MOST_NAMED])
    return f"{shown} and {rest} more" if rest > 0 else shown


def _tell(name: str, candidates: int, waiting: int, broken: int, calls: int) -> None:
    logger.info(
        "%s: %d orders read, %d wait for the seller, %d rows unreadable",
        name,
        candidates,
        waiting,
        broken,
        extra={
            "event": "orders_read",
            "read": candidates,
            "waiting": waiting,
            "unreadable": broken,
            "calls": calls,
        },
    )
