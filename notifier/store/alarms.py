"""The alarms: each cause once, from its beginning to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from notifier.domain.alarms import Alarm, Cause
from notifier.domain.ledger import FrozenMessage, MessageKind
from notifier.i18n.messages import Message
from notifier.store.outbox import enqueue
from notifier.store.tables import Row, alarms
from notifier.store.thread import StoreThread

TOLD_FOR = timedelta(days=3)
"""How long a mail to the admin is tried."""

Letter = Callable[[tuple[Alarm, ...], tuple[Alarm, ...]], FrozenMessage | None]
"""Words the mail about what begun and what ended; None when there is nothing to tell."""

_OPEN = select(alarms).where(alarms.c.ended_at.is_(None)).order_by(alarms.c.id)


def no_letter(_begun: tuple[Alarm, ...], _ended: tuple[Alarm, ...]) -> None:
    """Tell nobody."""


class Alarms:
    """The alarms. Each method is one transaction."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def open(self) -> tuple[Alarm, ...]:
        """Those that have not ended, oldest first."""
        rows = await self._thread.read(lambda c: c.execute(_OPEN).all())
        return tuple(map(_alarm, rows))

    async def begin(self, cause: Cause, *, at: datetime) -> Alarm | None:
        """Begin an alarm beside the others; None when it is open already."""
        return await self._thread.write(lambda connection: _begin(connection, cause, at))

    async def reconcile(
        self,
        causes: Iterable[Cause],
        *,
        at: datetime,
        seen: Iterable[Alarm],
        letter: Letter = no_letter,
    ) -> tuple[tuple[Alarm, ...], tuple[Alarm, ...]]:
        """Make the open alarms those of these causes; gives what begun and what ended with it.

        `seen` were open before anybody looked for causes: what began meanwhile is not ended by
        who could not know of it. An alarm that goes on keeps its beginning, and takes the newer
        words. One that another process has begun at this very moment is its to tell. The mail that
        tells of them, if `letter` words one, is in the outbox with it: a crash loses neither.
        """
        wanted = {cause.key: cause for cause in causes}
        may_end = {alarm.id for alarm in seen}

        def record(connection: Connection) -> tuple[tuple[Alarm, ...], tuple[Alarm, ...]]:
            known = {row.cause: _alarm(row) for row in connection.execute(_OPEN)}
            gone = [alarm for key, alarm in known.items() if key not in wanted]
            over = [alarm for alarm in gone if alarm.id in may_end]
            ended = [alarm for alarm in over if _change(connection, alarm, {"ended_at": at})]
            for key in known.keys() & wanted.keys():
                _reword(connection, known[key], wanted[key])
            new = [cause for key, cause in wanted.items() if key not in known]
            begun = [_begin(connection, cause, at) for cause in new]
            changes = (
                tuple(alarm for alarm in begun if alarm),
                tuple(replace(alarm, ended_at=at) for alarm in ended),
            )
            _post(connection, letter(*changes), at)
            return changes

        return await self._thread.write(record)


def _post(connection: Connection, message: FrozenMessage | None, at: datetime) -> None:
    if message:
        enqueue(connection, message, MessageKind.ALARM, at=at, give_up_at=at + TOLD_FOR)


def _begin(connection: Connection, cause: Cause, at: datetime) -> Alarm | None:
    """Begin an alarm; None when somebody else just has."""
    row = {"cause": cause.key, "begun_at": at, **_words(cause)}
    try:
        with connection.begin_nested():
            new = insert(alarms).values(**row).returning(alarms.c.id)
            return Alarm(connection.execute(new).scalar_one(), cause, at)
    except IntegrityError:
        return None


def _reword(connection: Connection, alarm: Alarm, cause: Cause) -> None:
    if alarm.cause != cause:
        _change(connection, alarm, _words(cause))


def _change(connection: Connection, alarm: Alarm, values: Mapping[str, object]) -> bool:
    """Change an alarm that has not ended; False when it has."""
    still_open = update(alarms).where(alarms.c.id == alarm.id, alarms.c.ended_at.is_(None))
    return connection.execute(still_open.values(**values)).rowcount == 1


def _words(cause: Cause) -> dict[str, str]:
    return {"what": cause.what.dump(), "remedy": cause.remedy.dump()}


def _alarm(row: Row) -> Alarm:
    cause = Cause(row.cause, Message.load(row.what), Message.load(row.remedy))
    return Alarm(row.id, cause, row.begun_at, row.ended_at)
