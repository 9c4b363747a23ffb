"""The orders of a digest as rows, limited to the room of a mail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from notifier.domain.digest import Digest, Entry, SectionName, count_ages
from notifier.domain.recipients import AttachmentKind
from notifier.domain.settings import MailOptions
from notifier.i18n.language import Language
from notifier.mail.view.figures import count_by_age
from notifier.mail.view.rows import OrderRow, view_row

# More never fit into a mail, and wording 100,000 orders would take seconds and memory.
MOST_ROWS = 250
"""Limit of rows that are worded."""


@dataclass(frozen=True, slots=True)
class SectionView:
    """Rows under a heading."""

    heading: str
    badge_heading: str
    """The heading of the column with the badges."""
    rows: tuple[OrderRow, ...]


@dataclass(frozen=True, slots=True)
class ListView:
    """The sections with the rows that fit."""

    sections: tuple[SectionView, ...]
    shown: str
    """A sentence with the number of rows shown; empty without orders."""
    hidden: tuple[str, ...]
    """Sentences about the orders left out; empty if all are shown."""


@dataclass(frozen=True, slots=True)
class OrderListing:
    """The rows of a digest, the most important first.

    The longest wait comes first, so overdue orders lead; orders that no longer wait come last.
    """

    digest: Digest
    options: MailOptions
    language: Language
    ranked: tuple[tuple[SectionName, OrderRow], ...]
    waiting: tuple[Entry, ...]
    """The waiting orders, oldest first; `ranked` begins with them."""

    def first(self, most: int) -> ListView:
        """Return the list with the first `most` rows, and a count of the others."""
        return ListView(
            sections=tuple(self._sections(self.ranked[:most])),
            shown=self._shown(min(most, len(self.ranked))),
            hidden=tuple(self._hidden(min(most, len(self.ranked)))),
        )

    def _sections(self, kept: Sequence[tuple[SectionName, OrderRow]]) -> Iterator[SectionView]:
        for section in self.digest.sections:
            if rows := tuple(row for name, row in kept if name is section.name):
                yield SectionView(
                    _heading(section.name, len(section.entries), self.digest, self.language),
                    _badge_heading(section.name, self.digest, self.language),
                    rows,
                )

    def _shown(self, shown: int) -> str:
        total = len(self.waiting) + len(self.digest.collected)
        if not total:
            return ""
        number = self.language.number
        return self.language.gettext(
            "Orders shown: {shown} of {total}.", shown=number(shown), total=number(total)
        )

    def _hidden(self, shown: int) -> Iterator[str]:
        waiting = self.waiting[shown:]
        gone = len(self.digest.collected) - max(0, shown - len(self.waiting))
        if waiting:
            yield self.language.ngettext(
                "{count} more waiting parcel is not shown: {ages}.",
                "{count} more waiting parcels are not shown: {ages}.",
                len(waiting),
                ages=", ".join(count_by_age(count_ages(waiting), self.language)),
            )
        if gone:
            yield self.language.ngettext(
                "{count} more order that no longer waits is not shown.",
                "{count} more orders that no longer wait are not shown.",
                gone,
            )
        # Only waiting orders: the files do not contain those that left the list.
        if waiting and AttachmentKind.CSV in self.options.attachments:
            yield self.language.gettext("Everything that waits is in the attached CSV file.")
        elif waiting and AttachmentKind.XLSX in self.options.attachments:
            yield self.language.gettext("Everything that waits is in the attached workbook.")
        elif waiting and self.options.reads_file:
            yield self.language.gettext("Look the others up where the list comes from.")
        elif waiting:
            yield self.language.gettext("Look the others up in the portal.")


def list_orders(digest: Digest, options: MailOptions, language: Language) -> OrderListing:
    """Word the orders of a digest, up to `MOST_ROWS`."""
    # Ranked across the sections: if room is short, an overdue order matters more than a new one.
    waiting = digest.present
    new = {entry.order.id for entry in digest.new}

    def section(entry: Entry) -> SectionName:
        if entry.departure:
            return SectionName.COLLECTED
        return SectionName.NEW if entry.order.id in new else SectionName.WAITING

    entries = (*waiting, *digest.collected)[:MOST_ROWS]
    ranked = tuple((section(e), view_row(e, digest, options, language)) for e in entries)
    return OrderListing(digest, options, language, ranked, waiting)


def _heading(name: SectionName, count: int, digest: Digest, language: Language) -> str:
    number = language.number(count)
    match name:
        case SectionName.NEW:
            return language.gettext("New ({number})", number=number)
        case SectionName.WAITING if digest.is_first:
            return language.gettext("Waiting ({number})", number=number)
        case SectionName.WAITING:
            return language.gettext("Still waiting ({number})", number=number)
        case SectionName.COLLECTED:
            since = language.day(digest.previous_day or digest.day)
            # "Collected" would be wrong for orders lost, cancelled or delivered after all.
            if digest.returned < len(digest.collected):
                return language.gettext(
                    "No longer waiting since {day} ({number})", number=number, day=since
                )
            return language.gettext("Collected since {day} ({number})", number=number, day=since)


def _badge_heading(name: SectionName, digest: Digest, language: Language) -> str:
    if name is SectionName.COLLECTED:
        return language.gettext("Outcome")
    # How long the orders of a first digest have waited is not known.
    return language.gettext("Shipped") if digest.is_first else language.gettext("Waiting")
