"""Named values about the store as a whole or an account: times, and small values as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from notifier.store.tables import marks
from notifier.store.thread import StoreThread

T = TypeVar("T")


class Meta:
    """A key-value table with typed accessors. Each method is one transaction."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def get_time(self, name: str) -> datetime | None:
        """Return a time, or None if it was never set."""
        value = await self._get(name)
        return datetime.fromisoformat(value) if value else None

    async def set_time(self, name: str, time: datetime) -> None:
        """Set a time."""
        await self._set(name, time.isoformat())

    async def set_time_once(self, name: str, time: datetime) -> None:
        """Set a time unless it is set already."""
        if await self._get(name) is None:
            await self.set_time(name, time)

    async def get_json(self, name: str, kind: type[T]) -> T | None:
        """Return a value of a dataclass `kind`, or None if it was never set."""
        value = await self._get(name)
        return TypeAdapter(kind).validate_json(value) if value else None

    async def set_json(self, name: str, value: object) -> None:
        """Set a value that is a dataclass."""
        await self._set(name, TypeAdapter(type(value)).dump_json(value).decode())

    async def _get(self, name: str) -> str | None:
        query = select(marks.c.value).where(marks.c.name == name)
        return await self._thread.read(lambda c: c.execute(query).scalar())

    async def _set(self, name: str, value: str) -> None:
        await self._thread.write(lambda c: write_value(c, name, value))


def write_value(connection: Connection, name: str, value: str) -> None:
    """Set a value as a part of a transaction."""
    change = update(marks).where(marks.c.name == name).values(value=value)
    if connection.execute(change).rowcount:
        return
    # In a savepoint: after a failed statement, PostgreSQL refuses the rest of a transaction.
    try:
        with connection.begin_nested():
            connection.execute(insert(marks).values(name=name, value=value))
    except IntegrityError:  # another process has inserted it since the update
        connection.execute(change)
