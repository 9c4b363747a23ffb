"""Live processes by a clock that is changed twice a year, jumps, or misses days: libfaketime.

`python -m tests.faults.faketime` calls the command every few hours over the changes of the clocks.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from notifier.domain.ledger import RunState
from notifier.errors import ExitCode
from tests.acceptance.world import EVERYBODY
from tests.faults.faketime import (
    CHANGES,
    Change,
    FalseWorld,
    false_world,
    live_through,
    missing,
)
from tests.faults.world import check_world

A_DAY = timedelta(days=1)
FIRST = date(2026, 12, 1)
MORNING = datetime(2026, 12, 1, 5, 5, tzinfo=UTC)
"""The digest of the first day is due."""
IN_2098 = MORNING.replace(year=2098)
IN_1970 = MORNING.replace(year=1970)
ZONES = sorted({change.zone for change in CHANGES})


@pytest.fixture(autouse=True)
def needs_faketime() -> None:
    if why := missing():
        pytest.skip(f"NOT CHECKED: {why}")


async def check(false: FalseWorld, days: int) -> None:
    """Everybody got one mail on each of the first days, and nothing else."""
    evidence = await false.evidence()
    wanted = [FIRST + n * A_DAY for n in range(days)]
    assert check_world(evidence, recipients=EVERYBODY, days=wanted) == 0
    assert false.world.receivers == sorted(EVERYBODY * days)


@pytest.mark.parametrize("zone", ZONES)
async def test_a_change_of_clocks_neither_drops_nor_doubles_a_day(
    zone: str, tmp_path: Path
) -> None:
    async def live(change: Change) -> int:
        folder = tmp_path / str(change.day)
        folder.mkdir()
        return await live_through(change, 2 * A_DAY, folder)

    changes = [change for change in CHANGES if change.zone == zone]

    assert all(change.readings[0] != change.readings[1] for change in changes)
    assert await asyncio.gather(*map(live, changes)) == [4, 4]


async def test_a_daemon_lives_through_2098_and_1970(tmp_path: Path) -> None:
    async with false_world(tmp_path) as false:
        world, clocks = false.world, false.clocks
        clocks.say(MORNING)
        async with false.serving() as daemon:
            await false.has_mailed(1)

            clocks.lie(IN_2098)
            daemon.looks()
            assert "2098-12-01 05:05 UTC, the marketplace's" in await daemon.tells("trouble")
            clocks.say(MORNING + timedelta(minutes=10))
            await daemon.tells("clock_set_back")  # by itself, and not after a minute
            await daemon.tells("well_again")

            clocks.lie(IN_1970)
            daemon.looks()
            assert "1970-12-01 05:05 UTC, which is before" in await daemon.tells("trouble")
            clocks.say(MORNING + A_DAY)
            daemon.looks()
            await daemon.tells("well_again")
            await false.has_mailed(2)
            assert await daemon.stops() == ExitCode.DONE

        await check(false, 2)
        over = [words(mail) for mail in world.alarm_mails]
        assert ["2098-12-01" in over[0], "1970-12-01" in over[1]] == [True, True]


async def test_a_daemon_sends_a_digest_a_day_as_the_days_go_by(tmp_path: Path) -> None:
    async with false_world(tmp_path) as false:
        false.clocks.say(MORNING)
        async with false.serving() as daemon:
            await false.has_mailed(1)
            for day in range(1, 8):
                false.clocks.say(MORNING + day * A_DAY)
                daemon.looks()
                await false.has_mailed(day + 1)
            assert await daemon.stops() == ExitCode.DONE

        await check(false, 8)
        assert false.world.alarm_mails == []


async def test_a_machine_that_was_off_for_three_days_sends_one_mail_that_tells_of_two(
    tmp_path: Path,
) -> None:
    async with false_world(tmp_path) as false:
        await false.run(MORNING)

        assert await false.run(MORNING + 3 * A_DAY) == ExitCode.DONE

        assert await skipped_days(false) == [2, 3]
        assert "skipped 2026-12-02, 2026-12-03" in words_of((await false.world.call("status")).out)
    assert false.world.receivers == sorted(EVERYBODY * 2)
    assert "2 days without a digest" in what_the_office_reads(false)


async def test_a_machine_that_is_back_too_late_for_a_digest_raises_an_alarm_and_tells_it_next_day(
    tmp_path: Path,
) -> None:
    async with false_world(tmp_path) as false:
        await false.run(MORNING)

        assert await false.run(MORNING.replace(hour=20) + 3 * A_DAY) == ExitCode.DONE

        assert await skipped_days(false) == [2, 3, 4]
        assert false.world.receivers == EVERYBODY
        assert "4 Dec has no digest" in words(false.world.alarm_mails[-1])
        await false.run(MORNING + 4 * A_DAY)
    assert false.world.receivers == sorted(EVERYBODY * 2)
    assert "3 days without a digest" in what_the_office_reads(false)


async def skipped_days(false: FalseWorld) -> list[int]:
    return [run.day.day for run in await false.world.runs() if run.state is RunState.SKIPPED]


def what_the_office_reads(false: FalseWorld) -> str:
    """Its last digest; it reads English."""
    theirs = [mail for mail in false.world.mails if mail["To"] == "office@example.com"]
    return words(theirs[-1])


def words(mail: EmailMessage) -> str:
    text = mail.get_body(("plain",))
    assert text is not None
    return words_of(text.get_content())


def words_of(text: str) -> str:
    return " ".join(text.split())
