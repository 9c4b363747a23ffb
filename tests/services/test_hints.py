"""Hinted orders are read between digests, at intervals and with a small share of the calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notifier.domain.reading_plan import HintBatch, OrderState, ReadingState
from notifier.domain.settings import StoreLocation
from notifier.errors import Stopped
from notifier.services.context import Context
from notifier.services.hints import EVERY, SHARE, UNTOLD, follow_hints
from notifier.store import open_store
from tests import factories
from tests.factories import DAY, NOON

ACCOUNT = factories.account()
WAITS = OrderState(DAY, DAY, waits=True)
TEN_CALLS = HintBatch(read={1: WAITS}, calls=10)


@dataclass
class ScriptedReader:
    """A hint reader that returns a given batch and records the budget of each lookup."""

    batch: HintBatch = TEN_CALLS
    failure: Exception | None = None
    lookups: list[tuple[int, int]] = field(default_factory=list)

    async def look_up(self, most_calls: int, *, leaving: int) -> HintBatch:
        self.lookups.append((most_calls, leaving))
        if self.failure:
            raise self.failure
        return self.batch


@dataclass
class HintScenario:
    """A store with hints, a scripted hint reader, and a clock."""

    context: Context
    now: datetime = NOON
    reader: ScriptedReader = field(default_factory=ScriptedReader)

    async def add_hints(self, *ids: int) -> None:
        await self.context.store.order_states.add_hints(ACCOUNT.id, ids, at=self.now)

    async def follow(self, after: timedelta = timedelta(0)) -> int:
        """Follow hints after moving the clock; return the number of lookups so far."""
        self.now += after
        await follow_hints(ACCOUNT, self.context)
        return len(self.reader.lookups)

    async def state(self) -> ReadingState:
        return await self.context.store.order_states.recall(ACCOUNT.id)


@asynccontextmanager
async def open_scenario(folder: Path) -> AsyncIterator[HintScenario]:
    location = StoreLocation(f"sqlite:///{folder / 'notifier.db'}")
    async with open_store(location) as store:
        scenarios: list[HintScenario] = []
        scenarios.append(
            HintScenario(
                factories.context(
                    store, at=lambda: scenarios[0].now, hint_reader=lambda _: scenarios[0].reader
                )
            )
        )
        yield scenarios[0]


@pytest.fixture
async def scenario(tmp_path: Path) -> AsyncIterator[HintScenario]:
    async with open_scenario(tmp_path) as scenario:
        yield scenario


async def test_without_hints_nothing_is_read(scenario: HintScenario) -> None:
    assert await scenario.follow() == 0


async def test_a_followed_hint_is_removed_and_its_order_state_stored(
    scenario: HintScenario,
) -> None:
    await scenario.add_hints(1)

    assert await scenario.follow() == 1

    assert await scenario.state() == ReadingState({1: WAITS})


async def test_two_lookups_are_at_least_the_interval_apart(scenario: HintScenario) -> None:
    await scenario.add_hints(1)
    await scenario.follow()
    await scenario.add_hints(1)

    assert await scenario.follow(EVERY - timedelta(seconds=1)) == 1
    assert await scenario.follow(timedelta(seconds=1)) == 2


async def test_a_clock_set_back_does_not_stop_the_lookups(scenario: HintScenario) -> None:
    await scenario.add_hints(1)
    await scenario.follow()
    scenario.now -= timedelta(days=30)
    await scenario.add_hints(1)

    assert await scenario.follow() == 2


async def test_lookups_share_a_daily_budget_of_calls_that_the_next_day_renews(
    scenario: HintScenario,
) -> None:
    for _ in range(UNTOLD // 10 + 3):
        await scenario.add_hints(1)
        await scenario.follow(EVERY)
    budgets = [most_calls for most_calls, _ in scenario.reader.lookups]
    await scenario.follow(timedelta(days=1))

    assert budgets == list(range(UNTOLD, 0, -10))
    assert scenario.reader.lookups[-1] == (UNTOLD, 0)


async def test_a_known_daily_limit_sets_the_budget_and_leaves_half_of_the_calls(
    scenario: HintScenario,
) -> None:
    scenario.reader.batch = HintBatch(calls=10, daily_limit=1_000)
    await scenario.add_hints(1)
    await scenario.follow()
    await scenario.follow(EVERY)

    assert scenario.reader.lookups[1] == (1_000 // SHARE - 10, 500)


async def test_the_spent_budget_survives_a_restart(tmp_path: Path) -> None:
    async with open_scenario(tmp_path) as scenario:
        await scenario.add_hints(1, 2)
        await scenario.follow()
    async with open_scenario(tmp_path) as scenario:
        assert await scenario.follow() == 0
        assert await scenario.follow(EVERY) == 1
        assert scenario.reader.lookups == [(UNTOLD - 10, 0)]


async def test_hints_for_a_file_account_are_not_followed(scenario: HintScenario) -> None:
    await scenario.add_hints(1)

    await follow_hints(ACCOUNT, replace(scenario.context, hint_reader=lambda _: None))

    assert (await scenario.state()).fresh == {1}


async def test_a_bug_in_a_lookup_is_logged_and_not_repeated_before_the_interval(
    scenario: HintScenario, caplog: pytest.LogCaptureFixture
) -> None:
    scenario.reader.failure = ZeroDivisionError("a bug")
    await scenario.add_hints(1)

    assert await scenario.follow() == 1
    assert await scenario.follow(timedelta(minutes=1)) == 1
    assert "a bug, please report it" in caplog.text


async def test_a_stop_ends_a_lookup_at_once(scenario: HintScenario) -> None:
    class SlowReader(ScriptedReader):
        async def look_up(self, most_calls: int, *, leaving: int) -> HintBatch:
            scenario.context.stop.request()
            await asyncio.sleep(60)
            raise AssertionError("the lookup was not stopped")

    scenario.reader = SlowReader()
    await scenario.add_hints(1)
    with pytest.raises(Stopped):
        await follow_hints(ACCOUNT, scenario.context)
