"""Hints are looked into between digests, seldom and on a small share of the calls."""

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
A_TENTH = HintBatch(read={1: WAITS}, calls=10)


@dataclass
class Watcher:
    """A marketplace that tells what it was asked, and gives what it was told to."""

    batch: HintBatch = A_TENTH
    accident: Exception | None = None
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def look_up(self, most_calls: int, *, leaving: int) -> HintBatch:
        self.asked.append((most_calls, leaving))
        if self.accident:
            raise self.accident
        return self.batch


@dataclass
class Desk:
    """A store with hints in it, and a clock."""

    context: Context
    now: datetime = NOON
    watcher: Watcher = field(default_factory=Watcher)

    async def hint(self, *ids: int) -> None:
        await self.context.store.order_states.add_hints(ACCOUNT.id, ids, at=self.now)

    async def look(self, after: timedelta = timedelta(0)) -> int:
        """How often the marketplace was asked by then."""
        self.now += after
        await follow_hints(ACCOUNT, self.context)
        return len(self.watcher.asked)

    async def recalled(self) -> ReadingState:
        return await self.context.store.order_states.recall(ACCOUNT.id)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Desk]:
    location = StoreLocation(f"sqlite:///{folder / 'notifier.db'}")
    async with open_store(location) as store:
        desks: list[Desk] = []
        desks.append(
            Desk(
                factories.context(
                    store, at=lambda: desks[0].now, hint_reader=lambda _: desks[0].watcher
                )
            )
        )
        yield desks[0]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as desk:
        yield desk


async def test_nothing_is_asked_as_long_as_nothing_was_hinted_at(desk: Desk) -> None:
    assert await desk.look() == 0


async def test_what_was_seen_is_remembered_and_its_hint_followed(desk: Desk) -> None:
    await desk.hint(1)

    assert await desk.look() == 1

    assert await desk.recalled() == ReadingState({1: WAITS})


async def test_there_is_a_pause_between_two_looks(desk: Desk) -> None:
    await desk.hint(1)
    await desk.look()
    await desk.hint(1)

    assert await desk.look(EVERY - timedelta(seconds=1)) == 1
    assert await desk.look(timedelta(seconds=1)) == 2


async def test_a_clock_that_is_set_back_does_not_stop_it(desk: Desk) -> None:
    await desk.hint(1)
    await desk.look()
    desk.now -= timedelta(days=30)
    await desk.hint(1)

    assert await desk.look() == 2


async def test_a_day_has_so_many_calls_for_it_and_the_next_has_them_again(desk: Desk) -> None:
    for _ in range(UNTOLD // 10 + 3):
        await desk.hint(1)
        await desk.look(EVERY)
    spent = [most for most, _ in desk.watcher.asked]
    await desk.look(timedelta(days=1))

    assert spent == list(range(UNTOLD, 0, -10))
    assert desk.watcher.asked[-1] == (UNTOLD, 0)


async def test_a_limit_that_is_told_sets_the_share_and_leaves_half_to_others(desk: Desk) -> None:
    desk.watcher.batch = HintBatch(calls=10, daily_limit=1_000)
    await desk.hint(1)
    await desk.look()
    await desk.look(EVERY)

    assert desk.watcher.asked[1] == (1_000 // SHARE - 10, 500)


async def test_what_was_spent_outlasts_the_process(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.hint(1, 2)
        await desk.look()
    async with opened(tmp_path) as desk:
        assert await desk.look() == 0
        assert await desk.look(EVERY) == 1
        assert desk.watcher.asked == [(UNTOLD - 10, 0)]


async def test_a_file_is_never_looked_at(desk: Desk) -> None:
    await desk.hint(1)

    await follow_hints(ACCOUNT, replace(desk.context, hint_reader=lambda _: None))

    assert (await desk.recalled()).fresh == {1}


async def test_a_bug_in_it_stops_nothing_else_and_does_not_come_every_minute(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.watcher.accident = ZeroDivisionError("a bug")
    await desk.hint(1)

    assert await desk.look() == 1
    assert await desk.look(timedelta(minutes=1)) == 1
    assert "a bug, please report it" in caplog.text


async def test_a_stop_ends_it_at_once(desk: Desk) -> None:
    class Slow(Watcher):
        async def look_up(self, most_calls: int, *, leaving: int) -> HintBatch:
            desk.context.stop.request()
            await asyncio.sleep(60)
            raise AssertionError("it was not stopped")

    desk.watcher = Slow()
    await desk.hint(1)
    with pytest.raises(Stopped):
        await follow_hints(ACCOUNT, desk.context)
