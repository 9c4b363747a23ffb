"""A clock that jumps neither doubles nor blocks nor loses a message."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifier.domain.ledger import MessageState, RunState
from notifier.errors import ClockRefused, ClockUnconfirmed, ExitCode
from tests.acceptance.world import EVERYBODY, World
from tests.neighbours.smtp import Step, says

TO_2098 = timedelta(days=26_250)


async def test_a_jump_to_2098_and_back_neither_doubles_nor_blocks_a_day(world: World) -> None:
    await world.run("2026-11-21")
    world.clock_error = TO_2098
    with pytest.raises(ClockRefused):
        await world.run("2026-11-21", at="09:00")
    world.clock_error = timedelta(0)

    for day in ("2026-11-21", "2026-11-22"):
        assert await world.run(day, at="12:00") is ExitCode.DONE

    assert world.receivers == sorted(EVERYBODY * 2)
    assert [str(run.day) for run in await world.runs()] == ["2026-11-21", "2026-11-22"]


async def test_a_waiting_message_survives_a_jump_of_the_clock(world: World) -> None:
    world.smtp.script(Step.RCPT, says("451 4.7.1 come back"), only="jana@example.com")
    await world.run("2026-11-21")
    world.clock_error = TO_2098
    with pytest.raises(ClockRefused):
        await world.run("2026-11-21", at="06:15")
    world.clock_error = timedelta(0)

    await world.run("2026-11-21", at="06:25")

    assert world.receivers == EVERYBODY
    assert {message.state for message in await world.outbox()} == {MessageState.SENT}


async def test_a_first_run_with_a_wrong_clock_is_abandoned_and_the_day_stays_open(
    world: World,
) -> None:
    world.clock_error = timedelta(hours=3)
    assert await world.run("2026-11-21") is ExitCode.REFUSED
    (run,) = await world.runs()
    assert (run.state, world.receivers) == (RunState.ABANDONED, [])
    assert "set it (timedatectl)" in (run.why or "")
    world.clock_error = timedelta(0)

    await world.run("2026-11-21", at="09:06")

    assert world.receivers == EVERYBODY


async def test_each_attempt_with_a_wrong_clock_costs_one_call(world: World) -> None:
    world.clock_error = timedelta(hours=3)
    await world.run("2026-11-21")
    calls_before = world.marketplace.requests

    assert await world.run("2026-11-21", at="06:06") is ExitCode.REFUSED

    assert world.marketplace.requests == calls_before + 1


async def test_a_jump_that_no_server_can_confirm_stops_the_run(world: World) -> None:
    await world.run("2026-11-21")
    world.configure((world.base_url, "http://127.0.0.1:1"))
    world.clock_error = TO_2098
    with pytest.raises(ClockUnconfirmed):
        await world.run("2026-11-21", at="09:00")

    assert [str(run.day) for run in await world.runs()] == ["2026-11-21"]


async def test_a_machine_that_was_off_for_days_skips_them_and_continues(world: World) -> None:
    await world.run("2026-11-21")

    assert await world.run("2026-11-25") is ExitCode.DONE

    states = [(str(run.day), run.state) for run in await world.runs()]
    skipped = [(f"2026-11-{day}", RunState.SKIPPED) for day in (22, 23, 24)]
    assert states[1:] == [*skipped, ("2026-11-25", RunState.COMPLETE)]
