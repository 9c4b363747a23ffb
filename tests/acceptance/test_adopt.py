"""A store that was copied, moved or restored sends nothing until a person adopts it."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime

import pytest

from notifier.cli.commands.adopt import command as adopt
from notifier.cli.context import Invocation
from notifier.domain.ledger import MessageState, RunState
from notifier.errors import ExitCode, StoreMoved
from tests.acceptance.world import EVERYBODY, ZONE, World
from tests.neighbours.smtp import Step, says

IDENTITY = '[store]\nidentity = "{}"\n\n[smtp]'
FIRST, SECOND = (IDENTITY.format(name) for name in ("first", "second"))


def run_adopt(world: World, day: str, at: str, *options: str) -> int:
    """Run `notifier adopt` at a local day and time; return the exit code."""
    now = datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=ZONE).astimezone(UTC)
    invocation = Invocation(world.config, clock=lambda: now, environ=world.environ)
    with adopt.make_context("adopt", list(options), obj=invocation) as context:
        code: int = adopt.invoke(context)
    return code


async def clone(world: World) -> None:
    """Move the folder to another machine while a message waits in its outbox."""
    world.configure(("[smtp]", FIRST))
    world.smtp.script(Step.RCPT, says("451 4.7.1 come back"), only="jana@example.com")
    await world.run("2026-11-21")
    world.smtp.accepted.clear()
    world.configure(("[smtp]", SECOND))


async def test_a_cloned_machine_sends_nothing_and_names_the_command_to_run(world: World) -> None:
    await clone(world)
    for day in ("2026-11-21", "2026-11-22"):
        with pytest.raises(StoreMoved, match="notifier adopt") as caught:
            await world.run(day, at="12:00")
        assert caught.value.exit_code is ExitCode.CONFIG

    assert world.receivers == []
    assert len(await world.runs()) == 1


async def test_adopt_without_yes_only_explains(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await clone(world)

    assert run_adopt(world, "2026-11-22", "06:05") == ExitCode.CONFIG
    with pytest.raises(StoreMoved):
        await world.run("2026-11-22")

    output = capsys.readouterr().out
    assert "belongs to another machine" in output
    assert "notifier adopt --yes" in output


async def test_an_adopted_store_holds_messages_skips_the_day_and_sends_the_next_one(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await clone(world)
    assert await asyncio.to_thread(run_adopt, world, "2026-11-22", "06:05", "--yes") == 0
    assert "notifier outbox retry" in capsys.readouterr().out

    assert await world.run("2026-11-22", at="12:00") is ExitCode.DONE
    assert world.receivers == []
    (jana,) = (m for m in await world.outbox() if m.recipient == "jana@example.com")
    assert jana.state is MessageState.HELD
    assert [run.state for run in await world.runs()] == [RunState.COMPLETE, RunState.SKIPPED]
    (entry,) = await world.audit()
    assert (entry.action, entry.subject) == ("adopt", "the store")

    assert await world.run("2026-11-23") is ExitCode.DONE
    assert world.receivers == EVERYBODY


async def test_a_person_can_send_a_skipped_day(world: World) -> None:
    await clone(world)
    await asyncio.to_thread(run_adopt, world, "2026-11-22", "06:05", "--yes")

    assert await world.run("2026-11-22", at="12:00", now=True) is ExitCode.DONE

    assert world.receivers == EVERYBODY


async def test_a_day_that_was_not_due_when_adopted_is_sent_at_its_time(world: World) -> None:
    await clone(world)
    await asyncio.to_thread(run_adopt, world, "2026-11-22", "05:00", "--yes")

    await world.run("2026-11-22")

    assert world.receivers == EVERYBODY


async def test_a_restored_backup_sends_nothing(world: World) -> None:
    await world.run("2026-11-20")
    store = world.folder / "notifier.db"
    saved = world.folder / "saved"
    shutil.copy(store, saved)
    await world.run("2026-11-21")
    world.smtp.accepted.clear()
    for name in ("notifier.db-wal", "notifier.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    shutil.copy(saved, store)

    with pytest.raises(StoreMoved, match="restored backup"):
        await world.run("2026-11-21", at="12:00")

    assert world.receivers == []
