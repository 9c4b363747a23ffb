"""The run ledger: one run for each account, day and edition, and its snapshot."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta

import pytest

from notifier.domain.ledger import RunState
from notifier.domain.orders import Item
from notifier.domain.settings import StoreLocation
from notifier.errors import StoreError
from notifier.i18n.language import Money
from notifier.store import Store, open_store
from tests.factories import DAY, NOON, digest, order
from tests.store.arrange import LEASE, begin, freeze

NEXT = DAY + timedelta(days=1)


async def test_only_one_process_begins_a_day(store: Store) -> None:
    await begin(store)

    assert await store.runs.begin("ljubljana", DAY, at=NOON, lease=LEASE, holder="another") is None


async def test_other_accounts_days_and_editions_are_other_runs(store: Store) -> None:
    await begin(store)

    for account_id, day, edition in (("celje", DAY, 1), ("ljubljana", NEXT, 1), ("celje", DAY, 2)):
        assert await store.runs.begin(
            account_id, day, at=NOON, lease=LEASE, holder="me", edition=edition
        )


async def test_a_failed_run_is_begun_again_as_the_same_run(store: Store) -> None:
    run = await begin(store)
    await store.runs.fail(run, "the marketplace does not answer", at=NOON)

    again = await begin(store, at=NOON + timedelta(minutes=10))

    assert (again.id, again.state, again.why) == (run.id, RunState.RUNNING, None)


async def test_a_run_whose_holder_died_is_taken_over_after_its_lease(store: Store) -> None:
    await begin(store)

    early = await store.runs.begin(
        "ljubljana", DAY, at=NOON + LEASE / 2, lease=LEASE, holder="another"
    )
    late = await store.runs.begin("ljubljana", DAY, at=NOON + LEASE, lease=LEASE, holder="another")

    assert early is None
    assert late is not None


async def test_a_run_taken_over_cannot_be_frozen(store: Store) -> None:
    mine = await begin(store)
    await begin(store, at=NOON + LEASE)

    with pytest.raises(StoreError, match="taken over"):
        await store.runs.freeze(mine, digest(order(1)), [], at=NOON, give_up_at=NOON)

    assert await store.outbox.list() == ()


async def test_a_frozen_run_is_never_begun_again(store: Store) -> None:
    await freeze(store)

    late = NOON + timedelta(days=30)
    assert await store.runs.begin("ljubljana", DAY, at=late, lease=LEASE, holder="me") is None


async def test_an_abandoned_run_leaves_its_day_open(store: Store) -> None:
    await store.runs.abandon(await begin(store), "the clock is two years off", at=NOON)

    (run,) = await store.runs.list()
    assert (run.state, run.why) == (RunState.ABANDONED, "the clock is two years off")
    assert await store.runs.settled_days("ljubljana", DAY) == {DAY: False}
    assert await store.runs.begin("ljubljana", DAY, at=NOON, lease=LEASE, holder="me") is not None


async def test_only_the_automatic_edition_settles_a_day(store: Store) -> None:
    await freeze(store, edition=2)

    assert await store.runs.settled_days("ljubljana", DAY) == {}


async def test_a_snapshot_returns_its_orders_unchanged(store: Store) -> None:
    rich = order(
        7,
        cod=Money(NOON.year * order().items[0].price.amount, "EUR"),  # type: ignore[union-attr]
        first_delivery_attempt=NOON,
        items=(Item("Čajnik", 3), *order().items),
        tracking_numbers=("A", "B"),
    )
    # A lone surrogate and NUL are valid in JSON, but a database may refuse them in text.
    await freeze(store, orders=(rich, order(8, external_id="\ud800\0", shipped_at=None)))

    snapshot = await store.runs.snapshot_before("ljubljana", NEXT)

    assert snapshot is not None
    assert snapshot.known[7].order == rich
    assert snapshot.known[8].order == order(8, external_id="\ud800\0", shipped_at=None)


async def test_the_snapshot_is_of_an_earlier_day_and_its_last_edition(store: Store) -> None:
    await freeze(store, orders=(order(1),))
    await freeze(store, orders=(order(1), order(2)), edition=2)
    await freeze(store, orders=(order(3),), day=NEXT)

    snapshot = await store.runs.snapshot_before("ljubljana", NEXT)

    assert snapshot is not None
    assert (snapshot.day, set(snapshot.known), set(snapshot.earlier)) == (DAY, {1, 2}, {3})
    assert await store.runs.snapshot_before("ljubljana", DAY - timedelta(days=1)) is None


async def test_a_further_edition_of_the_first_day_knows_the_orders_of_the_previous_one(
    store: Store,
) -> None:
    await freeze(store, orders=(order(1), order(2)))

    snapshot = await store.runs.snapshot_before("ljubljana", DAY)

    assert snapshot is not None
    assert (list(snapshot.known), sorted(snapshot.ids), snapshot.ever_complete) == (
        [],
        [1, 2],
        False,
    )


async def test_a_snapshot_says_whether_a_complete_list_was_ever_read(store: Store) -> None:
    await freeze(store, orders=(order(1),), gap="page 2 could not be read")
    first = await store.runs.snapshot_before("ljubljana", NEXT)
    await freeze(store, orders=(order(1), order(2)), day=NEXT)
    second = await store.runs.snapshot_before("ljubljana", NEXT + timedelta(days=1))

    assert first is not None
    assert second is not None
    assert (first.ever_complete, second.ever_complete) == (False, True)


async def test_first_seen_dates_survive_from_snapshot_to_snapshot(store: Store) -> None:
    for number in range(3):
        await freeze(store, day=DAY + timedelta(days=number))

    snapshot = await store.runs.snapshot_before("ljubljana", DAY + timedelta(days=3))

    assert snapshot is not None
    assert {known.first_seen for known in snapshot.known.values()} == {DAY}
    assert snapshot.watching_since == DAY


async def test_a_further_edition_is_compared_with_the_day_before_however_long_ago(
    store: Store,
) -> None:
    after = timedelta(days=30)
    for pause in (timedelta(0), after):
        await freeze(store, day=DAY + pause, at=NOON + pause)

    await store.erase(NOON + after - timedelta(days=7))

    snapshot = await store.runs.snapshot_before("ljubljana", DAY + after)
    assert snapshot is not None
    assert set(snapshot.known) == {1, 2}


async def test_a_snapshot_that_was_erased_is_not_an_empty_one(store: Store) -> None:
    for number in range(3):
        await freeze(store, day=DAY + timedelta(days=number))

    await store.erase(NOON + timedelta(days=7))

    assert await store.runs.snapshot_before("ljubljana", NEXT) is None
    assert await store.runs.snapshot_before("ljubljana", NEXT + timedelta(days=1)) is not None


async def test_skipped_days_are_settled_and_listed_until_the_next_digest(
    store: Store,
) -> None:
    await freeze(store)
    missed = [DAY + timedelta(days=n) for n in (1, 2)]
    for _ in range(2):
        await store.runs.skip("ljubljana", missed, "nothing ran", at=NOON)
    after = DAY + timedelta(days=3)

    settled = await store.runs.settled_days("ljubljana", DAY)
    assert [day for day, done in settled.items() if done] == [DAY, *missed]
    assert await store.runs.skipped_since("ljubljana", DAY, after) == tuple(missed)
    assert await store.runs.skipped_since("ljubljana", after, after + timedelta(days=1)) == ()


async def test_skipping_leaves_runs_alone_that_are_done_or_in_progress(store: Store) -> None:
    await freeze(store)
    await begin(store, NEXT)

    await store.runs.skip("ljubljana", [DAY, NEXT], "nothing ran", at=NOON)

    assert [run.state for run in await store.runs.list()] == [RunState.RUNNING, RunState.COMPLETE]


async def test_a_failed_day_that_is_over_is_recorded_as_skipped(store: Store) -> None:
    await store.runs.fail(await begin(store), "the marketplace does not answer", at=NOON)

    await store.runs.skip("ljubljana", [DAY], "nothing ran", at=NOON)

    (run,) = await store.runs.list()
    assert (run.state, run.why) == (RunState.SKIPPED, "the marketplace does not answer")


async def test_two_processes_may_skip_the_same_days_at_once(location: StoreLocation) -> None:
    days = [DAY + timedelta(days=number) for number in range(20)]
    async with open_store(location) as one, open_store(location) as other:
        for account_id in ("ljubljana", "celje", "koper"):
            await asyncio.gather(
                *(store.runs.skip(account_id, days, "off", at=NOON) for store in (one, other))
            )

        assert len(await one.runs.list(limit=100)) == 60


async def test_the_trend_begins_with_the_first_run_and_has_gaps_where_no_list_was_read(
    store: Store,
) -> None:
    await store.runs.fail(await begin(store), "no answer", at=NOON)
    await freeze(store, day=NEXT, orders=(order(1), order(2), order(3)))
    await freeze(store, day=NEXT, orders=(order(1), order(2)), edition=2)
    await freeze(store, day=DAY + timedelta(days=3), orders=(order(1),))

    trend = await store.runs.trend("ljubljana", DAY + timedelta(days=4))
    later = await store.runs.trend("ljubljana", DAY + timedelta(days=4), days=2)

    assert trend == tuple(
        (DAY + timedelta(days=n), count) for n, count in enumerate([None, 2, None, 1])
    )
    assert later == trend[-2:]
    assert await store.runs.trend("ljubljana", DAY) == ()


async def test_the_ledger_lists_the_newest_first_with_its_messages(store: Store) -> None:
    await freeze(store, "jana@example.com", "pavol@example.com")
    await freeze(store, day=NEXT)

    newest, oldest = await store.runs.list()

    assert (newest.day, newest.messages) == (NEXT, 0)
    assert (oldest.day, oldest.messages, oldest.sent) == (DAY, 2, 0)
    assert await store.runs.list(account_id="celje") == ()


async def test_the_next_process_reads_committed_rows(location: StoreLocation) -> None:
    async with open_store(location) as store:
        await freeze(store)

    async with open_store(location) as store:
        latest = await store.runs.latest("ljubljana", DAY)

    assert latest is not None
    assert latest.begun_at == NOON


async def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="without a zone"):
        await begin(store, date(2026, 11, 22), at=datetime(2026, 11, 22, 12))  # noqa: DTZ001
