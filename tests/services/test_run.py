"""What a run makes of what it reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notifier.domain.digest import Digest
from notifier.domain.reading import SUSPICIOUS_DROP, Complete, Departure, Failed, Reading
from notifier.domain.settings import StoreLocation
from notifier.errors import MarketplaceUnavailable
from notifier.services.context import Context
from notifier.services.due import RunRequest
from notifier.services.run import run_account
from notifier.store import open_store
from tests import factories
from tests.factories import NOON

ACCOUNT = factories.account()
SILENCE = MarketplaceUnavailable("nobody answers")


@dataclass
class Shelf:
    """A source that gives one reading after the other."""

    readings: list[Reading]
    asked: list[Collection[int]] = field(default_factory=list)
    server_time: datetime | None = None

    async def ask_time(self) -> datetime | None:
        return None

    async def read(self, known: Collection[int]) -> Reading:
        self.asked.append(set(known))
        return self.readings.pop(0)


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    async with open_store(StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")) as store:
        yield factories.context(store)


def waiting(count: int) -> Complete:
    return Complete(NOON, tuple(factories.order(id_) for id_ in range(1, count + 1)))


NOTHING = Complete(NOON, (), dict.fromkeys(range(1, SUSPICIOUS_DROP + 1), Departure.RETURNED))


async def next_day(context: Context, count: int, *readings: Reading) -> tuple[Shelf, Digest | None]:
    """The second of two days, of which the first had so many orders that wait."""
    today = replace(context, source=lambda _: Shelf([waiting(count)]))
    await run_account(ACCOUNT, today, RunRequest())
    shelf = Shelf(list(readings))
    tomorrow = replace(context, clock=lambda: NOON + timedelta(days=1), source=lambda _: shelf)
    return shelf, (await run_account(ACCOUNT, tomorrow, RunRequest())).digest


async def test_from_many_to_none_is_read_twice_before_it_is_believed(context: Context) -> None:
    shelf, digest = await next_day(context, SUSPICIOUS_DROP, NOTHING, waiting(SUSPICIOUS_DROP))

    assert shelf.asked == [set(range(1, SUSPICIOUS_DROP + 1))] * 2
    assert digest
    assert len(digest.present) == SUSPICIOUS_DROP


async def test_what_is_read_twice_is_believed(context: Context) -> None:
    shelf, digest = await next_day(context, SUSPICIOUS_DROP, NOTHING, NOTHING)

    assert len(shelf.asked) == 2
    assert digest
    assert (len(digest.present), len(digest.collected)) == (0, SUSPICIOUS_DROP)


async def test_a_second_reading_that_fails_leaves_nothing_to_believe(context: Context) -> None:
    failed = Failed(NOON, SILENCE)
    _, digest = await next_day(context, SUSPICIOUS_DROP, NOTHING, failed)

    assert digest is None


@pytest.mark.parametrize(
    ("before", "then"),
    [
        (SUSPICIOUS_DROP - 1, NOTHING),
        (SUSPICIOUS_DROP, waiting(1)),
        (SUSPICIOUS_DROP, Failed(NOON, SILENCE)),
    ],
)
async def test_else_it_is_read_once(context: Context, before: int, then: Reading) -> None:
    shelf, _ = await next_day(context, before, then)

    assert len(shelf.asked) == 1
