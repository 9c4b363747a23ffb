"""What is erased, and when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Select, and_, delete, func, select, update

from notifier.ledger import RunState
from notifier.store.tables import messages, runs, snapshots

_FROZEN = (RunState.COMPLETE, RunState.INCOMPLETE)


def erase(connection: Connection, before: datetime) -> int:
    """Erase bodies settled before an instant, and snapshots nobody compares with any more.

    An account's newest snapshot stays, however old: the next digest needs it. Rows and counts
    stay too, for ledger and trend. Gives how many rows were touched.
    """
    old_body = and_(messages.c.settled_at < before, messages.c.content.is_not(None))
    bodies = connection.execute(update(messages).where(old_body).values(content=None))
    old_run = and_(runs.c.state.in_(_FROZEN), runs.c.finished_at < before)
    old_snapshot = and_(
        snapshots.c.run_id.in_(select(runs.c.id).where(old_run)),
        snapshots.c.run_id.not_in(_newest()),
    )
    return bodies.rowcount + connection.execute(delete(snapshots).where(old_snapshot)).rowcount


def _newest() -> Select[tuple[int]]:
    """Ids of the last frozen run of each account, all of its editions."""
    last = (
        select(runs.c.account_id, func.max(runs.c.day).label("day"))
        .where(runs.c.state.in_(_FROZEN))
        .group_by(runs.c.account_id)
        .subquery()
    )
    same = and_(runs.c.account_id == last.c.account_id, runs.c.day == last.c.day)
    return select(runs.c.id).join(last, same)
