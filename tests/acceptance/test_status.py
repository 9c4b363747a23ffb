"""`notifier status` tells how everything stands, and what to call where it does not."""

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


async def test_before_anything_ran_nothing_is_wrong(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await status(world, "2026-11-21", "05:00") is ExitCode.DONE

    out = capsys.readouterr().out
    assert "last good  none yet" in out
    assert "next due   Sat 21 Nov at 06:00 (Europe/Prague)" in out
    assert sorted(path.name for path in world.folder.iterdir()) == ["config.toml"]


async def test_a_good_day_tells_the_last_digest_and_its_age(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.run("2026-11-21")
    capsys.readouterr()

    assert await status(world, "2026-11-21", "12:10") is ExitCode.DONE

    out = capsys.readouterr().out
    assert "last good  2026-11-21, 6 h ago, 3 messages sent" in out
    assert "today      complete, 3 of 3 messages sent" in out
    assert out.endswith("All is well.\n")


async def test_what_failed_comes_with_its_reason_and_its_command(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    await world.run("2026-11-21")
    capsys.readouterr()

    assert await status(world, "2026-11-21", "12:10", as_json=True) is ExitCode.FAILED

    told = json.loads(capsys.readouterr().out)
    (message,) = told["messages"]
    assert (told["good"], told["accounts"][0]["last_good_day"]) == (False, None)
    assert (message["recipient"], message["state"]) == ("pavol@example.com", "failed")
    assert "no such user" in message["reply"]
    assert message["command"] == f"notifier outbox retry {message['number']}"
    assert [(alarm["cause"], alarm["since"]) for alarm in told["alarms"]] == [
        ("failed/ljubljana/pavol@example.com", "2026-11-21T05:05:00+00:00")
    ]


async def test_what_is_put_off_is_not_good_yet(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.smtp.script(Step.RCPT, says("451 4.7.1 come back"), only="pavol@example.com")
    await world.run("2026-11-21")

    assert await status(world, "2026-11-21", "06:06") is ExitCode.FAILED
    assert "is deferred: 451 4.7.1 come back" in capsys.readouterr().out


async def test_that_nobody_calls_the_notifier_is_told_as_well(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.run("2026-11-21")

    assert await status(world, "2026-11-22", "07:00") is ExitCode.DONE
    assert await status(world, "2026-11-22", "08:00") is ExitCode.FAILED
    assert "check that the timer or daemon is running" in capsys.readouterr().out


async def test_skipped_days_are_told_for_a_week(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.run("2026-11-21")
    await world.run("2026-11-24")
    capsys.readouterr()

    assert await status(world, "2026-11-24", "07:00") is ExitCode.DONE
    assert "skipped    2026-11-22, 2026-11-23" in capsys.readouterr().out

    await status(world, "2026-11-30", "05:00")
    assert "skipped    2026-11-23\n" in capsys.readouterr().out


async def test_how_many_wait_is_as_fresh_as_the_last_hint_that_was_looked_into(
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
    told = [line.split(None, 1)[1] for line in out.splitlines() if line.startswith("  waiting")]
    assert told == [
        "not read yet",
        f"{waiting} orders, as of Sat 21 Nov at 06:05",
        f"{waiting - 1} orders, as of Sat 21 Nov at 10:00",
    ]


async def test_a_list_that_was_not_read_in_full_is_not_good(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.marketplace.break_detail(world.marketplace.ready_ids()[0])
    await world.run("2026-11-21")

    assert await status(world, "2026-11-21", "12:10") is ExitCode.FAILED
    assert "today      incomplete, 3 of 3 messages sent: 1 of" in capsys.readouterr().out
