"""The content of one day's digest: new orders, waiting orders, and those collected since."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from math import inf
from zoneinfo import ZoneInfo

from notifier.domain.orders import Order, total
from notifier.domain.reading import Complete, Departure, Incomplete
from notifier.domain.settings import Account
from notifier.i18n.language import Money

AGE_BOUNDS = (1, 3, 7, 14)
"""Days at which an age group begins; younger than the first is "today"."""


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order of a snapshot, and the day it was first seen waiting."""

    first_seen: date
    order: Order


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The orders known to wait at the end of an earlier run."""

    day: date
    watching_since: date
    """The day of the account's first run."""
    known: Mapping[int, KnownOrder]
    ever_complete: bool = True
    """Whether the list was ever read completely; before that, an unknown order may be old."""
    earlier: Mapping[int, KnownOrder] = field(default_factory=dict)
    """Other orders that waited in earlier editions of the day to compose."""

    @property
    def ids(self) -> frozenset[int]:
        """The orders whose departure the source should report."""
        return frozenset({*self.known, *self.earlier})


class SectionName(StrEnum):
    """The sections of a digest, in the order shown."""

    NEW = "new"
    WAITING = "waiting"
    COLLECTED = "collected"


@dataclass(frozen=True, slots=True)
class Entry:
    """One order in a section."""

    order: Order
    first_seen: date
    """The day of the first reading that found it ready."""
    days_waiting: int
    """Days since `first_seen`."""
    overdue: bool
    departure: Departure | None = None
    """How it left the list; None while it waits."""
    unread: bool = False
    """It could not be read today: these are the values of the last reading."""


@dataclass(frozen=True, slots=True)
class Section:
    """Entries of one kind, in the order shown."""

    name: SectionName
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing in an incomplete list."""

    why: str
    unread: tuple[int, ...]
    """Ids of orders that could not be read."""
    numbers: Mapping[int, str] = field(default_factory=dict)
    """Numbers shown to people of the `unread` orders whose number is not their id."""

    def display_number(self, id_: int) -> str:
        return self.numbers.get(id_, str(id_))


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest of one account and local day."""

    account_id: str
    account_name: str
    day: date
    timezone: str
    """IANA name of the zone of `day`; times are shown in it."""
    read_at: datetime
    candidates: int
    watching_since: date
    previous_day: date | None
    """Day of the snapshot it is compared with; None for an account's first digest."""
    is_first: bool
    """Whether no order can be called new: the list was never read completely before."""
    new: tuple[Entry, ...]
    waiting: tuple[Entry, ...]
    collected: tuple[Entry, ...]
    overdue_days: int
    gap: Gap | None = None
    skipped_days: tuple[date, ...] = ()
    """Days without a digest since the last one."""
    trend: tuple[tuple[date, int | None], ...] = ()
    """Number of waiting orders on each of the last days, oldest first; None if no list was read."""

    @property
    def sections(self) -> tuple[Section, ...]:
        return (
            Section(SectionName.NEW, self.new),
            Section(SectionName.WAITING, self.waiting),
            Section(SectionName.COLLECTED, self.collected),
        )

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def present(self) -> tuple[Entry, ...]:
        """All orders that wait now, the oldest first."""
        return tuple(sorted((*self.new, *self.waiting), key=_age))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to report. An incomplete list is never empty."""
        # A day without a digest must be named in the next mail, even where `when_empty` is "skip".
        return not (self.new or self.waiting or self.collected or self.gap or self.skipped_days)

    @property
    def oldest(self) -> Entry | None:
        return self.present[0] if self.present else None

    @property
    def overdue(self) -> int:
        return sum(entry.overdue for entry in self.present)

    @property
    def read(self) -> int:
        """Number of candidates that could be read."""
        # A stored order may count as unread without being a candidate of this reading.
        return max(0, self.candidates - len(self.gap.unread if self.gap else ()))

    @property
    def value(self) -> tuple[Money, ...]:
        """Price of all waiting orders, per currency."""
        return total(entry.order.value for entry in self.present)

    @property
    def cod(self) -> tuple[Money, ...]:
        """Unpaid cash on delivery of all waiting orders, per currency."""
        return total(entry.order.cod for entry in self.present)

    @property
    def ages(self) -> tuple[int, ...]:
        """Number of waiting orders in each age group."""
        return count_ages(self.present)

    @property
    def returned(self) -> int:
        """Number of orders that the seller collected."""
        return sum(entry.departure is Departure.RETURNED for entry in self.collected)

    @property
    def lost(self) -> int:
        """Number of lost orders: the carrier may owe compensation for them."""
        return sum(entry.departure is Departure.LOST for entry in self.collected)

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that the next digest is compared with."""
        known = {
            entry.order.id: KnownOrder(entry.first_seen, entry.order) for entry in self.present
        }
        return Snapshot(self.day, self.watching_since, known)


def count_ages(entries: Sequence[Entry]) -> tuple[int, ...]:
    """Return the number of entries before, between and after `AGE_BOUNDS`."""
    counts = [0] * (len(AGE_BOUNDS) + 1)
    for entry in entries:
        counts[bisect(AGE_BOUNDS, entry.days_waiting)] += 1
    return tuple(counts)


def compose(
    account: Account,
    reading: Complete | Incomplete,
    previous: Snapshot | None,
    day: date,
    *,
    skipped_days: Sequence[date] = (),
    trend: Sequence[tuple[date, int | None]] = (),
) -> Digest:
    """Compare the orders that wait with those of the last snapshot, and sort them.

    An order counts as collected only if the source reported how it left; an unreadable one stays
    in the list. So an incomplete reading makes no parcel collected, and none new the day after.
    """
    # Two sets: an order seen only in an earlier edition of this day is still new to the readers,
    # but its departure must not go unnoticed.
    known = previous.known if previous else {}
    stored = {**previous.earlier, **known} if previous else {}
    is_first = previous is None or not previous.ever_complete
    today = _day_seen(account, reading.read_at, day)
    read = {order.id: order for order in reading.orders}
    gone = {id_: how for id_, how in reading.departed.items() if id_ in stored and id_ not in read}
    unread = [id_ for id_ in stored if id_ not in read and id_ not in gone]

    def entry(order: Order, first_seen: date) -> Entry:
        # Below zero when a person requests the digest of a day before the order was first seen.
        days = max(0, (day - first_seen).days)
        return Entry(order, first_seen, days, overdue=days >= account.overdue_days)

    def stored_entry(id_: int) -> Entry:
        return entry(stored[id_].order, stored[id_].first_seen)

    def read_entry(order: Order) -> Entry:
        return entry(order, stored[order.id].first_seen if order.id in stored else today)

    # Before the first complete list every order would be "new", whatever its age: all of them wait.
    new = [read_entry(order) for id_, order in read.items() if id_ not in known]
    still = [read_entry(order) for id_, order in read.items() if id_ in known]
    assumed = [replace(stored_entry(id_), unread=True) for id_ in unread]
    left = [replace(stored_entry(id_), overdue=False, departure=how) for id_, how in gone.items()]
    return Digest(
        account_id=account.id,
        account_name=account.name,
        day=day,
        timezone=account.schedule.timezone,
        read_at=reading.read_at,
        candidates=reading.candidates,
        watching_since=previous.watching_since if previous else day,
        previous_day=previous.day if previous else None,
        is_first=is_first,
        new=() if is_first else tuple(sorted(new, key=_age)),
        waiting=tuple(sorted([*still, *assumed, *(new if is_first else ())], key=_age)),
        collected=tuple(sorted(left, key=_age)),
        overdue_days=account.overdue_days,
        gap=_gap(reading, [stored[id_].order for id_ in unread]),
        skipped_days=tuple(skipped_days),
        trend=tuple(trend),
    )


def _day_seen(account: Account, read_at: datetime, day: date) -> date:
    """Return the day on which the orders of this reading count as seen."""
    # A slot just before midnight is mostly read after it and still belongs to its own day. A
    # digest of yesterday that a person requests today shows what waits today.
    if read_at < account.schedule.ends(day):
        return day
    return account.schedule.local_day(read_at)


def _gap(reading: Complete | Incomplete, unread: Sequence[Order]) -> Gap | None:
    ids = {order.id for order in unread}
    numbers = {order.id: order.number for order in unread if order.number}
    match reading:
        case Incomplete():
            all_unread = tuple(sorted({*reading.unread, *ids}))
            return Gap(reading.why, all_unread, {**reading.numbers, **numbers})
        # Complete for the source, but stored orders have vanished from it without a reason.
        case Complete() if unread:
            why = "the source did not report how these orders left the list"
            return Gap(why, tuple(sorted(ids)), numbers)
    return None


def _age(entry: Entry) -> tuple[date, float, int]:
    """Return the sort key: the longest waiting first, then the earliest shipped, then by id."""
    # The id last, so that the same reading always makes the same bytes.
    shipped = entry.order.shipped_at
    return (entry.first_seen, shipped.timestamp() if shipped else inf, entry.order.id)
