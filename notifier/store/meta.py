"""Named values about the store as a whole or an account: times, and small values as JSON."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from notifier.store.tables import marks
from notifier.store.thread import StoreThread


class Meta:
    """A key-value table Each method is one transaction."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def begin(self, name: str, value: str) -> None:
        """Set a value unless it is set already."""
        if await self.get(name) is None:
            await self.set(name, value)

    async def get(self, name: str) -> str | None:
        """Return a value, or None if it was never set."""
        query = select(marks.c.value).where(marks.c.name == name)
        return await self._thread.read(lambda c: c.execute(query).scalar())

    async def set(self, name: str, value: str) -> None:
        """Set a value."""
        await self._thread.write(lambda c: write_value(c, name, value))


def write_value(connection: Connection, name: str, value: str) -> None:
    """Set a value as a part of a transaction."""
    change = update(marks).where(marks.c.name == name).values(value=value)
    if connection.execute(change).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(marks).values(name=name, value=value))
    except IntegrityError:  # another process has set it at this moment
        connection.execute(change)
