"""Who did what by hand, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from notifier.store.tables import audit
from notifier.store.thread import StoreThread


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing a person did."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: str | None = None


class Audit:
    """The audit trail: it only grows."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def record(
        self, *, at: datetime, who: str, action: str, subject: str, detail: str | None = None
    ) -> None:
        """Write down what somebody did."""
        row = {"at": at, "who": who, "action": action, "subject": subject, "detail": detail}
        await self._thread.write(lambda c: c.execute(insert(audit).values(**row)))

    async def list(self, limit: int = 50) -> tuple[AuditEntry, ...]:
        """What was done, the newest first."""
        query = select(audit).order_by(audit.c.id.desc()).limit(limit)
        rows = await self._thread.read(lambda c: c.execute(query).all())
        return tuple(
            AuditEntry(row.id, row.at, row.who, row.action, row.subject, row.detail) for row in rows
        )
