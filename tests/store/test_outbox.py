"""The outbox: each message is claimed once, and keeps every outcome."""

from __future__ import annotations

import traceback
from datetime import datetime, timedelta

import pytest

from notifier.domain.ledger import Decision, MessageKind, MessageState, Outcome
from notifier.errors import StoreError
from notifier.store import Claim, Store
from tests.factories import DAY, NOON
from tests.store.arrange import LEASE, freeze, message

MINUTE = timedelta(minutes=1)


async def claim(store: Store, at: datetime = NOON, holder: str = "me") -> Claim | None:
    return await store.outbox.claim(at=at, holder=holder, lease=LEASE)


async def taken(store: Store, at: datetime = NOON) -> Claim:
    found = await claim(store, at)
    assert found is not None
    return found


async def settle(
    store: Store, found: Claim, state: MessageState, *, again_at: datetime | None = None
) -> None:
    outcome = {
        MessageState.SENT: Outcome.ACCEPTED,
        MessageState.DEFERRED: Outcome.DEFERRED,
        MessageState.FAILED: Outcome.REJECTED,
        MessageState.UNKNOWN: Outcome.UNKNOWN,
    }[state]
    await record(store, found, outcome, state, again_at=again_at)


async def record(
    store: Store,
    found: Claim,
    outcome: Outcome,
    state: MessageState,
    *,
    reply: str = "250 2.0.0 queued as 1234",
    again_at: datetime | None = None,
) -> None:
    await store.outbox.settle(
        found,
        outcome=outcome,
        state=state,
        at=NOON,
        phase="dot",
        reply=reply,
        next_try_at=again_at,
    )


async def test_messages_are_claimed_once_each_with_their_bytes(store: Store) -> None:
    await freeze(store, "jana@example.com", "pavol@example.com")

    claimed = [await claim(store) for _ in range(3)]

    assert [one.message.recipient if one else None for one in claimed] == [
        "jana@example.com",
        "pavol@example.com",
        None,
    ]
    assert claimed[0] is not None
    assert claimed[0].message.content == message().content


async def test_only_messages_of_the_named_accounts_are_claimed(store: Store) -> None:
    await freeze(store, "jana@example.com")

    nothing = await store.outbox.claim(at=NOON, holder="me", lease=LEASE, account_ids=["celje"])

    assert nothing is None
    assert await store.outbox.pending(["ljubljana"]) == 1


async def test_a_sent_message_keeps_its_receipt_and_is_never_claimed_again(store: Store) -> None:
    await freeze(store, "jana@example.com")
    await settle(store, await taken(store), MessageState.SENT)

    (sent,) = await store.outbox.list()
    (attempt,) = await store.outbox.attempts(sent.id)

    assert (sent.state, sent.receipt) == (MessageState.SENT, "250 2.0.0 queued as 1234")
    assert (attempt.outcome, attempt.phase) == (Outcome.ACCEPTED, "dot")
    assert await claim(store, NOON + timedelta(hours=23)) is None


@pytest.mark.parametrize("state", [MessageState.DEFERRED, MessageState.UNKNOWN])
async def test_a_message_to_try_again_waits_for_its_time(store: Store, state: MessageState) -> None:
    await freeze(store, "jana@example.com")
    await settle(store, await taken(store), state, again_at=NOON + 5 * MINUTE)

    assert await claim(store, NOON + 4 * MINUTE) is None
    assert (await taken(store, NOON + 5 * MINUTE)).message.attempts == 1


async def test_a_person_can_make_waiting_messages_due(store: Store) -> None:
    await freeze(store, "jana@example.com")
    await settle(
        store, await taken(store), MessageState.DEFERRED, again_at=NOON + timedelta(hours=1)
    )

    assert await store.outbox.hasten(NOON, account_ids=["celje"]) == 0
    assert await store.outbox.hasten(NOON, account_ids=["ljubljana"]) == 1
    assert await claim(store) is not None


@pytest.mark.parametrize("marked", [False, True])
async def test_the_message_of_a_dead_process_is_free_after_its_lease(
    store: Store, *, marked: bool
) -> None:
    await freeze(store, "jana@example.com")
    found = await taken(store)
    if marked:
        await store.outbox.mark_dot(found, at=NOON)

    assert await claim(store, NOON + LEASE - MINUTE, "another") is None
    again = await claim(store, NOON + LEASE, "another")

    assert again is not None
    assert again.message.state is (MessageState.DOT if marked else MessageState.SENDING)
    assert again.message.content == found.message.content


@pytest.mark.parametrize(
    ("marked", "outcome"), [(True, Outcome.UNKNOWN), (False, Outcome.DEFERRED)]
)
async def test_the_attempt_of_a_dead_process_does_not_stay_open(
    store: Store, outcome: Outcome, *, marked: bool
) -> None:
    await freeze(store, "jana@example.com")
    found = await taken(store)
    if marked:
        await store.outbox.mark_dot(found, at=NOON)

    await claim(store, NOON + LEASE, "another")

    attempt, _ = await store.outbox.attempts(found.message.id)
    assert (attempt.outcome, attempt.ended_at) == (outcome, NOON + LEASE)


async def thought_dead(store: Store) -> Claim:
    """Return the claim of a process that has sent the dot and is then suspended."""
    await freeze(store, "jana@example.com")
    found = await taken(store)
    await store.outbox.mark_dot(found, at=NOON)
    return found


async def test_a_late_acceptance_counts_and_stops_the_copy(store: Store) -> None:
    mine = await thought_dead(store)
    theirs = await claim(store, NOON + LEASE, "another")
    assert theirs is not None

    await record(store, mine, Outcome.ACCEPTED, MessageState.SENT)

    with pytest.raises(StoreError, match="taken over"):
        await store.outbox.mark_dot(theirs, at=NOON + LEASE)
    assert [m.state for m in await store.outbox.list()] == [MessageState.SENT]


async def test_an_unknown_attempt_stays_unknown_with_the_late_reply_beside(
    store: Store,
) -> None:
    mine = await thought_dead(store)
    await claim(store, NOON + LEASE, "another")

    await record(store, mine, Outcome.ACCEPTED, MessageState.SENT)

    attempt, _ = await store.outbox.attempts(mine.message.id)
    assert attempt.outcome is Outcome.UNKNOWN
    assert attempt.reply is not None
    assert attempt.reply.endswith("; accepted late: 250 2.0.0 queued as 1234")


@pytest.mark.parametrize("done", [True, False])
async def test_a_late_failure_is_recorded_and_does_not_change_the_message(
    store: Store, *, done: bool
) -> None:
    mine = await thought_dead(store)
    theirs = await taken(store, NOON + LEASE)
    if done:
        await record(store, theirs, Outcome.ACCEPTED, MessageState.SENT)

    await record(store, mine, Outcome.DEFERRED, MessageState.DEFERRED)

    (now,) = await store.outbox.list()
    assert now.state is (MessageState.SENT if done else MessageState.SENDING)
    assert await claim(store, NOON + LEASE) is None
    assert "deferred late" in str((await store.outbox.attempts(mine.message.id))[0].reply)


async def test_the_acceptance_counts_among_two_replies(store: Store) -> None:
    mine = await thought_dead(store)
    theirs = await taken(store, NOON + LEASE)

    await record(store, mine, Outcome.ACCEPTED, MessageState.SENT)
    await record(store, theirs, Outcome.UNKNOWN, MessageState.UNKNOWN)

    assert [m.state for m in await store.outbox.list()] == [MessageState.SENT]
    assert [a.outcome for a in await store.outbox.attempts(mine.message.id)] == [
        Outcome.UNKNOWN,
        Outcome.UNKNOWN,
    ]


async def test_a_reply_with_invalid_characters_is_recorded(store: Store) -> None:
    await freeze(store, "jana@example.com")
    found = await taken(store)

    await record(store, found, Outcome.ACCEPTED, MessageState.SENT, reply="250 \udcff\0é")

    assert [m.receipt for m in await store.outbox.list()] == ["250 ??é"]


async def test_a_lost_claim_does_not_allow_the_dot(store: Store) -> None:
    await freeze(store, "jana@example.com")
    found = await taken(store)
    await claim(store, NOON + LEASE, "another")

    with pytest.raises(StoreError, match="taken over"):
        await store.outbox.mark_dot(found, at=NOON + LEASE)


async def test_an_expired_claim_does_not_allow_the_dot(store: Store) -> None:
    await freeze(store, "jana@example.com")
    found = await taken(store)

    with pytest.raises(StoreError, match="taken over"):
        await store.outbox.mark_dot(found, at=NOON + LEASE)


async def test_messages_not_accepted_in_time_are_given_up_and_returned(store: Store) -> None:
    await freeze(store, "jana@example.com", give_up_after=timedelta(hours=1))
    late = NOON + timedelta(hours=1)

    assert await store.outbox.give_up(late - MINUTE) == ()
    assert await claim(store, late) is None
    assert [m.recipient for m in await store.outbox.give_up(late)] == ["jana@example.com"]
    assert [m.state for m in await store.outbox.list()] == [MessageState.FAILED]


async def test_the_message_of_a_dead_process_is_given_up_in_time(store: Store) -> None:
    await freeze(store, "jana@example.com", give_up_after=timedelta(hours=1))
    found = await taken(store)

    assert len(await store.outbox.give_up(NOON + timedelta(hours=1))) == 1

    (attempt,) = await store.outbox.attempts(found.message.id)
    assert attempt.outcome is Outcome.DEFERRED
    assert await store.outbox.pending() == 0


async def test_a_claimed_message_is_not_given_up(store: Store) -> None:
    await freeze(store, "jana@example.com", give_up_after=timedelta(minutes=1))
    await taken(store)

    assert await store.outbox.give_up(NOON + 2 * MINUTE) == ()


async def test_a_run_and_recipient_has_one_message(store: Store) -> None:
    with pytest.raises(StoreError) as caught:
        await freeze(store, "jana@example.com", "jana@example.com")

    assert await store.outbox.list() == ()
    assert await store.runs.snapshot_before("ljubljana", NOON.date() + timedelta(days=1)) is None
    # SQLAlchemy's errors quote the values of a statement unless that is turned off.
    shown = "".join(traceback.format_exception(caught.value))
    assert message().subject not in shown
    assert "CANARY" not in shown


async def state_of(store: Store, number: int) -> MessageState:
    found = await store.outbox.get(number)
    assert found is not None
    return found.state


async def decide(store: Store, number: int, decision: Decision) -> bool:
    return await store.outbox.decide(
        number, decision, who="jana", at=NOON, give_up_at=NOON + timedelta(days=1)
    )


async def test_only_messages_with_unknown_delivery_are_held(store: Store) -> None:
    await freeze(store, "jana@example.com", "pavol@example.com", "office@example.com")
    marked, unknown, failed = [await taken(store) for _ in range(3)]
    await store.outbox.mark_dot(marked, at=NOON)
    await settle(store, unknown, MessageState.UNKNOWN, again_at=NOON)
    await settle(store, failed, MessageState.FAILED)

    assert [found.recipient for found in await store.outbox.hold_unknown(NOON)] == [
        unknown.message.recipient
    ]
    assert [found.recipient for found in await store.outbox.hold_unknown(NOON + LEASE)] == [
        marked.message.recipient
    ]

    assert await state_of(store, marked.message.id) is MessageState.HELD
    assert await state_of(store, failed.message.id) is MessageState.FAILED


async def test_a_claim_without_unknown_messages_skips_the_marked_one_of_a_dead_process(
    store: Store,
) -> None:
    await freeze(store, "jana@example.com")
    found = await taken(store)
    await store.outbox.mark_dot(found, at=NOON)

    later = NOON + LEASE
    assert await store.outbox.claim(at=later, holder="you", lease=LEASE, unknown_too=False) is None
    assert await store.outbox.claim(at=later, holder="you", lease=LEASE) is not None


@pytest.mark.parametrize(
    ("decision", "before", "after"),
    [
        (Decision.RETRY, MessageState.FAILED, MessageState.QUEUED),
        (Decision.RETRY, MessageState.DEFERRED, MessageState.QUEUED),
        (Decision.RESEND, MessageState.SENT, MessageState.QUEUED),
        (Decision.DISCARD, MessageState.FAILED, MessageState.DISCARDED),
    ],
)
async def test_a_person_decides_and_the_audit_trail_says_who(
    store: Store, decision: Decision, before: MessageState, after: MessageState
) -> None:
    await freeze(store, "jana@example.com")
    found = await taken(store)
    await settle(store, found, before, again_at=NOON + MINUTE)

    assert await decide(store, found.message.id, decision)

    assert await state_of(store, found.message.id) is after
    (entry,) = await store.audit.list()
    assert (entry.who, entry.action) == ("jana", str(decision))
    assert (await claim(store) is not None) is (after is MessageState.QUEUED)


@pytest.mark.parametrize("decision", Decision)
async def test_no_decision_changes_a_claimed_message(store: Store, decision: Decision) -> None:
    await freeze(store, "jana@example.com")
    found = await taken(store)

    assert not await decide(store, found.message.id, decision)

    assert await store.audit.list() == ()


async def test_a_sent_message_is_not_retried_by_mistake(store: Store) -> None:
    await freeze(store, "jana@example.com")
    found = await taken(store)
    await settle(store, found, MessageState.SENT)

    assert not await decide(store, found.message.id, Decision.RETRY)
    assert not await decide(store, found.message.id, Decision.DISCARD)


async def test_a_message_without_its_body_cannot_be_sent_again(store: Store) -> None:
    await freeze(store, "jana@example.com")
    found = await taken(store)
    await settle(store, found, MessageState.FAILED)
    await store.erase(NOON + timedelta(days=8))

    assert not await decide(store, found.message.id, Decision.RETRY)
    assert await decide(store, found.message.id, Decision.DISCARD)


async def test_the_digest_of_a_day_is_found_by_its_recipient(store: Store) -> None:
    await freeze(store, "jana@example.com")

    number = await store.outbox.find("jana@example.com", DAY, account_id=None)

    assert number is not None
    assert await store.outbox.find("jana@example.com", DAY, account_id="ljubljana") == number
    assert await store.outbox.find("jana@example.com", DAY, account_id="praha") is None
    assert await store.outbox.find("pavol@example.com", DAY, account_id=None) is None


async def test_an_alarm_belongs_to_no_account_and_is_posted_once(store: Store) -> None:
    alarm = message("admin@example.com")

    posted = [
        await store.outbox.post(alarm, MessageKind.ALARM, at=NOON, give_up_at=NOON + MINUTE)
        for _ in range(2)
    ]
    found = await store.outbox.claim(at=NOON, holder="me", lease=LEASE, account_ids=["praha"])

    assert posted == [True, False]
    assert found is not None
    got = found.message
    assert (got.kind, got.account_id, got.edition) == (MessageKind.ALARM, "", 0)
