"""`notifier status` shows the state of everything, and the command for each problem."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from notifier.cli.commands.status import show
from notifier.cli.context import Invocation
from notifier.errors import ExitCode
from notifier.store import open_store
from tests.acceptance.world import ZONE, World
from tests.neighbours.smtp import Step, says


async def status(world: World, day: str, at: str, *, as_json: bool = False) -> ExitCode:
    now = datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=ZONE).astimezone(UTC)
    invocation = Invocation(world.config, clock=lambda: now, environ=world.environ)
    return await show(invocation, as_json=as_json)


async def test_before_the_first_run_status_reports_no_problem(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await status(world, "2026-11-21", "05:00") is ExitCode.DONE

    out = capsys.readouterr().out
    assert "last good  none yet" in out
    assert "next due   Sat 21 Nov at 06:00 (Europe/Prague)" in out
    assert sorted(path.name for path in world.folder.iterdir()) == ["config.toml"]


async def test_after_a_successful_day_status_shows_the_last_digest_and_its_age(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.run("2026-11-21")
    capsys.readouterr()

    assert await status(world, "2026-11-21", "12:10") is ExitCode.DONE

    out = capsys.readouterr().out
    assert "last good  2026-11-21, 6 h ago, 3 messages sent" in out
    assert "today      complete, 3 of 3 messages sent" in out
    assert out.endswith("All is well.\n")


async def test_a_failed_message_is_shown_with_its_reason_and_its_command(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    await world.run("2026-11-21")
    capsys.readouterr()

    assert await status(world, "2026-11-21", "12:10", as_json=True) is ExitCode.FAILED

    report = json.loads(capsys.readouterr().out)
    (message,) = report["messages"]
    assert (report["good"], report["accounts"][0]["last_good_day"]) == (False, None)
    assert (message["recipient"], message["state"]) == ("pavol@example.com", "failed")
    assert "no such user" in message["reply"]
    assert message["command"] == f"notifier outbox retry {message['number']}"
    assert [(alarm["cause"], alarm["since"]) for alarm in report["alarms"]] == [
        ("failed/ljubljana/pavol@example.com", "2026-11-21T05:05:00+00:00")
    ]


async def test_a_deferred_message_is_a_problem(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.smtp.script(Step.RCPT, says("451 4.7.1 come back"), only="pavol@example.com")
    await world.run("2026-11-21")

    assert await status(world, "2026-11-21", "06:06") is ExitCode.FAILED
    assert "is deferred: 451 4.7.1 come back" in capsys.readouterr().out


async def test_missing_runs_of_the_timer_or_daemon_are_a_problem(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.run("2026-11-21")

    assert await status(world, "2026-11-22", "07:00") is ExitCode.DONE
    assert await status(world, "2026-11-22", "08:00") is ExitCode.FAILED
    assert "check that the timer or daemon is running" in capsys.readouterr().out


async def test_skipped_days_are_shown_for_a_week(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.run("2026-11-21")
    await world.run("2026-11-24")
    capsys.readouterr()

    assert await status(world, "2026-11-24", "07:00") is ExitCode.DONE
    assert "skipped    2026-11-22, 2026-11-23" in capsys.readouterr().out

    await status(world, "2026-11-30", "05:00")
    assert "skipped    2026-11-23\n" in capsys.readouterr().out


async def test_the_number_of_waiting_orders_includes_the_last_hint_that_was_read(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await status(world, "2026-11-21", "05:00")
    await world.run("2026-11-21")
    waiting = len(world.marketplace.ready_ids())
    await status(world, "2026-11-21", "07:00")
    collected = world.marketplace.ready_ids()[0]
    world.marketplace.set_status(collected, "returned")
    async with open_store(world.location) as store:
        await store.order_states.add_hints("ljubljana", [collected], at=world.now)
    await world.run("2026-11-21", at="10:00")
    await status(world, "2026-11-21", "10:01")

    out = capsys.readouterr().out
    waiting_lines = [
        line.split(None, 1)[1] for line in out.splitlines() if line.startswith("  waiting")
    ]
    assert waiting_lines == [
        "not read yet",
        f"{waiting} orders, as of Sat 21 Nov at 06:05",
        f"{waiting - 1} orders, as of Sat 21 Nov at 10:00",
    ]


@pytest.mark.slow
async def test_an_incomplete_list_is_a_problem(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.marketplace.break_detail(world.marketplace.ready_ids()[0])
    await world.run("2026-11-21")

    assert await status(world, "2026-11-21", "12:10") is ExitCode.FAILED
    assert "today      incomplete, 3 of 3 messages sent: 1 of" in capsys.readouterr().out
