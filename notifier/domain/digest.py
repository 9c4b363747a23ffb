"""The content of one day's summary: what is new, what still waits, what was collected since."""

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
"""Days at which a new class of age begins; younger than the first is "today"."""


@dataclass(frozen=True, slots=True)
class Known:
    """An order of the last snapshot: since when it waits, and what it looked like."""

    first_seen: date
    order: Order


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What waited at the end of an earlier run, as far as it was known then."""

    day: date
    watching_since: date
    """The day of the account's first run: nothing can have been seen before it."""
    known: Mapping[int, Known]
    whole: bool = True
    """Whether the account's whole list was ever read; before, what is not in it may be old."""
    earlier: Mapping[int, Known] = field(default_factory=dict)
    """What else waited in an earlier edition of the day that is composed now."""

    @property
    def ids(self) -> frozenset[int]:
        """Every order of which the source should tell how it left."""
        return frozenset({*self.known, *self.earlier})


class SectionName(StrEnum):
    """The parts of a digest, in the order they are shown."""

    NEW = "new"
    WAITING = "waiting"
    COLLECTED = "collected"


@dataclass(frozen=True, slots=True)
class Entry:
    """One order in a section. `days_waiting` counts from the day we first saw it ready."""

    order: Order
    first_seen: date
    days_waiting: int
    overdue: bool
    departure: Departure | None = None
    """How it left the list; None while it waits."""
    unread: bool = False
    """It waited last time and could not be read today, so this is what it looked like then."""


@dataclass(frozen=True, slots=True)
class Section:
    """Entries that belong together, in the order they are shown."""

    name: SectionName
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Why the list is incomplete, and which orders could not be read."""

    why: str
    unread: tuple[int, ...]
    numbers: Mapping[int, str] = field(default_factory=dict)
    """What people call those of them whose number is another one than their id."""

    def called(self, id_: int) -> str:
        """The number of one of them as people know it."""
        return self.numbers.get(id_, str(id_))


@dataclass(frozen=True, slots=True)
class Digest:
    """One account's summary of one local day."""

    account_id: str
    account_name: str
    day: date
    timezone: str
    """IANA name of the zone whose day it is; instants are told on its clocks."""
    read_at: datetime
    candidates: int
    watching_since: date
    previous_day: date | None
    """Day of the snapshot this is compared with; None on an account's very first digest."""
    is_first: bool
    """Whether nothing can be called new, because the whole list was never read before."""
    new: tuple[Entry, ...]
    waiting: tuple[Entry, ...]
    collected: tuple[Entry, ...]
    overdue_days: int
    gap: Gap | None = None
    skipped_days: tuple[date, ...] = ()
    """Days since the last digest that had none."""
    trend: tuple[tuple[date, int | None], ...] = ()
    """How many waited on each of the last days, oldest first; None where no list was read."""

    @property
    def sections(self) -> tuple[Section, ...]:
        """All three sections; empty ones too."""
        return (
            Section(SectionName.NEW, self.new),
            Section(SectionName.WAITING, self.waiting),
            Section(SectionName.COLLECTED, self.collected),
        )

    @property
    def zone(self) -> ZoneInfo:
        """The clocks its instants are told on."""
        return ZoneInfo(self.timezone)

    @property
    def present(self) -> tuple[Entry, ...]:
        """Everything that waits now, oldest first."""
        return tuple(sorted((*self.new, *self.waiting), key=_age))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell at all. An incomplete list is never empty."""
        return not (self.new or self.waiting or self.collected or self.gap or self.skipped_days)

    @property
    def oldest(self) -> Entry | None:
        """The order that waits longest."""
        return self.present[0] if self.present else None

    @property
    def overdue(self) -> int:
        """How many wait longer than the account allows."""
        return sum(entry.overdue for entry in self.present)

    @property
    def read(self) -> int:
        """How many of the candidates could be read."""
        return max(0, self.candidates - len(self.gap.unread if self.gap else ()))

    @property
    def value(self) -> tuple[Money, ...]:
        """Price of everything that waits, per currency."""
        return total(entry.order.value for entry in self.present)

    @property
    def cod(self) -> tuple[Money, ...]:
        """Cash on delivery that was not paid for what waits, per currency."""
        return total(entry.order.cod for entry in self.present)

    @property
    def ages(self) -> tuple[int, ...]:
        """How many wait in each class of age: before, between and after `AGE_BOUNDS`."""
        return count_ages(self.present)

    @property
    def returned(self) -> int:
        """How many of those that wait no longer the seller has collected."""
        return sum(entry.departure is Departure.RETURNED for entry in self.collected)

    @property
    def lost(self) -> int:
        """How many of those that wait no longer are lost: the carrier may owe for them."""
        return sum(entry.departure is Departure.LOST for entry in self.collected)

    @property
    def snapshot(self) -> Snapshot:
        """What the next digest is compared with."""
        known = {entry.order.id: Known(entry.first_seen, entry.order) for entry in self.present}
        return Snapshot(self.day, self.watching_since, known)


def count_ages(entries: Sequence[Entry]) -> tuple[int, ...]:
    """How many entries are in each class of age: before, between and after `AGE_BOUNDS`."""
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
    """Compare what waits with what waited, and put it in order.

    An order that waited before counts as collected only when the source told how it left; one
    that could not be read stays in the list as it was. So an incomplete reading never turns a
    parcel into a collected one, nor a known one into a new one afterwards.
    """
    known = previous.known if previous else {}
    seen = {**previous.earlier, **known} if previous else {}
    is_first = previous is None or not previous.whole
    today = _day_seen(account, reading.read_at, day)
    read = {order.id: order for order in reading.orders}
    gone = {id_: how for id_, how in reading.departed.items() if id_ in seen and id_ not in read}
    kept = [id_ for id_ in seen if id_ not in read and id_ not in gone]

    def entry(order: Order, first_seen: date) -> Entry:
        days = max(0, (day - first_seen).days)
        return Entry(order, first_seen, days, overdue=days >= account.overdue_days)

    def last_seen(id_: int) -> Entry:
        return entry(seen[id_].order, seen[id_].first_seen)

    def present(order: Order) -> Entry:
        return entry(order, seen[order.id].first_seen if order.id in seen else today)

    new = [present(order) for id_, order in read.items() if id_ not in known]
    still = [present(order) for id_, order in read.items() if id_ in known]
    assumed = [replace(last_seen(id_), unread=True) for id_ in kept]
    left = [replace(last_seen(id_), overdue=False, departure=how) for id_, how in gone.items()]
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
        gap=_gap(reading, [seen[id_].order for id_ in kept]),
        skipped_days=tuple(skipped_days),
        trend=tuple(trend),
    )


def _day_seen(account: Account, read_at: datetime, day: date) -> date:
    """The day of what is seen now: the digest's own while its time has not passed.

    A slot just before midnight is mostly read after it. But who asks today for yesterday's digest
    sees what waits today.
    """
    if read_at < account.schedule.ends(day):
        return day
    return account.schedule.local_day(read_at)


def _gap(reading: Complete | Incomplete, kept: Sequence[Order]) -> Gap | None:
    ids = {order.id for order in kept}
    numbers = {order.id: order.number for order in kept if order.number}
    match reading:
        case Incomplete():
            unread = tuple(sorted({*reading.unread, *ids}))
            return Gap(reading.why, unread, {**reading.numbers, **numbers})
        case Complete() if kept:
            why = "the source did not tell how these orders left the list"
            return Gap(why, tuple(sorted(ids)), numbers)
    return None


def _age(entry: Entry) -> tuple[date, float, int]:
    """Sort key: longest waiting first, then earliest shipped, then by number."""
    shipped = entry.order.shipped_at
    return (entry.first_seen, shipped.timestamp() if shipped else inf, entry.order.id)
