"""What the store says of itself: a few words, each under its name."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from notifier.store.tables import marks
from notifier.store.thread import StoreThread


class Meta:
    """Names and their values."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def get(self, name: str) -> str | None:
        """The value of that name, if it has one."""
        query = select(marks.c.value).where(marks.c.name == name)
        return await self._thread.read(lambda c: c.execute(query).scalar())

    async def begin(self, name: str, value: str) -> None:
        """Give that name a value unless it has one."""
        if await self.get(name) is None:
            await self.set(name, value)

    async def set(self, name: str, value: str) -> None:
        """Give that name a value."""
        there = update(marks).where(marks.c.name == name).values(value=value)
        new = insert(marks).values(name=name, value=value)

        def record(connection: Connection) -> None:
            if connection.execute(there).rowcount:
                return
            try:
                with connection.begin_nested():
                    connection.execute(new)
            except IntegrityError:  # somebody else has just given it one
                connection.execute(there)

        await self._thread.write(record)
