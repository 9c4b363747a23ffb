"""What in a file was perhaps not meant. It is told, and keeps no order from being read.

A state that is spelled otherwise than in the configuration looks like a shop where nothing waits,
and a date in another format like none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from notifier.domain.settings import FileAccess
from notifier.i18n.foreign_text import folded
from notifier.sources.file import fields
from notifier.sources.file.records import Record

MOST_STATES = 12
"""That are told; more of them and it is no column of states."""

LONGEST_SHOWN = 60


@dataclass(slots=True)
class FileDiagnostics:
    """Counts of what stands in the columns whose values have a meaning."""

    access: FileAccess
    states: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    """By our column: values that are not empty."""
    senseless: Counter[str] = field(default_factory=Counter)
    """By our column: those of them that mean nothing."""
    examples: dict[str, str] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Count what one row says."""
        for value in record.values.get("ready", ())[:1]:
            self.states[fields.text(value) or ""] += 1
        for ours, means in _MEANINGS.items():
            for value in record.values.get(ours, ()):
                if written := fields.text(value):
                    self._count(ours, written, sensible=means(value, self.access) is not None)

    def _count(self, ours: str, written: str, *, sensible: bool) -> None:
        self.written[ours] += 1
        if not sensible:
            self.senseless[ours] += 1
            self.examples.setdefault(ours, written)

    def hopeless(self) -> Iterator[str]:
        """A sentence for each column without a single value of sense. It quotes none of them:
        what was named by mistake may be a column of buyers."""
        for ours, count in self.senseless.items():
            if count == self.written[ours]:
                yield self._sentence(ours)

    def told(self) -> Iterator[str]:
        """A sentence for each column with values that mean nothing, with the first of them."""
        for ours in self.senseless:
            yield self._sentence(ours, f', such as "{self.examples[ours][:LONGEST_SHOWN]}"')

    def states_told(self) -> str | None:
        """How often each state is there, and what it is taken for; None without such a column."""
        if not self.states:
            return None
        found = [
            f'"{state[:LONGEST_SHOWN]}" {count}×{self._taken_for(state)}'
            for state, count in self.states.most_common(MOST_STATES)
        ]
        more = len(self.states) - len(found)
        rest = [f"and {more} others"] if more else []
        return f'"{self.access.columns["ready"]}" says {", ".join([*found, *rest])}'

    def _taken_for(self, state: str) -> str:
        if folded(state) in self.access.ready_values:
            return " (waits)"
        return " (collected)" if folded(state) in self.access.collected_values else ""

    def _sentence(self, ours: str, example: str = "") -> str:
        what, option = _CALLED[ours]
        count = f"{self.senseless[ours]} of {self.written[ours]}"
        return (
            f'{count} values of "{self.access.columns[ours]}" are no {what}{example}, and are left '
            f"out; compare {option}"
        )


_MEANINGS: dict[str, Callable[[object, FileAccess], object]] = {
    "quantity": lambda value, _: fields.quantity(value),
    "price": lambda value, access: fields.amount(value, access.decimal),
    "cod": lambda value, access: fields.amount(value, access.decimal),
    "shipped": lambda value, access: fields.moment(value, access.zone, access.date_format),
    "first_attempt": lambda value, access: fields.moment(value, access.zone, access.date_format),
}
_CALLED = {
    "quantity": ("numbers of pieces", "columns.quantity"),
    "price": ("amounts", "decimal and columns.price"),
    "cod": ("amounts", "decimal and columns.cod"),
    "shipped": ("dates", "date_format and columns.shipped"),
    "first_attempt": ("dates", "date_format and columns.first_attempt"),
}
