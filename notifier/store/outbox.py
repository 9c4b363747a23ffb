"""The outbox: frozen messages until they are delivered, and every attempt to deliver them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    Update,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from notifier.domain.ledger import (
    Attempt,
    Decision,
    FrozenMessage,
    MessageKind,
    MessageState,
    OutboxMessage,
    Outcome,
    Run,
)
from notifier.errors import StoreError
from notifier.store.message_rows import (
    HAS_BODY,
    WITH_BODY,
    enqueue,
    of_accounts,
    select_messages,
    to_message,
)
from notifier.store.tables import Instant, Row, Words, attempts, audit, messages, runs
from notifier.store.thread import StoreThread

_IN_HAND = (MessageState.SENDING, MessageState.DOT)
_AGAIN = (MessageState.DEFERRED, MessageState.UNKNOWN)
_WAITING = tuple(state for state in MessageState if state.waiting)
_UNCLAIMED = {"holder": None, "leased_until": None}

# The statements of every delivery are built once, since building one takes longer than running it.
# The values to set are parameters with the names of the columns.
_NOW = bindparam("now", type_=Instant())
_NUMBER: BindParameter[int] = bindparam("number", type_=BigInteger())
_NEW_ATTEMPT = insert(attempts).returning(attempts.c.id)
# The lease is checked once more: after its end, another process may send the message.
_MARK_DOT = (
    update(messages)
    .where(
        messages.c.id == _NUMBER,
        messages.c.holder == bindparam("who"),
        messages.c.state == MessageState.SENDING,
        messages.c.leased_until > _NOW,
    )
    .values(state=MessageState.DOT)
)
_ATTEMPT = update(attempts).where(attempts.c.id == _NUMBER)
_END_OPEN_ATTEMPT = _ATTEMPT.where(attempts.c.ended_at.is_(None))
_ADD_LATE_REPLY = _ATTEMPT.values(
    reply=func.coalesce(attempts.c.reply, "").concat(bindparam("late", type_=Words()))
)
_SETTLE = update(messages).where(messages.c.id == _NUMBER)
_SETTLE_IN_HAND = _SETTLE.where(messages.c.state.in_(_IN_HAND))


@dataclass(frozen=True, slots=True)
class Claim:
    """A message in its state before the claim, and the attempt that began with the claim."""

    message: OutboxMessage
    attempt: int
    holder: str


class Outbox:
    """The outbox. Each method is one transaction."""

    def __init__(self, thread: StoreThread) -> None:
        self._thread = thread

    async def post(
        self,
        message: FrozenMessage,
        kind: MessageKind,
        *,
        run: Run | None = None,
        at: datetime,
        give_up_at: datetime,
    ) -> bool:
        """Add a message that is no digest; return False if it is in the outbox already."""

        def record(connection: Connection) -> bool:
            try:
                with connection.begin_nested():
                    enqueue(connection, message, kind, run=run, at=at, give_up_at=give_up_at)
            except IntegrityError:
                return False
            return True

        return await self._thread.write(record)

    async def hold_unknown(
        self, at: datetime, *, account_ids: Collection[str] | None = None
    ) -> tuple[OutboxMessage, ...]:
        """Hold every message that the server may have accepted; return them.

        These are unknown messages, and those whose process died after the mark before the dot.
        """
        dead = and_(messages.c.state == MessageState.DOT, messages.c.leased_until <= at)
        unknown = and_(
            or_(messages.c.state == MessageState.UNKNOWN, dead), of_accounts(account_ids)
        )
        return await self._thread.write(lambda c: _settle_all(c, unknown, MessageState.HELD, at))

    async def hold_all(self, at: datetime) -> tuple[OutboxMessage, ...]:
        """Hold every pending message, even if a process has claimed it; return them."""
        pending = messages.c.state.in_(_WAITING)
        return await self._thread.write(lambda c: _settle_all(c, pending, MessageState.HELD, at))

    async def claim(
        self,
        *,
        at: datetime,
        holder: str,
        lease: timedelta,
        account_ids: Collection[str] | None = None,
        unknown_too: bool = True,
    ) -> Claim | None:
        """Claim the oldest message that may be tried now, and begin an attempt; None without one.

        The message has its content, and its state before the claim. In the state `dot`, a server
        may have accepted it and the reply was lost. If the process of an earlier attempt died, that
        attempt ends here: as unknown after the mark, else as deferred. Without `unknown_too`,
        messages that a server may have accepted are left alone: see `hold_unknown`.
        """
        accounts = None if account_ids is None else frozenset(account_ids)
        candidates, take_one = _claim(accounts, unknown_too)
        claim = {"state": MessageState.SENDING, "holder": holder, "leased_until": at + lease}

        def take(connection: Connection) -> Claim | None:
            while row := connection.execute(candidates, {"now": at}).first():
                # The same conditions again, and a count: another process may take the same message
                # at this moment.
                taken = connection.execute(take_one, {"now": at, "number": row.id, **claim})
                if taken.rowcount:
                    _end_dead_attempt(connection, row, at)
                    # In the same transaction: that saves a commit for each message, and a crash at
                    # any moment leaves a trace.
                    begun = {"message_id": row.id, "started_at": at, "outcome": Outcome.STARTED}
                    attempt = connection.execute(_NEW_ATTEMPT, begun).scalar_one()
                    return Claim(to_message(row, row.content), attempt, holder)
            return None

        return await self._thread.write(take)

    async def mark_dot(self, claim: Claim, *, at: datetime) -> None:
        """Record that the final dot follows. Raise StoreError if the claim is no longer ours."""
        number = claim.message.id

        def mark(connection: Connection) -> None:
            claimed = {"number": number, "who": claim.holder, "now": at}
            if connection.execute(_MARK_DOT, claimed).rowcount != 1:
                raise StoreError(
                    f"message {number} was taken over by another process; it was not sent"
                )

        await self._thread.write(mark)

    async def settle(
        self,
        claim: Claim,
        *,
        outcome: Outcome,
        state: MessageState,
        at: datetime,
        phase: str | None,
        reply: str | None,
        next_try_at: datetime | None = None,
    ) -> None:
        """Record the outcome of an attempt, and the new state of its message.

        If another process has claimed or settled the message since, only an acceptance changes it.
        """
        ended = {"ended_at": at, "outcome": outcome, "phase": phase, "reply": reply}
        settled_at = None if state.waiting else at
        result = {"state": state, "receipt": reply, "settled_at": settled_at, **_UNCLAIMED}
        result["next_try_at"] = next_try_at

        def record(connection: Connection) -> None:
            settled = {"number": claim.message.id, **result}
            attempt = {"number": claim.attempt, **ended}
            in_time = connection.execute(_END_OPEN_ATTEMPT, attempt).rowcount == 1
            if not in_time:
                # The lease was over, and another process ended this attempt. It keeps that outcome,
                # which explains why a copy was sent meanwhile.
                late = {"number": claim.attempt, "late": f"; {outcome} late: {reply}"}
                connection.execute(_ADD_LATE_REPLY, late)
            # The server has an accepted message, even if another process has claimed it since.
            if outcome is Outcome.ACCEPTED:
                connection.execute(_SETTLE, settled)
            elif in_time:
                connection.execute(_SETTLE_IN_HAND, settled)

        # If the outcome of a sent message is not recorded, the message is sent again.
        await self._thread.write_at_any_cost(record)

    async def give_up(
        self, at: datetime, *, account_ids: Collection[str] | None = None
    ) -> tuple[OutboxMessage, ...]:
        """Fail the messages that were not accepted in time; return them."""
        late = and_(
            messages.c.give_up_at <= at,
            or_(messages.c.state.in_((MessageState.QUEUED, *_AGAIN)), _abandoned(at)),
            of_accounts(account_ids),
        )
        return await self._thread.write(lambda c: _settle_all(c, late, MessageState.FAILED, at))

    async def hasten(self, at: datetime, *, account_ids: Collection[str] | None = None) -> int:
        """Make every message that waits for its next try due now; return their number."""
        later = and_(
            messages.c.state.in_(_AGAIN), messages.c.next_try_at > at, of_accounts(account_ids)
        )
        due = update(messages).where(later).values(next_try_at=at)
        return await self._thread.write(lambda c: c.execute(due).rowcount)

    async def decide(
        self, number: int, decision: Decision, *, who: str, at: datetime, give_up_at: datetime
    ) -> bool:
        """Apply a person's decision, and record it in the audit trail.

        Return False if the state of the message does not allow it, or its body was erased.
        """
        decidable = and_(messages.c.id == number, messages.c.state.in_(decision.allowed_in))
        new: dict[str, object] = {"next_try_at": None}
        if decision is Decision.DISCARD:
            new |= {"state": MessageState.DISCARDED, "settled_at": at}
        else:
            new |= {"state": MessageState.QUEUED, "settled_at": None, "give_up_at": give_up_at}
            decidable = and_(decidable, HAS_BODY)
        entry = {"at": at, "who": who, "action": decision, "subject": f"message {number}"}

        def record(connection: Connection) -> bool:
            decided = update(messages).where(decidable).values(**new)
            if connection.execute(decided).rowcount != 1:
                return False
            connection.execute(insert(audit).values(**entry))
            return True

        return await self._thread.write(record)

    async def find(self, recipient: str, day: date, *, account_id: str | None) -> int | None:
        """Return the number of the digest of a day to a recipient, in its last edition."""
        query = (
            select(messages.c.id)
            .join(runs, runs.c.id == messages.c.run_id)
            .where(
                messages.c.kind == MessageKind.DIGEST,
                messages.c.recipient == recipient,
                runs.c.day == day,
            )
            .order_by(runs.c.edition.desc(), messages.c.id)
            .limit(1)
        )
        if account_id is not None:
            query = query.where(runs.c.account_id == account_id)
        return await self._thread.read(lambda c: c.execute(query).scalar())

    async def pending(self, account_ids: Collection[str] | None = None) -> int:
        """Count the messages that are still to be delivered."""
        query = (
            select(func.count())
            .select_from(messages)
            .where(messages.c.state.in_(_WAITING), of_accounts(account_ids))
        )
        return await self._thread.read(lambda c: c.execute(query).scalar_one())

    async def list(
        self,
        *,
        states: Iterable[MessageState] | None = None,
        kind: MessageKind | None = None,
        account_id: str | None = None,
        limit: int = 50,
    ) -> tuple[OutboxMessage, ...]:
        """Return messages without their content, newest first."""
        query = select_messages().order_by(messages.c.id.desc()).limit(limit)
        if states is not None:
            query = query.where(messages.c.state.in_(tuple(states)))
        if kind is not None:
            query = query.where(messages.c.kind == kind)
        if account_id is not None:
            query = query.where(runs.c.account_id == account_id)
        rows = await self._thread.read(lambda c: c.execute(query).all())
        return tuple(to_message(row) for row in rows)

    async def get(self, number: int) -> OutboxMessage | None:
        """Return one message with its content."""
        query = WITH_BODY.where(messages.c.id == number)
        row = await self._thread.read(lambda c: c.execute(query).first())
        return to_message(row, row.content) if row else None

    async def attempts(self, number: int) -> tuple[Attempt, ...]:
        """Return every attempt to deliver one message, oldest first."""
        query = select(attempts).where(attempts.c.message_id == number).order_by(attempts.c.id)
        rows = await self._thread.read(lambda c: c.execute(query).all())
        return tuple(
            Attempt(
                r.id, r.message_id, r.started_at, r.ended_at, Outcome(r.outcome), r.phase, r.reply
            )
            for r in rows
        )


def _settle_all(
    connection: Connection, which: ColumnElement[bool], state: MessageState, at: datetime
) -> tuple[OutboxMessage, ...]:
    """Settle messages in `state`, and end the attempts of dead processes; return the old rows."""
    # Locked, since PostgreSQL would let another process claim a message before the update.
    found = connection.execute(select_messages().where(which).with_for_update(of=messages)).all()
    for row in found:
        _end_dead_attempt(connection, row, at)
    settled = {"state": state, "settled_at": at, "next_try_at": None, **_UNCLAIMED}
    these = messages.c.id.in_([row.id for row in found])
    connection.execute(update(messages).where(these).values(**settled))
    return tuple(map(to_message, found))


@lru_cache(maxsize=8)
def _claim(account_ids: frozenset[str] | None, unknown_too: bool) -> tuple[Select[Row], Update]:
    """Return two statements: find the oldest message to try `now`, and take it by `number`."""
    may_be_tried = _may_be_tried(_NOW, unknown_too=unknown_too)
    oldest = _oldest(and_(may_be_tried, of_accounts(account_ids)))
    take_one = update(messages).values(attempts=messages.c.attempts + 1)
    take_one = take_one.where(messages.c.id == _NUMBER, may_be_tried)
    return WITH_BODY.where(messages.c.id == oldest), take_one


def _may_be_tried(at: BindParameter[datetime], *, unknown_too: bool) -> ColumnElement[bool]:
    """Match messages that are queued, due again or of a dead process, and not too late."""
    due = and_(messages.c.state.in_(_AGAIN), messages.c.next_try_at <= at)
    surely_unsent = messages.c.state.not_in((MessageState.DOT, MessageState.UNKNOWN))
    in_time = or_(messages.c.give_up_at.is_(None), messages.c.give_up_at > at)
    ready = or_(messages.c.state == MessageState.QUEUED, due, _abandoned(at))
    sendable = and_(ready, in_time, HAS_BODY)
    return sendable if unknown_too else and_(sendable, surely_unsent)


def _oldest(free: ColumnElement[bool]) -> ScalarSelect[int]:
    """Select the id of the oldest message that is free."""
    # There may be thousands of queued messages. The index finds the first one without the others.
    # It is a subquery, since SQLite allows no LIMIT in a part of a union.
    new = select(messages.c.id).where(messages.c.state == MessageState.QUEUED, free)
    first = new.order_by(messages.c.next_try_at, messages.c.id).limit(1)
    tried = select(messages.c.id).where(messages.c.state.in_((*_IN_HAND, *_AGAIN)), free)
    either = union_all(select(first.subquery().c.id), tried).subquery()
    return select(func.min(either.c.id)).scalar_subquery()


def _abandoned(at: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return and_(messages.c.state.in_(_IN_HAND), messages.c.leased_until <= at)


def _end_dead_attempt(connection: Connection, found: Row, at: datetime) -> None:
    """End the attempt of a process that died after it claimed this message."""
    if found.state not in _IN_HAND:
        return
    marked = found.state == MessageState.DOT
    ended = {
        "ended_at": at,
        "outcome": Outcome.UNKNOWN if marked else Outcome.DEFERRED,
        "phase": "dot" if marked else None,
        "reply": "the process ended before the reply was recorded",
    }
    left = and_(attempts.c.message_id == found.id, attempts.c.ended_at.is_(None))
    connection.execute(update(attempts).where(left).values(**ended))
