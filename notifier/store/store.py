"""The store as a whole: its parts, its maintenance, and its opening."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine, Select, and_, delete, func, literal, or_, select

from notifier.domain.ledger import MessageState
from notifier.domain.settings import StoreLocation
from notifier.errors import StoreBusy
from notifier.store import disk, identity, opening
from notifier.store.alarms import Alarms, Audit
from notifier.store.engine import (
    BUSY_SECONDS,
    display_name,
    empty_journal,
    sqlite_file,
    translate_errors,
)
from notifier.store.meta import Meta
from notifier.store.order_states import OrderStates
from notifier.store.outbox import Outbox
from notifier.store.runs import FROZEN, Runs
from notifier.store.tables import bodies, messages, runs, snapshots
from notifier.store.thread import StoreThread

_WAITING = tuple(state for state in MessageState if state.waiting)
# The next digest is compared with the last one, a further edition of the last day with the day
# before it.
_DAYS_COMPARED = 2


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whether a store belongs to this machine."""

    name: str
    """The store's name for people."""
    bound: bool
    """Whether the store belongs to one machine at all; a store in PostgreSQL does not."""
    mismatch: str | None
    """Why it does not belong to this machine; None if it does."""


class Store:
    """An open store."""

    def __init__(self, thread: StoreThread, location: StoreLocation) -> None:
        self._thread = thread
        self._location = location
        self.runs = Runs(thread)
        self.outbox = Outbox(thread)
        self.alarms = Alarms(thread)
        self.audit = Audit(thread)
        self.meta = Meta(thread)
        self.order_states = OrderStates(thread)

    async def answer(self) -> None:
        """Return once the database answers; raise StoreError if it does not."""
        await self._thread.read(lambda connection: connection.execute(select(literal(1))).scalar())

    async def erase(self, before: datetime) -> int:
        """Erase messages and snapshots that are no longer needed; return the number of rows.

        Erase the bodies of messages settled before that instant, and snapshots of runs finished
        before it, except those of each account's two newest frozen days. All other rows stay.
        """

        def erase(connection: Connection) -> int:
            # Deliveries since the last freeze changed the store too.
            identity.advance(connection)
            return _erase(connection, before)

        erased = await self._thread.write(erase)
        # Even if nothing was erased: the previous process may have died before this step.
        await self._thread.outside_transaction(empty_journal)
        await self._thread.outside_transaction(identity.update_mark)
        return erased

    async def back_up(self, day: date) -> bool:
        """Make the daily backup of a SQLite store if it is missing; return whether one was made.

        A failure is only logged as a warning. A ballast that was deleted is created again.
        """
        file = sqlite_file(self._location.url)
        if file is None:
            return False

        def copy(_engine: Engine) -> bool:
            disk.create_ballast(file)
            return disk.back_up(file, day)

        made = await self._thread.outside_transaction(copy)
        if made:
            # The store is now newer than its backup, which is refused if it is restored. A process
            # that keeps the store busy starts a new generation itself.
            with suppress(StoreBusy):
                await self._thread.write(identity.advance)
                await self._thread.outside_transaction(identity.update_mark)
        return made

    async def take_over(self) -> None:
        """Bind the store to this machine, and make its state the newest generation."""
        machine = identity.this_machine(self._location.identity)
        await self._thread.outside_transaction(lambda engine: identity.take_over(engine, machine))


def _erase(connection: Connection, before: datetime) -> int:
    # Messages of an account that is no longer configured are never given up, so never settled.
    abandoned = and_(messages.c.state.in_(_WAITING), messages.c.give_up_at < before)
    settled = or_(messages.c.settled_at < before, abandoned)
    old_body = bodies.c.message_id.in_(select(messages.c.id).where(settled))
    erased = connection.execute(delete(bodies).where(old_body))
    old_run = and_(runs.c.state.in_(FROZEN), runs.c.finished_at < before)
    old_snapshot = and_(
        snapshots.c.run_id.in_(select(runs.c.id).where(old_run)),
        snapshots.c.run_id.not_in(_runs_compared()),
    )
    return erased.rowcount + connection.execute(delete(snapshots).where(old_snapshot)).rowcount


def _runs_compared() -> Select[tuple[int]]:
    """Select the ids of all runs on each account's newest frozen days."""
    age = func.dense_rank().over(partition_by=runs.c.account_id, order_by=runs.c.day.desc())
    frozen = select(runs.c.id, age.label("age")).where(runs.c.state.in_(FROZEN)).subquery()
    return select(frozen.c.id).where(frozen.c.age <= _DAYS_COMPARED)


@asynccontextmanager
async def open_store(
    location: StoreLocation,
    *,
    read_only: bool = False,
    adopting: bool = False,
    busy_seconds: float = BUSY_SECONDS,
) -> AsyncIterator[Store]:
    """Open a store, check it, and bring it up to date; with `read_only` change nothing.

    A store that does not exist yet reads as an empty one. Raise StoreError for a store that is
    lost, foreign, damaged or newer than this program, StoreBusy if another process holds it longer
    than `busy_seconds`, and StoreMoved, unless `adopting`, if it was copied, moved or restored.
    """
    target = _target(location, adopting=adopting, busy_seconds=busy_seconds)
    open_engine = opening.open_for_reading if read_only else opening.open_for_writing
    thread = StoreThread(target.name, read_only=read_only)
    try:
        await thread.open(lambda: open_engine(target))
        yield Store(thread, location)
    finally:
        await thread.close()


def ownership(location: StoreLocation) -> Ownership:
    """Return whether the store belongs to this machine. Raise StoreError if there is no store."""
    target = _target(location)
    with translate_errors(target.name):
        if target.file is None:
            return Ownership(target.name, bound=False, mismatch=None)
        return Ownership(target.name, bound=True, mismatch=opening.mismatch(target))


def _target(
    location: StoreLocation, *, adopting: bool = False, busy_seconds: float = BUSY_SECONDS
) -> opening.Target:
    with translate_errors("store.url"):
        name = display_name(location.url)
    machine = identity.this_machine(location.identity)
    return opening.Target(location.url, name, machine, adopting, busy_seconds)
