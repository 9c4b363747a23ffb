"""A run confirms a sudden empty list by a second reading."""

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
NO_ANSWER = MarketplaceUnavailable("no answer")


@dataclass
class ScriptedSource:
    """A source that returns the given readings in order, and records the known orders."""

    readings: list[Reading]
    known_ids: list[Collection[int]] = field(default_factory=list)
    server_time: datetime | None = None

    async def ask_time(self) -> datetime | None:
        return None

    async def read(self, known: Collection[int]) -> Reading:
        self.known_ids.append(set(known))
        return self.readings.pop(0)


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    async with open_store(StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")) as store:
        yield factories.context(store)


def waiting(count: int) -> Complete:
    return Complete(NOON, tuple(factories.order(id_) for id_ in range(1, count + 1)))


EMPTY = Complete(NOON, (), dict.fromkeys(range(1, SUSPICIOUS_DROP + 1), Departure.RETURNED))


async def next_day(
    context: Context, count: int, *readings: Reading
) -> tuple[ScriptedSource, Digest | None]:
    """Run a day with `count` orders and the next; return source and digest of the second."""
    today = replace(context, source=lambda _: ScriptedSource([waiting(count)]))
    await run_account(ACCOUNT, today, RunRequest())
    source = ScriptedSource(list(readings))
    tomorrow = replace(context, clock=lambda: NOON + timedelta(days=1), source=lambda _: source)
    return source, (await run_account(ACCOUNT, tomorrow, RunRequest())).digest


async def test_a_list_that_drops_from_many_orders_to_none_is_read_twice(context: Context) -> None:
    source, digest = await next_day(context, SUSPICIOUS_DROP, EMPTY, waiting(SUSPICIOUS_DROP))

    assert source.known_ids == [set(range(1, SUSPICIOUS_DROP + 1))] * 2
    assert digest
    assert len(digest.present) == SUSPICIOUS_DROP


async def test_two_empty_readings_are_accepted(context: Context) -> None:
    source, digest = await next_day(context, SUSPICIOUS_DROP, EMPTY, EMPTY)

    assert len(source.known_ids) == 2
    assert digest
    assert (len(digest.present), len(digest.collected)) == (0, SUSPICIOUS_DROP)


async def test_a_failed_second_reading_makes_no_digest(context: Context) -> None:
    failed = Failed(NOON, NO_ANSWER)
    _, digest = await next_day(context, SUSPICIOUS_DROP, EMPTY, failed)

    assert digest is None


@pytest.mark.parametrize(
    ("before", "reading"),
    [
        (SUSPICIOUS_DROP - 1, EMPTY),
        (SUSPICIOUS_DROP, waiting(1)),
        (SUSPICIOUS_DROP, Failed(NOON, NO_ANSWER)),
    ],
)
async def test_other_lists_are_read_once(context: Context, before: int, reading: Reading) -> None:
    source, _ = await next_day(context, before, reading)

    assert len(source.known_ids) == 1
