"""Alarms, one for each cause while it lasts, and the audit trail of people's actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from notifier.domain.alarms import Alarm, Cause
from notifier.domain.ledger import FrozenMessage, MessageKind
from notifier.i18n.messages import Message
from notifier.store.message_rows import enqueue
from notifier.store.tables import Row, alarms, audit
from notifier.store.thread import StoreThread

MAIL_LIFETIME = timedelta(days=3)
"""How long delivery of a mail about alarms is tried."""

ComposeMail = Callable[[tuple[Alarm, ...], tuple[Alarm, ...]], FrozenMessage | None]
"""Composes the mail about begun and ended alarms; None if there is nothing to report."""

_OPEN = select(alarms).where(alarms.c.ended_at.is_(None)).order_by(alarms.c.id)


def no_mail(_begun: tuple[Alarm, ...], _ended: tuple[Alarm, ...]) -> None:
    """Compose no mail."""


class Alarms:
    """The alarms. Each method is one transaction."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def open(self) -> tuple[Alarm, ...]:
        """Return the alarms that have not ended, oldest first."""
        rows = await self._thread.read(lambda c: c.execute(_OPEN).all())
        return tuple(map(_alarm, rows))

    async def begin(self, cause: Cause, *, at: datetime) -> Alarm | None:
        """Begin one alarm, and leave the others alone; return None if it is open already."""
        return await self._thread.write(lambda c: _begin(c, cause, at))

    async def reconcile(
        self,
        causes: Iterable[Cause],
        *,
        at: datetime,
        open_before: Iterable[Alarm],
        compose_mail: ComposeMail = no_mail,
    ) -> tuple[tuple[Alarm, ...], tuple[Alarm, ...]]:
        """Begin and end alarms until the open ones match `causes`; return both changes.

        `open_before` are the alarms that were open before the causes were collected; only these
        are ended. An alarm that continues keeps its start and takes the newer text. An alarm that
        another process begins at this moment is left to that process.
        """
        wanted = {cause.key: cause for cause in causes}
        may_end = {alarm.id for alarm in open_before}

        def record(connection: Connection) -> tuple[tuple[Alarm, ...], tuple[Alarm, ...]]:
            known = {row.cause: _alarm(row) for row in connection.execute(_OPEN)}
            # An alarm that began after the causes were collected cannot be among them.
            over = [a for key, a in known.items() if key not in wanted and a.id in may_end]
            ended = [alarm for alarm in over if _change(connection, alarm, {"ended_at": at})]
            for key in known.keys() & wanted.keys():
                if known[key].cause != wanted[key]:
                    _change(connection, known[key], _texts(wanted[key]))
            new = [cause for key, cause in wanted.items() if key not in known]
            begun = [_begin(connection, cause, at) for cause in new]
            changes = (
                tuple(alarm for alarm in begun if alarm),
                tuple(replace(alarm, ended_at=at) for alarm in ended),
            )
            # In the same transaction: no later call would report these changes again.
            if mail := compose_mail(*changes):
                enqueue(connection, mail, MessageKind.ALARM, at=at, give_up_at=at + MAIL_LIFETIME)
            return changes

        return await self._thread.write(record)


def _begin(connection: Connection, cause: Cause, at: datetime) -> Alarm | None:
    """Begin an alarm; return None if another process has just begun it."""
    row = {"cause": cause.key, "begun_at": at, **_texts(cause)}
    # In a savepoint: after a failed statement, PostgreSQL refuses the rest of a transaction.
    try:
        with connection.begin_nested():
            new = insert(alarms).values(**row).returning(alarms.c.id)
            return Alarm(connection.execute(new).scalar_one(), cause, at)
    except IntegrityError:
        return None


def _change(connection: Connection, alarm: Alarm, values: Mapping[str, object]) -> bool:
    """Change an open alarm; return False if it has ended meanwhile."""
    still_open = update(alarms).where(alarms.c.id == alarm.id, alarms.c.ended_at.is_(None))
    return connection.execute(still_open.values(**values)).rowcount == 1


def _texts(cause: Cause) -> dict[str, str]:
    return {"what": cause.what.dump(), "remedy": cause.remedy.dump()}


def _alarm(row: Row) -> Alarm:
    cause = Cause(row.cause, Message.load(row.what), Message.load(row.remedy))
    return Alarm(row.id, cause, row.begun_at, row.ended_at)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action of a person."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: str | None = None


class Audit:
    """The audit trail, to which entries are only added."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def record(
        self, *, at: datetime, who: str, action: str, subject: str, detail: str | None = None
    ) -> None:
        """Add an entry."""
        row = {"at": at, "who": who, "action": action, "subject": subject, "detail": detail}
        await self._thread.write(lambda c: c.execute(insert(audit).values(**row)))

    async def list(self, limit: int = 50) -> tuple[AuditEntry, ...]:
        """Return the newest entries, newest first."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        rows = await self._thread.read(lambda c: c.execute(query).all())
        return tuple(
            AuditEntry(row.id, row.at, row.who, row.action, row.subject, row.detail) for row in rows
        )
