"""What is remembered of orders between two readings."""

from __future__ import annotations

from datetime import timedelta

from notifier.plan import Sighting
from notifier.store import MemoryOf, Store
from tests.factories import DAY, NOON

WAITS = Sighting(DAY, DAY, waits=True)
BACK = Sighting(None, None, comes_back=True)


async def test_what_is_remembered_takes_the_place_of_all_before(store: Store) -> None:
    memory = MemoryOf(store.sightings, "ljubljana")

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
    await MemoryOf(store.sightings, "ljubljana", keeps=False).remember({1: WAITS}, (), NOON)

    assert (await store.sightings.recall("ljubljana")).sightings == {}
