"""The state of orders between two readings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from notifier.domain.reading_plan import HintBatch, OrderState, Quota, ReadingState
from notifier.store import AccountState, Store
from notifier.store.order_states import MAX_HINTS
from tests.factories import DAY, NOON

WAITS = OrderState(DAY, DAY, waits=True)
BACK = OrderState(None, None, comes_back=True)


async def test_new_states_replace_all_old_ones(store: Store) -> None:
    memory = AccountState(store.order_states, store.meta, "ljubljana")

    await memory.save({1: WAITS, 2: BACK}, (), NOON)
    assert (await memory.load()).order_states == {1: WAITS, 2: BACK}

    await memory.save({3: BACK}, (), NOON)
    assert (await memory.load()).order_states == {3: BACK}


async def test_each_account_has_its_own_states_and_hints(store: Store) -> None:
    await store.order_states.add_hints("ljubljana", [1], at=NOON)
    await store.order_states.remember("ljubljana", {1: WAITS}, since=NOON)
    await store.order_states.remember("celje", {}, followed=[1], since=NOON)

    mine, theirs = [await store.order_states.recall(one) for one in ("ljubljana", "celje")]

    assert (set(mine.order_states), mine.hints) == ({1}, frozenset({1}))
    assert (set(theirs.order_states), theirs.hints) == (set(), frozenset())


async def test_a_hint_that_came_during_the_reading_is_kept(store: Store) -> None:
    await store.order_states.add_hints("ljubljana", [1, 2, 2], at=NOON)
    await store.order_states.add_hints("ljubljana", [2], at=NOON + timedelta(seconds=1))

    await store.order_states.remember("ljubljana", {}, followed=[1, 2], since=NOON)

    assert (await store.order_states.recall("ljubljana")).hints == {2}


async def test_a_read_only_state_stores_nothing(store: Store) -> None:
    await AccountState(store.order_states, store.meta, "ljubljana", writable=False).save(
        {1: WAITS}, (), NOON
    )

    assert (await store.order_states.recall("ljubljana")).order_states == {}


async def test_a_lookup_changes_only_its_orders(store: Store) -> None:
    memory = AccountState(store.order_states, store.meta, "ljubljana")
    await memory.save({1: WAITS, 2: BACK, 3: BACK}, (), NOON)
    await store.order_states.add_hints("ljubljana", [1, 2, 4, 5], at=NOON)
    await store.order_states.add_hints("celje", [1], at=NOON)

    batch = HintBatch(read={1: None, 4: WAITS}, dismissed=frozenset({5}))
    await store.order_states.record_lookup("ljubljana", batch, at=NOON)

    recalled = await memory.load()
    assert recalled.order_states == {2: BACK, 3: BACK, 4: WAITS}
    assert recalled.hints == {2, 5}
    assert recalled.fresh == {2}
    assert (await store.order_states.recall("celje")).fresh == {1}


async def test_a_repeated_hint_is_fresh_again(store: Store) -> None:
    later = NOON + timedelta(minutes=1)
    await store.order_states.add_hints("ljubljana", [1, 2], at=NOON)
    await store.order_states.add_hints("ljubljana", [2], at=later)

    await store.order_states.record_lookup(
        "ljubljana", HintBatch(dismissed=frozenset({1, 2})), at=NOON
    )
    assert (await store.order_states.recall("ljubljana")).fresh == {2}

    await store.order_states.add_hints("ljubljana", [1], at=later)
    assert (await store.order_states.recall("ljubljana")).fresh == {1, 2}


async def test_fresh_hints_are_found(store: Store) -> None:
    assert not await store.order_states.has_fresh_hints("ljubljana")

    await store.order_states.add_hints("ljubljana", [], at=NOON)
    assert not await store.order_states.has_fresh_hints("ljubljana")

    await store.order_states.add_hints("ljubljana", [1], at=NOON)
    assert await store.order_states.has_fresh_hints("ljubljana")
    assert not await store.order_states.has_fresh_hints("celje")


async def test_an_overflow_of_hints_is_recorded_until_the_next_reading(store: Store) -> None:
    memory = AccountState(store.order_states, store.meta, "ljubljana")
    for first in range(1, MAX_HINTS, 1000):
        await store.order_states.add_hints("ljubljana", range(first, first + 1000), at=NOON)
    full = await memory.load()
    await store.order_states.add_hints("ljubljana", [1, 7, 10_001, 10_002], at=NOON)
    flooded = await memory.load()
    await memory.save({}, full.hints, NOON)

    assert (len(full.hints), full.hints_lost) == (MAX_HINTS, False)
    assert (flooded.hints, flooded.hints_lost) == (full.hints, True)
    assert await memory.load() == ReadingState()


async def test_the_quota_is_stored_for_each_account(
    store: Store,
) -> None:
    memory = AccountState(store.order_states, store.meta, "ljubljana")
    reader = AccountState(store.order_states, store.meta, "ljubljana", writable=False)
    other = AccountState(store.order_states, store.meta, "celje")
    quota = Quota(7, NOON, NOON + timedelta(hours=3), 5_000)

    await memory.save_quota(replace(quota, left=9, daily_limit=None))
    await memory.save_quota(quota)
    await reader.save_quota(replace(quota, left=1))

    assert (await reader.load()).quota == quota
    assert (await other.load()).quota is None
