"""The store as a whole, and how it is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine, literal, select

from notifier.domain.settings import StoreLocation
from notifier.errors import StoreBusy
from notifier.store import backup, ballast, identity, maintenance, opening
from notifier.store.alarms import Alarms
from notifier.store.audit import Audit
from notifier.store.engine import BUSY_SECONDS, empty_journal, shown, sqlite_file
from notifier.store.foreign import translated
from notifier.store.meta import Meta
from notifier.store.order_states import OrderStates
from notifier.store.outbox import Outbox
from notifier.store.runs import Runs
from notifier.store.thread import StoreThread


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose a store is."""

    name: str
    """The store as a person knows it."""
    bound: bool
    """Whether it belongs to one machine at all: one in PostgreSQL does not."""
    why_not: str | None
    """Why it is not this machine's; None when it is."""


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
        """Come back once the database has answered; raises StoreError where it cannot."""
        await self._thread.read(lambda connection: connection.execute(select(literal(1))).scalar())

    async def erase(self, before: datetime) -> int:
        """Erase what may contain names and was settled before an instant (`maintenance`)."""

        def erase(connection: Connection) -> int:
            # What was delivered since the last freeze makes another store of it, too.
            identity.advance(connection)
            return maintenance.erase(connection, before)

        touched = await self._thread.write(erase)
        # Also when nothing was touched: the last time may have ended before it came to this.
        await self._thread.between(empty_journal)
        await self._thread.between(identity.publish)
        return touched

    async def back_up(self, day: date) -> bool:
        """Make the daily copy of a SQLite store, unless there is one; whether it was made.

        It is a warning when that fails. The ballast, if it was given up, is taken on again.
        """
        file = sqlite_file(self._location.url)
        if file is None:
            return False

        def copy(_engine: Engine) -> bool:
            ballast.take_on(file)
            return backup.back_up(file, day)

        made = await self._thread.between(copy)
        if made:
            with suppress(StoreBusy):  # then whoever is busy makes it a new generation, or `erase`
                await self._thread.write(identity.advance)
                await self._thread.between(identity.publish)
        return made

    async def take_over(self) -> None:
        """Make the store this machine's, and this state of it the newest there was."""
        machine = identity.this_machine(self._location.identity)
        await self._thread.between(lambda engine: identity.take_over(engine, machine))


@asynccontextmanager
async def open_store(
    location: StoreLocation,
    *,
    read_only: bool = False,
    adopting: bool = False,
    busy_seconds: float = BUSY_SECONDS,
) -> AsyncIterator[Store]:
    """Open the store, bring it up to date, and check it; `read_only` does nothing but read.

    Opened for reading, a store that does not exist yet reads as an empty one. Raises StoreError
    for one that is lost, foreign, damaged or newer than this program, StoreBusy when another
    process holds it for longer than `busy_seconds`, StoreMoved when it was copied, moved or
    restored, unless it is opened for `adopting` it.
    """
    terms = _terms(location, adopting=adopting, busy_seconds=busy_seconds)
    ready = opening.to_read if read_only else opening.to_write
    thread = StoreThread(terms.name, read_only=read_only)
    try:
        await thread.open(lambda: ready(terms))
        yield Store(thread, location)
    finally:
        await thread.close()


def _terms(
    location: StoreLocation, *, adopting: bool = False, busy_seconds: float = BUSY_SECONDS
) -> opening.Terms:
    with translated("store.url"):
        name = shown(location.url)
    machine = identity.this_machine(location.identity)
    return opening.Terms(location.url, name, machine, adopting, busy_seconds)


def ownership(location: StoreLocation) -> Ownership:
    """Whose the store is; changes nothing. Raises StoreError where there is none to ask."""
    terms = _terms(location)
    with translated(terms.name):
        if terms.file is None:
            return Ownership(terms.name, bound=False, why_not=None)
        return Ownership(terms.name, bound=True, why_not=opening.why_not_ours(terms))
