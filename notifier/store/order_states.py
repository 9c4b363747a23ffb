"""What is remembered of each account's orders between two readings, and what was hinted at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Executable, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from notifier.domain.reading_plan import HintBatch, OrderState, Quota, ReadingState
from notifier.store.meta import Meta
from notifier.store.tables import hints, sightings
from notifier.store.thread import StoreThread

MOST_HINTS = 5_000
"""Of an account, between two readings. Beyond them it is only kept that there were more."""

_MORE = 0
"""The id of no order: the row that says so."""


class OrderStates:
    """Sightings and hints of all accounts. Each method is one transaction."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def recall(self, account_id: str) -> ReadingState:
        """What is remembered of the orders of an account."""
        seen = select(sightings).where(sightings.c.account_id == account_id)
        heard = select(hints).where(hints.c.account_id == account_id)

        def load(connection: Connection) -> ReadingState:
            told = {row.order_id: row.looked_at for row in connection.execute(heard)}
            hints_lost = _MORE in told
            told.pop(_MORE, None)
            return ReadingState(
                {
                    row.order_id: OrderState(row.shipped_on, row.read_on, row.waits, row.comes_back)
                    for row in connection.execute(seen)
                },
                hints=frozenset(told),
                fresh=frozenset(id_ for id_, looked_at in told.items() if looked_at is None),
                hints_lost=hints_lost,
            )

        return await self._thread.read(load)

    async def waiting(self, account_id: str) -> int:
        """How many orders of an account waited when they were looked at last."""
        count = (
            select(func.count())
            .select_from(sightings)
            .where(sightings.c.account_id == account_id, sightings.c.waits)
        )
        return await self._thread.read(lambda c: c.execute(count).scalar() or 0)

    async def has_fresh_hints(self, account_id: str) -> bool:
        """Whether there is a hint that nobody has looked into."""
        fresh = (
            select(hints.c.order_id)
            .where(
                hints.c.account_id == account_id,
                hints.c.looked_at.is_(None),
                hints.c.order_id != _MORE,
            )
            .limit(1)
        )
        return await self._thread.read(lambda c: c.execute(fresh).scalar() is not None)

    async def remember(
        self,
        account_id: str,
        new: Mapping[int, OrderState],
        *,
        followed: Collection[int] = (),
        since: datetime,
    ) -> None:
        """Remember these instead of all before; the hints from before `since` were followed."""

        def record(connection: Connection) -> None:
            connection.execute(delete(sightings).where(sightings.c.account_id == account_id))
            _insert(connection, account_id, new)
            _forget(connection, account_id, {*followed, _MORE}, since)

        await self._thread.write(record)

    async def look(self, account_id: str, batch: HintBatch, *, at: datetime) -> None:
        """Remember what a look between two readings, begun at that instant, gave."""
        there = sightings.c.account_id == account_id, sightings.c.order_id == bindparam("number")
        looked = (
            update(hints)
            .where(
                hints.c.account_id == account_id,
                hints.c.order_id == bindparam("number"),
                hints.c.heard_at <= at,
            )
            .values(looked_at=at)
        )

        def record(connection: Connection) -> None:
            if batch.read:
                connection.execute(delete(sightings).where(*there), _numbers(batch.read))
                still = {id_: one for id_, one in batch.read.items() if one is not None}
                _insert(connection, account_id, still)
                _forget(connection, account_id, batch.read, at)
            if batch.dismissed:
                connection.execute(looked, _numbers(batch.dismissed))

        await self._thread.write(record)

    async def hint(self, account_id: str, ids: Iterable[int], *, at: datetime) -> None:
        """Remember that the marketplace named these orders; of a flood, that it was one."""
        named = tuple(dict.fromkeys(ids))
        if not named:
            return
        of_account = hints.c.account_id == account_id
        kept = select(func.count()).select_from(hints).where(of_account)
        again = select(hints.c.order_id).where(of_account, hints.c.order_id.in_(named))

        def record(connection: Connection) -> None:
            room = MOST_HINTS - (connection.execute(kept).scalar() or 0)
            known = set(connection.execute(again).scalars())
            new = [id_ for id_ in named if id_ not in known]
            taken = [*known, *new[:room], *((_MORE,) if len(new) > room else ())]
            rows = [{"account_id": account_id, "order_id": id_, "heard_at": at} for id_ in taken]
            connection.execute(_upsert(connection), rows)

        await self._thread.write(record)


def _insert(connection: Connection, account_id: str, new: Mapping[int, OrderState]) -> None:
    rows = [
        {
            "account_id": account_id,
            "order_id": id_,
            "shipped_on": one.shipped_on,
            "read_on": one.read_on,
            "waits": one.waits,
            "comes_back": one.comes_back,
        }
        for id_, one in new.items()
    ]
    if rows:
        connection.execute(insert(sightings), rows)


def _forget(connection: Connection, account_id: str, ids: Iterable[int], since: datetime) -> None:
    """These hints were followed; one that came later than `since` is a new one."""
    over = delete(hints).where(
        hints.c.account_id == account_id,
        hints.c.order_id == bindparam("number"),
        hints.c.heard_at <= since,
    )
    connection.execute(over, _numbers(ids))


def _numbers(ids: Iterable[int]) -> list[dict[str, int]]:
    return [{"number": id_} for id_ in ids]


def _upsert(connection: Connection) -> Executable:
    """A hint that is there already is as fresh as the newest."""
    key = ("account_id", "order_id")
    if connection.dialect.name == "postgresql":
        new = postgresql.insert(hints)
        return new.on_conflict_do_update(
            index_elements=key, set_={"heard_at": new.excluded.heard_at, "looked_at": None}
        )
    young = sqlite.insert(hints)
    return young.on_conflict_do_update(
        index_elements=key, set_={"heard_at": young.excluded.heard_at, "looked_at": None}
    )


@dataclass(frozen=True, slots=True)
class AccountState:
    """What is remembered of one account; a `StateStore`."""

    sightings: OrderStates
    marks: Meta
    account_id: str
    keeps: bool = True
    """Whether it may write; otherwise what is new is forgotten."""

    async def load(self) -> ReadingState:
        """What is remembered now."""
        recalled = await self.sightings.recall(self.account_id)
        kept = await self.marks.get(self._quota)
        return replace(recalled, quota=Quota.load(kept) if kept else None)

    async def save(
        self, sightings: Mapping[int, OrderState], followed: Collection[int], since: datetime
    ) -> None:
        """Remember these instead of all before."""
        if self.keeps:
            await self.sightings.remember(
                self.account_id, sightings, followed=followed, since=since
            )

    async def save_quota(self, quota: Quota) -> None:
        """Remember what is left of the day's calls."""
        if self.keeps:
            await self.marks.set(self._quota, quota.dump())

    @property
    def _quota(self) -> str:
        return f"quota.{self.account_id}"
