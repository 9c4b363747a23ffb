"""What is remembered of orders between two readings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from notifier.domain.quota import Allowance
from notifier.domain.reading_plan import Glance, Recollection, Sighting
from notifier.store import MemoryOf, Store
from notifier.store.order_states import MOST_HINTS
from tests.factories import DAY, NOON

WAITS = Sighting(DAY, DAY, waits=True)
BACK = Sighting(None, None, comes_back=True)


async def test_what_is_remembered_takes_the_place_of_all_before(store: Store) -> None:
    memory = MemoryOf(store.sightings, store.marks, "ljubljana")

    await memory.remember({1: WAITS, 2: BACK}, (), NOON)
    assert (await memory.recall()).sightings == {1: WAITS, 2: BACK}

    await memory.remember({3: BACK}, (), NOON)
    assert (await memory.recall()).sightings == {3: BACK}


async def test_each_account_has_its_own(store: Store) -> None:
    await store.sightings.hint("ljubljana", [1], at=NOON)
    await store.sightings.remember("ljubljana", {1: WAITS}, since=NOON)
    await store.sightings.remember("celje", {}, followed=[1], since=NOON)

    mine, theirs = [await store.sightings.recall(one) for one in ("ljubljana", "celje")]

    assert (set(mine.sightings), mine.hints) == ({1}, frozenset({1}))
    assert (set(theirs.sightings), theirs.hints) == (set(), frozenset())


async def test_a_hint_that_came_while_its_order_was_read_is_kept(store: Store) -> None:
    await store.sightings.hint("ljubljana", [1, 2, 2], at=NOON)
    await store.sightings.hint("ljubljana", [2], at=NOON + timedelta(seconds=1))

    await store.sightings.remember("ljubljana", {}, followed=[1, 2], since=NOON)

    assert (await store.sightings.recall("ljubljana")).hints == {2}


async def test_a_mere_look_remembers_nothing(store: Store) -> None:
    await MemoryOf(store.sightings, store.marks, "ljubljana", keeps=False).remember(
        {1: WAITS}, (), NOON
    )

    assert (await store.sightings.recall("ljubljana")).sightings == {}


async def test_a_look_between_two_readings_changes_what_it_looked_at(store: Store) -> None:
    memory = MemoryOf(store.sightings, store.marks, "ljubljana")
    await memory.remember({1: WAITS, 2: BACK, 3: BACK}, (), NOON)
    await store.sightings.hint("ljubljana", [1, 2, 4, 5], at=NOON)
    await store.sightings.hint("celje", [1], at=NOON)

    glance = Glance(read={1: None, 4: WAITS}, dismissed=frozenset({5}))
    await store.sightings.look("ljubljana", glance, at=NOON)

    recalled = await memory.recall()
    assert recalled.sightings == {2: BACK, 3: BACK, 4: WAITS}
    assert recalled.hints == {2, 5}
    assert recalled.fresh == {2}
    assert (await store.sightings.recall("celje")).fresh == {1}


async def test_what_is_hinted_at_again_is_fresh_again(store: Store) -> None:
    later = NOON + timedelta(minutes=1)
    await store.sightings.hint("ljubljana", [1, 2], at=NOON)
    await store.sightings.hint("ljubljana", [2], at=later)

    await store.sightings.look("ljubljana", Glance(dismissed=frozenset({1, 2})), at=NOON)
    assert (await store.sightings.recall("ljubljana")).fresh == {2}

    await store.sightings.hint("ljubljana", [1], at=later)
    assert (await store.sightings.recall("ljubljana")).fresh == {1, 2}


async def test_whether_there_is_anything_to_look_at_is_known(store: Store) -> None:
    assert not await store.sightings.has_fresh_hints("ljubljana")

    await store.sightings.hint("ljubljana", [], at=NOON)
    assert not await store.sightings.has_fresh_hints("ljubljana")

    await store.sightings.hint("ljubljana", [1], at=NOON)
    assert await store.sightings.has_fresh_hints("ljubljana")
    assert not await store.sightings.has_fresh_hints("celje")


async def test_of_a_flood_it_is_kept_that_it_was_one_until_the_next_reading(store: Store) -> None:
    memory = MemoryOf(store.sightings, store.marks, "ljubljana")
    for first in range(1, MOST_HINTS, 1000):
        await store.sightings.hint("ljubljana", range(first, first + 1000), at=NOON)
    full = await memory.recall()
    await store.sightings.hint("ljubljana", [1, 7, 10_001, 10_002], at=NOON)
    flooded = await memory.recall()
    await memory.remember({}, full.hints, NOON)

    assert (len(full.hints), full.overheard) == (MOST_HINTS, False)
    assert (flooded.hints, flooded.overheard) == (full.hints, True)
    assert await memory.recall() == Recollection()


async def test_what_is_left_of_the_calls_of_a_day_is_remembered_for_each_account(
    store: Store,
) -> None:
    memory = MemoryOf(store.sightings, store.marks, "ljubljana")
    reader = MemoryOf(store.sightings, store.marks, "ljubljana", keeps=False)
    other = MemoryOf(store.sightings, store.marks, "celje")
    told = Allowance(7, NOON, NOON + timedelta(hours=3), 5_000)

    await memory.note(replace(told, left=9, daily_limit=None))
    await memory.note(told)
    await reader.note(replace(told, left=1))

    assert (await reader.recall()).allowance == told
    assert (await other.recall()).allowance is None
