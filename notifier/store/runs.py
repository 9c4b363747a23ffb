"""The run ledger: for each account and day whether it was run, the result, and the snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Update,
    and_,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from notifier.domain.digest import Digest, Snapshot
from notifier.domain.ledger import (
    AUTOMATIC_EDITION,
    FrozenMessage,
    MessageKind,
    MessageState,
    Run,
    RunState,
)
from notifier.errors import StoreError
from notifier.store import identity
from notifier.store.message_rows import enqueue
from notifier.store.snapshots import load_snapshot, save_snapshot
from notifier.store.tables import Row, messages, runs
from notifier.store.thread import StoreThread

FROZEN = (RunState.COMPLETE, RunState.INCOMPLETE)


class Runs:
    """The run ledger. Each method is one transaction."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def begin(
        self,
        account_id: str,
        day: date,
        *,
        at: datetime,
        lease: timedelta,
        holder: str,
        edition: int = AUTOMATIC_EDITION,
        reason: str | None = None,
    ) -> Run | None:
        """Begin the run of a day; return None if it is settled or another process runs it.

        A run that failed, or whose lease is over, is begun again.
        """
        claim = {
            "state": RunState.RUNNING,
            "begun_at": at,
            "finished_at": None,
            "holder": holder,
            "leased_until": at + lease,
            "why": None,
        }

        def take(connection: Connection) -> Run | None:
            key = _key(account_id, day, edition)
            taken = connection.execute(update(runs).where(key, _free(at)).values(**claim))
            if taken.rowcount == 0:
                # Either no row exists yet, or it is not free. The unique key decides which.
                new = {"account_id": account_id, "day": day, "edition": edition, "reason": reason}
                if not _insert_unless_there(connection, new | claim):
                    return None
            return _run(connection.execute(_runs().where(key)).one())

        return await self._thread.write(take)

    async def freeze(
        self,
        run: Run,
        digest: Digest,
        frozen: Sequence[FrozenMessage],
        *,
        at: datetime,
        give_up_at: datetime,
    ) -> Run:
        """Record run, snapshot and messages in one transaction; after it, a crash loses nothing.

        Raise StoreError if the lease is over and another process took the run.
        """
        result = {
            "state": RunState.INCOMPLETE if digest.gap else RunState.COMPLETE,
            "finished_at": at,
            "why": digest.gap.why if digest.gap else None,
            "waiting": len(digest.present),
            "new": len(digest.new),
            "collected": len(digest.collected),
        }

        def record(connection: Connection) -> Run:
            self._finish(connection, run, result)
            save_snapshot(connection, run.id, digest.snapshot.known)
            connection.execute(_discard_notices(run, at))
            for message in frozen:
                enqueue(
                    connection, message, MessageKind.DIGEST, run=run, at=at, give_up_at=give_up_at
                )
            # From now on, a backup made before this digest is refused: it would send it again.
            identity.advance(connection)
            return _run(connection.execute(_runs().where(runs.c.id == run.id)).one())

        recorded = await self._thread.write(record)
        await self._thread.outside_transaction(identity.update_mark)
        return recorded

    async def fail(self, run: Run, why: str, *, at: datetime) -> Run:
        """Record that a run failed; it may be begun again later."""
        return await self._end(run, RunState.FAILED, why, at)

    async def interrupt(self, run: Run, why: str) -> Run:
        """Record that a run was stopped early; it may be begun again at once."""
        # Without an end, the pause that follows a failed run does not apply.
        return await self._end(run, RunState.FAILED, why, None)

    async def abandon(self, run: Run, why: str, *, at: datetime) -> Run:
        """Record that the clock was wrong, so the day stays open."""
        return await self._end(run, RunState.ABANDONED, why, at)

    async def end_leases(self, at: datetime) -> None:
        """End the leases of all runs in progress, so that they may be begun again."""
        running = update(runs).where(runs.c.state == RunState.RUNNING)
        await self._thread.write(lambda c: c.execute(running.values(leased_until=at)))

    async def skip(self, account_id: str, days: Iterable[date], why: str, *, at: datetime) -> None:
        """Record days as skipped: they have no digest and will have none.

        A day that failed keeps the reason of its failure. Days that are settled or in progress are
        left alone.
        """
        wanted = sorted(days)
        if not wanted:
            return
        skipped = {"state": RunState.SKIPPED, "finished_at": at}
        over = {"why": func.coalesce(runs.c.why, why), "holder": None, "leased_until": None}

        def record(connection: Connection) -> None:
            for day in wanted:
                key = _key(account_id, day, AUTOMATIC_EDITION)
                begun = update(runs).where(key, _free(at)).values(**skipped, **over)
                if connection.execute(begun).rowcount == 0:
                    new = {"account_id": account_id, "day": day, "edition": AUTOMATIC_EDITION}
                    _insert_unless_there(connection, new | skipped | {"begun_at": at, "why": why})

        await self._thread.write(record)

    async def settled_days(self, account_id: str, since: date) -> dict[date, bool]:
        """Return the days from `since` on that were begun, and whether each is settled."""
        query = select(runs.c.day, runs.c.state).where(
            runs.c.account_id == account_id,
            runs.c.day >= since,
            runs.c.edition == AUTOMATIC_EDITION,
        )
        rows = await self._thread.read(lambda c: c.execute(query).all())
        return {row.day: RunState(row.state).settled for row in rows}

    async def latest(self, account_id: str, day: date) -> Run | None:
        """Return the run of the highest edition of a day."""
        query = (
            _runs()
            .where(runs.c.account_id == account_id, runs.c.day == day)
            .order_by(runs.c.edition.desc())
            .limit(1)
        )
        row = await self._thread.read(lambda c: c.execute(query).first())
        return _run(row) if row else None

    async def list(self, *, account_id: str | None = None, limit: int = 30) -> tuple[Run, ...]:
        """Return runs, newest day and edition first."""
        query = _runs().order_by(runs.c.day.desc(), runs.c.account_id, runs.c.edition.desc())
        if account_id is not None:
            query = query.where(runs.c.account_id == account_id)
        rows = await self._thread.read(lambda c: c.execute(query.limit(limit)).all())
        return tuple(map(_run, rows))

    async def snapshot_before(self, account_id: str, day: date) -> Snapshot | None:
        """Return the snapshot that the digest of a day is compared with.

        It holds the orders of the last frozen run of an earlier day, and those that only the
        previous edition of the same day had. None if there is neither, and if the earlier day's
        orders were erased: compared with no orders, everything would be new.
        """
        frozen = and_(runs.c.account_id == account_id, runs.c.state.in_(FROZEN))
        newest = _runs().where(frozen).order_by(runs.c.day.desc(), runs.c.edition.desc()).limit(1)

        def load(connection: Connection) -> Snapshot | None:
            # Of an earlier day: compared with an edition of the same day, no order would be new.
            before = connection.execute(newest.where(runs.c.day < day)).first()
            today = connection.execute(newest.where(runs.c.day == day)).first()
            known = load_snapshot(connection, before.id) if before else {}
            if before and before.waiting and not known:
                return None
            earlier = load_snapshot(connection, today.id) if today else {}
            if before is None and not earlier:
                return None
            since = connection.execute(select(func.min(runs.c.day)).where(frozen)).scalar_one()
            whole = and_(frozen, runs.c.state == RunState.COMPLETE, runs.c.day < day)
            return Snapshot(
                before.day if before else day,
                since,
                known,
                ever_complete=connection.execute(select(func.count()).where(whole)).scalar_one()
                > 0,
                earlier={id_: order for id_, order in earlier.items() if id_ not in known},
            )

        return await self._thread.read(load)

    async def skipped_since(
        self, account_id: str, after: date | None, before: date
    ) -> tuple[date, ...]:
        """Return the skipped days between two days, oldest first; `after` None means all before."""
        query = select(runs.c.day).where(
            runs.c.account_id == account_id, runs.c.state == RunState.SKIPPED, runs.c.day < before
        )
        if after is not None:
            query = query.where(runs.c.day > after)
        days = await self._thread.read(
            lambda c: c.execute(query.order_by(runs.c.day)).scalars().all()
        )
        return tuple(days)

    async def trend(
        self, account_id: str, day: date, days: int = 14
    ) -> tuple[tuple[date, int | None], ...]:
        """Return the number of waiting orders on each of the `days` before `day`.

        It begins with the account's first run. None means a day without a complete list.
        """
        mine = runs.c.account_id == account_id
        window = [day - timedelta(days=back) for back in range(days, 0, -1)]
        complete = (
            select(runs.c.day, runs.c.waiting)
            .where(mine, runs.c.state == RunState.COMPLETE, runs.c.day.in_(window))
            .order_by(runs.c.day, runs.c.edition)  # so that the last edition stays in the dict
        )

        def load(connection: Connection) -> tuple[tuple[date, int | None], ...]:
            first = connection.execute(select(func.min(runs.c.day)).where(mine)).scalar()
            counts = {row.day: row.waiting for row in connection.execute(complete)}
            return tuple((day, counts.get(day)) for day in window if first and day >= first)

        return await self._thread.read(load)

    async def _end(self, run: Run, state: RunState, why: str, at: datetime | None) -> Run:
        def record(connection: Connection) -> Run:
            self._finish(connection, run, {"state": state, "finished_at": at, "why": why})
            return _run(connection.execute(_runs().where(runs.c.id == run.id)).one())

        return await self._thread.write(record)

    @staticmethod
    def _finish(connection: Connection, run: Run, result: Mapping[str, object]) -> None:
        """Settle a run, or raise StoreError if another process took it: one update and a count."""
        # If another process began the run again, `begun_at` is the only difference in its row.
        ours = and_(
            runs.c.id == run.id, runs.c.state == RunState.RUNNING, runs.c.begun_at == run.begun_at
        )
        free = {"holder": None, "leased_until": None}
        if connection.execute(update(runs).where(ours).values(**result, **free)).rowcount != 1:
            raise StoreError(
                f"the run of {run.account_id} for {run.day} was taken over by another process; "
                "nothing of this one was recorded"
            )


def _discard_notices(run: Run, at: datetime) -> Update:
    """Discard pending notices of an unreadable list, since the list was read after all."""
    # A message in hand is left alone: it may be on its way.
    waiting = (MessageState.QUEUED, MessageState.DEFERRED)
    mine = and_(messages.c.run_id == run.id, messages.c.kind == MessageKind.NOTICE)
    discarded = {"state": MessageState.DISCARDED, "settled_at": at, "next_try_at": None}
    return update(messages).where(mine, messages.c.state.in_(waiting)).values(**discarded)


def _key(account_id: str, day: date, edition: int) -> ColumnElement[bool]:
    return and_(runs.c.account_id == account_id, runs.c.day == day, runs.c.edition == edition)


def _free(at: datetime) -> ColumnElement[bool]:
    """Match runs that may be begun again: failed, abandoned, or of a dead process."""
    died = and_(runs.c.state == RunState.RUNNING, runs.c.leased_until <= at)
    return or_(runs.c.state.in_((RunState.FAILED, RunState.ABANDONED)), died)


def _insert_unless_there(connection: Connection, row: Mapping[str, object]) -> bool:
    """Insert a run; return False if another process has inserted its day and edition."""
    # In a savepoint: after a failed statement, PostgreSQL refuses the rest of a transaction.
    try:
        with connection.begin_nested():
            connection.execute(insert(runs).values(**row))
    except IntegrityError:
        return False
    return True


def _runs() -> Select[Row]:
    """Select runs with the numbers of their digests, and of those that were sent."""
    mine = and_(messages.c.run_id == runs.c.id, messages.c.kind == MessageKind.DIGEST)
    count = select(func.count()).where(mine)
    sent = count.where(messages.c.state == MessageState.SENT)
    return select(
        runs, count.scalar_subquery().label("messages"), sent.scalar_subquery().label("sent")
    )


def _run(row: Row) -> Run:
    return Run(
        id=row.id,
        account_id=row.account_id,
        day=row.day,
        edition=row.edition,
        state=RunState(row.state),
        begun_at=row.begun_at,
        finished_at=row.finished_at,
        reason=row.reason,
        why=row.why,
        waiting=row.waiting,
        new=row.new,
        collected=row.collected,
        messages=row.messages,
        sent=row.sent,
    )
