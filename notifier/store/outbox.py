"""The outbox: frozen messages on their way, and every attempt to deliver them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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
    exists,
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
from notifier.store.tables import Instant, Row, Words, attempts, audit, bodies, messages, runs
from notifier.store.thread import StoreThread

_IN_HAND = (MessageState.SENDING, MessageState.DOT)
_AGAIN = (MessageState.DEFERRED, MessageState.UNKNOWN)
_WAITING = tuple(state for state in MessageState if state.waiting)
_FREE = {"holder": None, "leased_until": None}

# What every delivery runs is built once: to build a statement costs more than to run it. What is
# set comes with the parameters, by the names of the columns.
_NOW = bindparam("now", type_=Instant())
_NUMBER: BindParameter[int] = bindparam("number", type_=BigInteger())
_NEW_MESSAGE = insert(messages).returning(messages.c.id)
_NEW_ATTEMPT = insert(attempts).returning(attempts.c.id)
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
_TELL_LATE = _ATTEMPT.values(
    reply=func.coalesce(attempts.c.reply, "").concat(bindparam("late", type_=Words()))
)
_SETTLE = update(messages).where(messages.c.id == _NUMBER)
_SETTLE_IN_HAND = _SETTLE.where(messages.c.state.in_(_IN_HAND))


@dataclass(frozen=True, slots=True)
class Claim:
    """A message in hand, as it was found, and the attempt that began with taking it."""

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
        """Put a message beside the digests into the outbox; False when it is there already."""

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
        """Hold everything of which nobody knows whether the server has it; gives those messages.

        That is what is known to be unknown, and what a process that died had marked.
        """
        dead = and_(messages.c.state == MessageState.DOT, messages.c.leased_until <= at)
        unknown = and_(or_(messages.c.state == MessageState.UNKNOWN, dead), _of(account_ids))
        held = {"state": MessageState.HELD, "settled_at": at, "next_try_at": None, **_FREE}

        def record(connection: Connection) -> tuple[OutboxMessage, ...]:
            return _change_all(connection, unknown, held, at)

        return await self._thread.write(record)

    async def hold_all(self, at: datetime) -> tuple[OutboxMessage, ...]:
        """Hold everything that is still on its way, whoever has it; gives those messages."""
        held = {"state": MessageState.HELD, "settled_at": at, "next_try_at": None, **_FREE}
        on_their_way = messages.c.state.in_(_WAITING)
        return await self._thread.write(lambda c: _change_all(c, on_their_way, held, at))

    async def claim(
        self,
        *,
        at: datetime,
        holder: str,
        lease: timedelta,
        account_ids: Collection[str] | None = None,
        unknown_too: bool = True,
    ) -> Claim | None:
        """Take the oldest message that may be tried now, and begin an attempt; None without one.

        It comes back with its content, and with the state it was found in: a message found in
        `dot` may have been accepted by a server whose answer was lost. The attempt of a process
        that died ends here, as unknown if it was marked. Without `unknown_too` nothing is taken
        that a server may have: see `hold_unknown`.
        """
        of_whom = None if account_ids is None else frozenset(account_ids)
        candidates, mine = _claim(of_whom, unknown_too)
        claim = {"state": MessageState.SENDING, "holder": holder, "leased_until": at + lease}

        def take(connection: Connection) -> Claim | None:
            while row := connection.execute(candidates, {"now": at}).first():
                taken = connection.execute(mine, {"now": at, "number": row.id, **claim})
                if taken.rowcount:
                    _end_left_behind(connection, row, at)
                    begun = {"message_id": row.id, "started_at": at, "outcome": Outcome.STARTED}
                    attempt = connection.execute(_NEW_ATTEMPT, begun).scalar_one()
                    return Claim(_message(row, row.content), attempt, holder)
            return None

        return await self._thread.write(take)

    async def mark_dot(self, claim: Claim, *, at: datetime) -> None:
        """Write down that the final dot comes next. Raises StoreError when it is not ours."""
        number = claim.message.id

        def mark(connection: Connection) -> None:
            ours = {"number": number, "who": claim.holder, "now": at}
            if connection.execute(_MARK_DOT, ours).rowcount != 1:
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
        """Write down how an attempt ended, and what becomes of the message.

        A late answer is believed: who was taken for dead still records what it was told, but
        only an acceptance changes a message that is in other hands or done. The attempt keeps its
        outcome then, since others went by it: a copy sent meanwhile has its reason there.
        """
        ended = {"ended_at": at, "outcome": outcome, "phase": phase, "reply": reply}
        result = {
            "state": state,
            "receipt": reply,
            "next_try_at": next_try_at,
            "settled_at": None if state.waiting else at,
            "holder": None,
            "leased_until": None,
        }

        def record(connection: Connection) -> None:
            settled = {"number": claim.message.id, **result}
            attempt = {"number": claim.attempt, **ended}
            in_time = connection.execute(_END_OPEN_ATTEMPT, attempt).rowcount == 1
            if not in_time:
                late = {"number": claim.attempt, "late": f"; {outcome} late: {reply}"}
                connection.execute(_TELL_LATE, late)
            if outcome is Outcome.ACCEPTED:
                connection.execute(_SETTLE, settled)
            elif in_time:
                connection.execute(_SETTLE_IN_HAND, settled)

        await self._thread.write_at_any_cost(record)

    async def give_up(
        self, at: datetime, *, account_ids: Collection[str] | None = None
    ) -> tuple[OutboxMessage, ...]:
        """Fail what was not accepted in time; gives those messages."""
        late = and_(
            messages.c.give_up_at <= at,
            or_(messages.c.state.in_((MessageState.QUEUED, *_AGAIN)), _abandoned(at)),
            _of(account_ids),
        )

        failed = {"state": MessageState.FAILED, "settled_at": at, "next_try_at": None, **_FREE}

        def record(connection: Connection) -> tuple[OutboxMessage, ...]:
            return _change_all(connection, late, failed, at)

        return await self._thread.write(record)

    async def hasten(self, at: datetime, *, account_ids: Collection[str] | None = None) -> int:
        """Make everything that waits for its next try due now; gives how many."""
        later = and_(messages.c.state.in_(_AGAIN), messages.c.next_try_at > at, _of(account_ids))
        due = update(messages).where(later).values(next_try_at=at)
        return await self._thread.write(lambda c: c.execute(due).rowcount)

    async def decide(
        self, number: int, decision: Decision, *, who: str, at: datetime, give_up_at: datetime
    ) -> bool:
        """Do what a person decided, and write down who; False when the message is not in a state
        for it, or its body was erased.
        """
        if decision is Decision.DISCARD:
            new = {"state": MessageState.DISCARDED, "settled_at": at, "next_try_at": None}
        else:
            new = {"state": MessageState.QUEUED, "settled_at": None, "next_try_at": None}
            new["give_up_at"] = give_up_at
        decidable = and_(messages.c.id == number, messages.c.state.in_(decision.allowed_in))
        if decision is not Decision.DISCARD:
            decidable = and_(decidable, _HAS_BODY)
        entry = {"at": at, "who": who, "action": decision, "subject": f"message {number}"}

        def record(connection: Connection) -> bool:
            decided = update(messages).where(decidable).values(**new)
            if connection.execute(decided).rowcount != 1:
                return False
            connection.execute(insert(audit).values(**entry))
            return True

        return await self._thread.write(record)

    async def find(self, recipient: str, day: date, *, account_id: str | None) -> int | None:
        """The number of the digest of that day to that recipient, of its last edition."""
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
        """How many messages are still to be delivered."""
        query = (
            select(func.count())
            .select_from(messages)
            .where(messages.c.state.in_(_WAITING), _of(account_ids))
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
        """Messages without their content, newest first."""
        query = _messages().order_by(messages.c.id.desc()).limit(limit)
        if states is not None:
            query = query.where(messages.c.state.in_(tuple(states)))
        if kind is not None:
            query = query.where(messages.c.kind == kind)
        if account_id is not None:
            query = query.where(runs.c.account_id == account_id)
        rows = await self._thread.read(lambda c: c.execute(query).all())
        return tuple(_message(row) for row in rows)

    async def get(self, number: int) -> OutboxMessage | None:
        """One message with its content."""
        query = _WITH_BODY.where(messages.c.id == number)
        row = await self._thread.read(lambda c: c.execute(query).first())
        return _message(row, row.content) if row else None

    async def attempts(self, number: int) -> tuple[Attempt, ...]:
        """Every attempt at one message, oldest first."""
        query = select(attempts).where(attempts.c.message_id == number).order_by(attempts.c.id)
        rows = await self._thread.read(lambda c: c.execute(query).all())
        return tuple(
            Attempt(
                id=row.id,
                message_id=row.message_id,
                started_at=row.started_at,
                ended_at=row.ended_at,
                outcome=Outcome(row.outcome),
                phase=row.phase,
                reply=row.reply,
            )
            for row in rows
        )


def enqueue(
    connection: Connection,
    message: FrozenMessage,
    kind: MessageKind,
    *,
    run: Run | None = None,
    at: datetime,
    give_up_at: datetime,
) -> None:
    """Put a message into the outbox, within the transaction of whoever made it."""
    row = {
        "run_id": run.id if run else None,
        "kind": kind,
        "message_id": message.message_id,
        "recipient": message.recipient,
        "envelope_from": message.envelope_from,
        "language": message.language,
        "subject": message.subject,
        "size": len(message.content),
        "state": MessageState.QUEUED,
        "attempts": 0,
        "created_at": at,
        "give_up_at": give_up_at,
    }
    number = connection.execute(_NEW_MESSAGE, row).scalar_one()
    connection.execute(insert(bodies), {"message_id": number, "content": message.content})


def _change_all(
    connection: Connection, which: ColumnElement[bool], values: Mapping[str, object], at: datetime
) -> tuple[OutboxMessage, ...]:
    """Change all of these, and end what a process that died had in hand; as they were before."""
    found = connection.execute(_messages().where(which).with_for_update(of=messages)).all()
    for row in found:
        _end_left_behind(connection, row, at)
    these = messages.c.id.in_([row.id for row in found])
    connection.execute(update(messages).where(these).values(**values))
    return tuple(map(_message, found))


@lru_cache(maxsize=8)
def _claim(account_ids: frozenset[str] | None, unknown_too: bool) -> tuple[Select[Row], Update]:
    """Find the oldest that may be tried `now`; take it by its `number`, if it still may."""
    may_be_tried = _may_be_tried(_NOW, unknown_too=unknown_too)
    oldest = _oldest(and_(may_be_tried, _of(account_ids)))
    counted = update(messages).values(attempts=messages.c.attempts + 1)
    mine = counted.where(messages.c.id == _NUMBER, may_be_tried)
    return _WITH_BODY.where(messages.c.id == oldest), mine


def _may_be_tried(at: BindParameter[datetime], *, unknown_too: bool) -> ColumnElement[bool]:
    """Queued, due again, or left behind by a process that died; and not too late."""
    due = and_(messages.c.state.in_(_AGAIN), messages.c.next_try_at <= at)
    nobody_has_it = messages.c.state.not_in((MessageState.DOT, MessageState.UNKNOWN))
    in_time = or_(messages.c.give_up_at.is_(None), messages.c.give_up_at > at)
    ready = or_(messages.c.state == MessageState.QUEUED, due, _abandoned(at))
    sendable = and_(ready, in_time, _HAS_BODY)
    return sendable if unknown_too else and_(sendable, nobody_has_it)


def _oldest(free: ColumnElement[bool]) -> ScalarSelect[int]:
    """The number of the oldest of these.

    The new ones, of which there may be thousands, are found one by one by the index, in order.
    """
    new = select(messages.c.id).where(messages.c.state == MessageState.QUEUED, free)
    first = new.order_by(messages.c.next_try_at, messages.c.id).limit(1)
    tried = select(messages.c.id).where(messages.c.state.in_((*_IN_HAND, *_AGAIN)), free)
    either = union_all(select(first.subquery().c.id), tried).subquery()
    return select(func.min(either.c.id)).scalar_subquery()


def _abandoned(at: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return and_(messages.c.state.in_(_IN_HAND), messages.c.leased_until <= at)


def _end_left_behind(connection: Connection, found: Row, at: datetime) -> None:
    """End the attempt of a process that died with this message in hand."""
    if found.state not in _IN_HAND:
        return
    marked = found.state == MessageState.DOT
    ended = {
        "ended_at": at,
        "outcome": Outcome.UNKNOWN if marked else Outcome.DEFERRED,
        "phase": "dot" if marked else None,
        "reply": "the process ended before the answer was recorded",
    }
    left = and_(attempts.c.message_id == found.id, attempts.c.ended_at.is_(None))
    connection.execute(update(attempts).where(left).values(**ended))


def _of(account_ids: Collection[str] | None) -> ColumnElement[bool]:
    """Of these accounts, and of none; of any where None are named."""
    if account_ids is None:
        return messages.c.id.is_not(None)
    chosen = select(runs.c.id).where(runs.c.account_id.in_(tuple(account_ids)))
    return or_(messages.c.run_id.is_(None), messages.c.run_id.in_(chosen))


def _messages() -> Select[Row]:
    columns = (messages, runs.c.account_id, runs.c.day, runs.c.edition)
    return select(*columns).outerjoin(runs, runs.c.id == messages.c.run_id)


_HAS_BODY = exists().where(bodies.c.message_id == messages.c.id)
_WITH_BODY = (
    _messages()
    .add_columns(bodies.c.content)
    .outerjoin(bodies, bodies.c.message_id == messages.c.id)
)


def _message(row: Row, content: bytes | None = None) -> OutboxMessage:
    return OutboxMessage(
        id=row.id,
        kind=MessageKind(row.kind),
        account_id=row.account_id or "",
        day=row.day or row.created_at.date(),
        edition=row.edition or 0,
        message_id=row.message_id,
        recipient=row.recipient,
        envelope_from=row.envelope_from,
        subject=row.subject,
        state=MessageState(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        size=row.size,
        next_try_at=row.next_try_at,
        give_up_at=row.give_up_at,
        settled_at=row.settled_at,
        receipt=row.receipt,
        content=content,
    )
