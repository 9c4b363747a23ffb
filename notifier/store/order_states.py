"""The state of each account between two readings: its orders, and hints from the marketplace."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from notifier.domain.reading_plan import HintBatch, OrderState, Quota, ReadingState
from notifier.store.meta import Meta
from notifier.store.tables import hints, sightings
from notifier.store.thread import StoreThread

# A stolen token must not fill the disk.
MAX_HINTS = 5_000
"""Limit per account between two readings; beyond it only the overflow is recorded."""

_OVERFLOW = 0
"""The order id of the row that records the overflow; no order has this id."""


class OrderStates:
    """The orders and hints of all accounts. Each method is one transaction."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def recall(self, account_id: str) -> ReadingState:
        """Return the state of an account, without its quota."""
        known = select(sightings).where(sightings.c.account_id == account_id)
        hinted = select(hints).where(hints.c.account_id == account_id)

        def load(connection: Connection) -> ReadingState:
            looked_at = {row.order_id: row.looked_at for row in connection.execute(hinted)}
            overflowed = _OVERFLOW in looked_at
            looked_at.pop(_OVERFLOW, None)
            return ReadingState(
                {
                    row.order_id: OrderState(row.shipped_on, row.read_on, row.waits, row.comes_back)
                    for row in connection.execute(known)
                },
                hints=frozenset(looked_at),
                fresh=frozenset(order_id for order_id, at in looked_at.items() if at is None),
                hints_lost=overflowed,
            )

        return await self._thread.read(load)

    async def count_waiting(self, account_id: str) -> int:
        """Count the orders that waited when their detail was read last."""
        mine = sightings.c.account_id == account_id, sightings.c.waits
        count = select(func.count()).select_from(sightings).where(*mine)
        return await self._thread.read(lambda c: c.execute(count).scalar_one())

    async def has_fresh_hints(self, account_id: str) -> bool:
        """Return whether there is a hint whose order was not looked up yet."""
        fresh = select(hints.c.order_id).where(
            hints.c.account_id == account_id,
            hints.c.looked_at.is_(None),
            hints.c.order_id != _OVERFLOW,
        )
        return await self._thread.read(lambda c: c.execute(fresh.limit(1)).scalar() is not None)

    async def remember(
        self,
        account_id: str,
        states: Mapping[int, OrderState],
        *,
        followed: Collection[int] = (),
        since: datetime,
    ) -> None:
        """Replace all states of an account, and delete the hints that were followed.

        `since` is the time when the reading began: a hint that came later is kept.
        """

        def record(connection: Connection) -> None:
            connection.execute(delete(sightings).where(sightings.c.account_id == account_id))
            _insert(connection, account_id, states)
            # A whole reading makes up for the hints that were dropped.
            _delete_hints(connection, account_id, {*followed, _OVERFLOW}, since)

        await self._thread.write(record)

    async def record_lookup(self, account_id: str, batch: HintBatch, *, at: datetime) -> None:
        """Record the orders of a lookup between two readings; `at` is the time when it began."""
        read = sightings.c.account_id == account_id, sightings.c.order_id == bindparam("number")
        dismissed = _hints_until(account_id, at)

        def record(connection: Connection) -> None:
            if batch.read:
                connection.execute(delete(sightings).where(*read), _numbers(batch.read))
                listed = {order_id: state for order_id, state in batch.read.items() if state}
                _insert(connection, account_id, listed)
                _delete_hints(connection, account_id, batch.read, at)
            # A dismissed hint is kept for the next reading, but is not looked up again.
            if batch.dismissed:
                looked_at = update(hints).where(*dismissed).values(looked_at=at)
                connection.execute(looked_at, _numbers(batch.dismissed))

        await self._thread.write(record)

    async def add_hints(self, account_id: str, ids: Iterable[int], *, at: datetime) -> None:
        """Record the orders that the marketplace named, and whether some exceed the limit."""
        # Each once, since the limit counts orders.
        named = tuple(dict.fromkeys(ids))
        if not named:
            return
        mine = hints.c.account_id == account_id
        count = select(func.count()).select_from(hints).where(mine)
        repeated = select(hints.c.order_id).where(mine, hints.c.order_id.in_(named))

        def record(connection: Connection) -> None:
            space = MAX_HINTS - connection.execute(count).scalar_one()
            known = set(connection.execute(repeated).scalars())
            new = [order_id for order_id in named if order_id not in known]
            kept = [*known, *new[:space], *((_OVERFLOW,) if len(new) > space else ())]
            rows = [{"account_id": account_id, "order_id": id_, "heard_at": at} for id_ in kept]
            # A repeated hint is fresh again. Both databases spell the upsert in the same way.
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            insertion = dialect.insert(hints)
            upsert = insertion.on_conflict_do_update(
                index_elements=("account_id", "order_id"),
                set_={"heard_at": insertion.excluded.heard_at, "looked_at": None},
            )
            connection.execute(upsert, rows)

        await self._thread.write(record)


def _insert(connection: Connection, account_id: str, states: Mapping[int, OrderState]) -> None:
    rows = [{"account_id": account_id, "order_id": i, **asdict(s)} for i, s in states.items()]
    if rows:
        connection.execute(insert(sightings), rows)


def _delete_hints(
    connection: Connection, account_id: str, ids: Iterable[int], until: datetime
) -> None:
    connection.execute(delete(hints).where(*_hints_until(account_id, until)), _numbers(ids))


def _hints_until(account_id: str, until: datetime) -> tuple[ColumnElement[bool], ...]:
    """Match the hint about the order `number` that came until an instant; a later one is new."""
    return (
        hints.c.account_id == account_id,
        hints.c.order_id == bindparam("number"),
        hints.c.heard_at <= until,
    )


def _numbers(ids: Iterable[int]) -> list[dict[str, int]]:
    return [{"number": order_id} for order_id in ids]


@dataclass(frozen=True, slots=True)
class AccountState:
    """The stored state of one account; implements `StateStore`."""

    states: OrderStates
    meta: Meta
    account_id: str
    writable: bool = True
    """Whether changes are stored; otherwise they are dropped, as in a preview."""

    async def load(self) -> ReadingState:
        """Return the present state."""
        state = await self.states.recall(self.account_id)
        return replace(state, quota=await self.meta.get_json(self._quota_name, Quota))

    async def save(
        self, order_states: Mapping[int, OrderState], followed: Collection[int], since: datetime
    ) -> None:
        """Replace all order states; see `OrderStates.remember`."""
        if self.writable:
            await self.states.remember(
                self.account_id, order_states, followed=followed, since=since
            )

    async def save_quota(self, quota: Quota) -> None:
        """Store the rest of the day's calls."""
        if self.writable:
            await self.meta.set_json(self._quota_name, quota)

    @property
    def _quota_name(self) -> str:
        return f"quota.{self.account_id}"
