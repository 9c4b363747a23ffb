"""Several processes on one store, and processes that die while they use it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor

from notifier.domain.settings import StoreLocation
from notifier.store import open_store
from tests.store import processes
from tests.store.arrange import freeze

PROCESSES = 6
RECIPIENTS = [f"r{number}@example.com" for number in range(12)]


async def freeze_in(location: StoreLocation, *recipients: str) -> None:
    async with open_store(location) as store:
        await freeze(store, *recipients)


def test_six_processes_share_days_and_messages_without_taking_one_twice(
    location: StoreLocation,
) -> None:
    asyncio.run(freeze_in(location, *RECIPIENTS))
    start = processes.FORKS.Barrier(PROCESSES)

    with ProcessPoolExecutor(
        PROCESSES, processes.FORKS, initializer=processes.line_up, initargs=(start,)
    ) as pool:
        taken = [
            name for names in pool.map(processes.race, [location.url] * PROCESSES) for name in names
        ]

    days = [f"day {number}" for number in range(1, processes.DAYS + 1)]
    assert sorted(taken) == sorted([*RECIPIENTS, *days])


async def test_a_store_whose_process_was_killed_opens_with_all_rows(
    location: StoreLocation,
) -> None:
    processes.killed(processes.die_after_a_run, location.url)

    for read_only in (True, False):
        async with open_store(location, read_only=read_only) as store:
            assert [run.waiting for run in await store.runs.list()] == [2]


async def test_a_process_killed_in_a_migration_leaves_nothing_of_it(
    location: StoreLocation,
) -> None:
    processes.killed(processes.die_while_migrating, location.url)

    async with open_store(location, read_only=True) as store:
        assert await store.runs.list() == ()
    await freeze_in(location, "jana@example.com")


async def test_processes_that_create_the_store_at_once_all_open_it(location: StoreLocation) -> None:
    async def opened() -> int:
        async with open_store(location) as store:
            return len(await store.runs.list())

    assert await asyncio.gather(*(opened() for _ in range(4))) == [0] * 4
