"""A store that was copied, moved or restored sends nothing by itself, and a person can go on."""

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


def adopted(world: World, day: str, at: str, *options: str) -> int:
    """`notifier adopt` on a day and at a local time."""
    moment = datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=ZONE).astimezone(UTC)
    invocation = Invocation(world.config, clock=lambda: moment, environ=world.environ)
    with adopt.make_context("adopt", list(options), obj=invocation) as context:
        code: int = adopt.invoke(context)
    return code


async def clone(world: World) -> None:
    """The folder on another machine, with a message on its way in it."""
    world.configure(("[smtp]", FIRST))
    world.smtp.script(Step.RCPT, says("451 4.7.1 come back"), only="jana@example.com")
    await world.run("2026-11-21")
    world.smtp.accepted.clear()
    world.configure(("[smtp]", SECOND))


async def test_a_cloned_machine_sends_nothing_and_says_what_to_run(world: World) -> None:
    await clone(world)
    for day in ("2026-11-21", "2026-11-22"):
        with pytest.raises(StoreMoved, match="notifier adopt") as caught:
            await world.run(day, at="12:00")
        assert caught.value.exit_code is ExitCode.CONFIG

    assert world.receivers == []
    assert len(await world.runs()) == 1


async def test_adopt_only_tells_until_a_person_says_yes(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await clone(world)

    assert adopted(world, "2026-11-22", "06:05") == ExitCode.CONFIG
    with pytest.raises(StoreMoved):
        await world.run("2026-11-22")

    said = capsys.readouterr().out
    assert "belongs to another machine" in said
    assert "notifier adopt --yes" in said


async def test_an_adopted_store_holds_skips_and_goes_on_the_next_day(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await clone(world)
    assert await asyncio.to_thread(adopted, world, "2026-11-22", "06:05", "--yes") == 0
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


async def test_a_skipped_day_is_sent_when_a_person_wants_it(world: World) -> None:
    await clone(world)
    await asyncio.to_thread(adopted, world, "2026-11-22", "06:05", "--yes")

    assert await world.run("2026-11-22", at="12:00", now=True) is ExitCode.DONE

    assert world.receivers == EVERYBODY


async def test_a_day_that_is_not_due_yet_is_sent_at_its_time(world: World) -> None:
    await clone(world)
    await asyncio.to_thread(adopted, world, "2026-11-22", "05:00", "--yes")

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
