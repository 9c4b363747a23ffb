"""Named values: times, and small values as JSON."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from notifier.domain.reading_plan import Quota
from notifier.domain.settings import StoreLocation
from notifier.services.hints import CallBudget
from notifier.store import Store, open_store
from tests.factories import NOON


async def test_a_time_is_returned_as_it_was_set(store: Store) -> None:
    assert await store.meta.get_time("last_tick") is None

    await store.meta.set_time("last_tick", NOON)
    await store.meta.set_time("last_tick", NOON + timedelta(seconds=1))

    assert await store.meta.get_time("last_tick") == NOON + timedelta(seconds=1)


async def test_a_time_that_is_set_once_keeps_its_first_value(store: Store) -> None:
    for hours in range(2):
        await store.meta.set_time_once("watched.ljubljana", NOON + timedelta(hours=hours))

    assert await store.meta.get_time("watched.ljubljana") == NOON


async def test_a_value_is_returned_as_it_was_set(store: Store) -> None:
    budget = CallBudget(NOON.date(), 3, 5_000, NOON)
    assert await store.meta.get_json("lookups.ljubljana", CallBudget) is None

    await store.meta.set_json("lookups.ljubljana", budget)

    assert await store.meta.get_json("lookups.ljubljana", CallBudget) == budget


async def test_values_that_an_earlier_version_wrote_are_read(file: Path) -> None:
    location = StoreLocation(f"sqlite:///{file}")
    async with open_store(location):
        pass
    rows = {
        "watched.ljubljana": "2026-11-22T12:00:00+00:00",
        "lookups.ljubljana": '{"day": "2026-11-22", "spent": 3, "daily_limit": null, '
        '"looked_at": "2026-11-22 12:00:00+00:00"}',
        "quota.ljubljana": '{"left": 7, "stated_at": "2026-11-22T12:00:00+00:00", '
        '"until": "2026-11-22T15:00:00+00:00", "daily_limit": 5000}',
    }
    with closing(sqlite3.connect(file, isolation_level=None)) as earlier:
        earlier.executemany("INSERT INTO marks (name, value) VALUES (?, ?)", rows.items())

    async with open_store(location) as store:
        watched = await store.meta.get_time("watched.ljubljana")
        budget = await store.meta.get_json("lookups.ljubljana", CallBudget)
        quota = await store.meta.get_json("quota.ljubljana", Quota)

    assert watched == NOON
    assert budget == CallBudget(NOON.date(), 3, None, NOON)
    assert quota == Quota(7, NOON, NOON + timedelta(hours=3), 5_000)
