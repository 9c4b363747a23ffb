"""What is remembered of each account's orders between two readings, and what was hinted at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Executable, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from notifier.plan import Recollection, Sighting
from notifier.store.tables import hints, sightings
from notifier.store.thread import StoreThread


class Sightings:
    """Sightings and hints of all accounts. Each method is one transaction."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def recall(self, account_id: str) -> Recollection:
        """What is remembered of the orders of an account."""
        seen = select(sightings).where(sightings.c.account_id == account_id)
        heard = select(hints.c.order_id).where(hints.c.account_id == account_id)

        def load(connection: Connection) -> Recollection:
            return Recollection(
                {
                    row.order_id: Sighting(row.shipped_on, row.read_on, row.waits, row.comes_back)
                    for row in connection.execute(seen)
                },
                frozenset(connection.execute(heard).scalars()),
            )

        return await self._thread.read(load)

    async def remember(
        self,
        account_id: str,
        new: Mapping[int, Sighting],
        *,
        followed: Collection[int] = (),
        since: datetime,
    ) -> None:
        """Remember these instead of all before; the hints from before `since` were followed."""
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
        over = delete(hints).where(
            hints.c.account_id == account_id,
            hints.c.order_id == bindparam("number"),
            hints.c.heard_at <= since,
        )

        def record(connection: Connection) -> None:
            connection.execute(delete(sightings).where(sightings.c.account_id == account_id))
            if rows:
                connection.execute(insert(sightings), rows)
            if followed:
                connection.execute(over, [{"number": id_} for id_ in followed])

        await self._thread.write(record)

    async def hint(self, account_id: str, ids: Iterable[int], *, at: datetime) -> None:
        """Remember that the marketplace named these orders."""
        rows = [
            {"account_id": account_id, "order_id": id_, "heard_at": at}
            for id_ in dict.fromkeys(ids)
        ]

        def record(connection: Connection) -> None:
            if rows:
                connection.execute(_upsert(connection), rows)

        await self._thread.write(record)


def _upsert(connection: Connection) -> Executable:
    """A hint that is there already is as fresh as the newest."""
    key = ("account_id", "order_id")
    if connection.dialect.name == "postgresql":
        new = postgresql.insert(hints)
        return new.on_conflict_do_update(
            index_elements=key, set_={"heard_at": new.excluded.heard_at}
        )
    young = sqlite.insert(hints)
    return young.on_conflict_do_update(
        index_elements=key, set_={"heard_at": young.excluded.heard_at}
    )


@dataclass(frozen=True, slots=True)
class MemoryOf:
    """What is remembered of one account; a `Memory`."""

    sightings: Sightings
    account_id: str
    keeps: bool = True
    """Whether it may write; otherwise what is new is forgotten."""

    async def recall(self) -> Recollection:
        """What is remembered now."""
        return await self.sightings.recall(self.account_id)

    async def remember(
        self, sightings: Mapping[int, Sighting], followed: Collection[int], since: datetime
    ) -> None:
        """Remember these instead of all before."""
        if self.keeps:
            await self.sightings.remember(
                self.account_id, sightings, followed=followed, since=since
            )
