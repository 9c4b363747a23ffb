"""`notifier daemon` as a process: signals, systemd, a broken configuration, nobody who reads it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifier.errors import ExitCode
from tests.acceptance.world import EVERYBODY, World
from tests.neighbours.smtp import Conversation, Step, accepts_and, hangs, says

PATIENCE_SECONDS = 20


@dataclass(slots=True)
class Serving:
    """A daemon at work, and what systemd hears from it."""

    process: asyncio.subprocess.Process
    ear: socket.socket
    heard: list[str] = field(default_factory=list)

    async def says(self, wanted: str) -> None:
        """Listen until it says that; what was heard before does not count."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                self.heard.append((await loop.sock_recv(self.ear, 4096)).decode())
                if wanted in self.heard[-1]:
                    return

    def gets(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ends(self) -> int:
        return await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)

    async def stops(self) -> int:
        """Ask it to stop, and see how it ends."""
        self.gets(signal.SIGTERM)
        return await self.ends()


@asynccontextmanager
async def serving(
    world: World, *, stderr: int = asyncio.subprocess.DEVNULL, **environ: str
) -> AsyncIterator[Serving]:
    address = world.folder / "notify"
    address.unlink(missing_ok=True)
    world.environ.update(environ, NOTIFY_SOCKET=str(address))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(address))
        ear.setblocking(False)
        async with world.process("daemon", stderr=stderr) as process:
            try:
                yield Serving(process, ear)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def due_today(world: World, *, send_at: str = "06:00", more: str = "") -> None:
    """It is between noon and one o'clock where the account is, whatever the time is here."""
    ahead = 12 - datetime.now(UTC).hour
    zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
    digest = f'[digest]\nsend_at = "{send_at}"\ntimezone = "{zone}"\n\n'
    world.configure(("[groups", f"{digest}[groups"), more=more)


def states_in(outbox: list[object]) -> list[str]:
    return [str(message.state) for message in outbox]  # type: ignore[attr-defined]


async def test_it_sends_what_is_due_says_how_it_is_and_ends_calmly(world: World) -> None:
    due_today(world, more=f'\n[daemon]\nhealth_listen = "{world.folder}/health"\n')

    async with serving(world) as daemon:
        await daemon.says("READY=1")
        await daemon.says("STATUS=Next digest due")
        status, fields = await ask(world.folder / "health")
        code = await daemon.stops()
        await daemon.says("STOPPING=1")

    assert code == ExitCode.DONE
    assert world.receivers == EVERYBODY
    assert [str(run.state) for run in await world.runs()] == ["complete"]
    assert (status, fields["status"]) == (200, "ok")
    assert datetime.fromisoformat(fields["next_due"]) > datetime.now(UTC)
    assert datetime.now(UTC) - datetime.fromisoformat(fields["last_tick_at"]) < timedelta(minutes=1)
    assert not (world.folder / "health").exists()


async def test_what_is_being_read_when_it_must_stop_is_read_again_by_the_next(world: World) -> None:
    due_today(world)
    world.marketplace.fail_next(1, 503, {"Retry-After": "60"})
    async with serving(world) as daemon:
        await daemon.says("READY=1")
        await until(lambda: world.marketplace.requests > 0)
        assert await daemon.stops() == ExitCode.DONE
    assert [str(run.state) for run in await world.runs()] == ["failed"]

    world.marketplace.stop_failing()
    async with serving(world) as daemon:
        await until(lambda: len(world.smtp.accepted) == 3)
        await daemon.stops()

    assert world.receivers == EVERYBODY
    assert [str(run.state) for run in await world.runs()] == ["complete"]


async def test_after_the_dot_it_waits_for_the_answer_and_begins_nothing_new(world: World) -> None:
    due_today(world)
    waits, go_on = asyncio.Event(), asyncio.Event()

    async def answers_late(conversation: Conversation) -> int:
        waits.set()
        await go_on.wait()
        return await says("250 2.0.0 kept")(conversation)

    world.smtp.script(Step.DOT, answers_late)
    async with serving(world) as daemon:
        await asyncio.wait_for(waits.wait(), PATIENCE_SECONDS)
        daemon.gets(signal.SIGTERM)
        await daemon.says("STOPPING=1")
        go_on.set()
        assert await daemon.ends() == ExitCode.DONE

    assert states_in(list(await world.outbox())) == ["sent", "queued", "queued"]
    finished = await world.call("run")
    assert finished.code == ExitCode.DONE
    assert world.receivers == EVERYBODY


@pytest.mark.slow
async def test_a_daemon_that_is_killed_after_the_dot_leaves_the_rest_to_the_next(
    world: World,
) -> None:
    due_today(world)
    world.smtp.script(Step.DOT, accepts_and(hangs))
    async with serving(world) as daemon:
        await until(lambda: len(world.smtp.accepted) == 1)
        daemon.gets(signal.SIGKILL)
        assert await daemon.ends() == -signal.SIGKILL

    async with serving(world) as daemon:
        await until(lambda: len(world.smtp.accepted) == 3)
        assert await daemon.stops() == ExitCode.DONE

    # The first is in the hand of a process that may be alive: its lease must run out.
    assert world.receivers == EVERYBODY
    assert states_in(list(await world.outbox())) == ["dot", "sent", "sent"]


async def test_the_watchdog_is_fed_while_a_tick_takes_long(world: World) -> None:
    due_today(world)
    world.marketplace.fail_next(1, 503, {"Retry-After": "60"})

    async with serving(world, WATCHDOG_USEC="300000") as daemon:
        await until(lambda: world.marketplace.requests > 0)
        for _ in range(3):
            await daemon.says("WATCHDOG=1")
        assert await daemon.stops() == ExitCode.DONE


async def test_a_storm_of_hangups_changes_the_configuration_and_nothing_else(world: World) -> None:
    due_today(world)
    async with serving(world) as daemon:
        await daemon.says("READY=1")
        for _ in range(300):
            daemon.gets(signal.SIGHUP)
        await until(lambda: len(world.smtp.accepted) == 3)
        await daemon.says("STATUS=Next digest due")

        due_today(world, send_at="06:17")
        daemon.gets(signal.SIGHUP)
        await daemon.says(":17 UTC")
        assert await daemon.stops() == ExitCode.DONE

    assert world.receivers == EVERYBODY


@pytest.mark.slow
async def test_a_broken_configuration_costs_nobody_the_mail_and_is_told_everywhere(
    world: World,
) -> None:
    due_today(world)
    async with serving(world) as daemon:
        await daemon.says("READY=1")
        await daemon.says("STATUS=Next digest due")
        assert world.receivers == EVERYBODY
        world.config.write_text(world.config.read_text().replace("host =", "hots ="))
        daemon.gets(signal.SIGHUP)
        await daemon.says("; the configuration cannot be used: ")
        assert await daemon.stops() == ExitCode.DONE

    async with serving(world) as daemon:
        await daemon.says("READY=1")
        await daemon.says("; the configuration cannot be used: ")
        due_today(world)
        daemon.gets(signal.SIGHUP)
        await daemon.says("STATUS=Next digest due")
        assert await daemon.stops() == ExitCode.DONE


@pytest.mark.slow
async def test_one_call_uses_the_last_good_configuration_and_exits_with_3(world: World) -> None:
    due_today(world)
    assert (await world.call("run")).code == ExitCode.DONE
    world.config.write_text(world.config.read_text().replace("host =", "hots ="))

    finished = await world.call("run", "--force")

    assert finished.code == ExitCode.FAILED
    assert "the configuration cannot be used" in finished.err
    assert 'did you mean "host"?' in finished.err
    assert world.receivers == sorted(EVERYBODY * 2)
    assert (await world.call("run", "--dry-run")).code == ExitCode.CONFIG


async def test_before_anything_was_good_it_does_not_begin(world: World) -> None:
    world.config.write_text("[smtp\n")

    finished = await world.call("daemon")

    assert finished.code == ExitCode.CONFIG
    assert "is not TOML" in finished.err


async def test_it_goes_on_when_nobody_reads_what_it_writes(world: World) -> None:
    due_today(world)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 65536)
    os.set_blocking(writing, True)

    async with serving(world, stderr=writing) as daemon:
        await until(lambda: len(world.smtp.accepted) == 3)
        os.close(reading)  # and now it is gone altogether
        daemon.gets(signal.SIGHUP)
        await daemon.says("RELOADING=1")
        assert await daemon.stops() == ExitCode.DONE
    os.close(writing)

    assert world.receivers == EVERYBODY


@pytest.mark.skipif(
    shutil.which("prlimit") is None, reason="NOT CHECKED: few open files; prlimit is missing"
)
async def test_too_few_files_are_refused_with_the_way_out(world: World) -> None:
    async with world.process("daemon", files=40) as process:
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)

    assert process.returncode == ExitCode.REFUSED
    assert b"the limit of open files is 40, but 64 are needed" in err


async def test_one_call_that_is_asked_to_stop_leaves_the_rest_to_the_next(world: World) -> None:
    due_today(world)
    world.marketplace.fail_next(1, 503, {"Retry-After": "60"})
    async with world.process("run") as process:
        await until(lambda: world.marketplace.requests > 0)
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)

    assert process.returncode == ExitCode.TRY_LATER
    assert b"asked to stop" in err
    world.marketplace.stop_failing()
    assert (await world.call("run")).code == ExitCode.DONE
    assert world.receivers == EVERYBODY


async def ask(path: Path) -> tuple[int, dict[str, str]]:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), json.loads(body)


async def until(is_so: Callable[[], bool]) -> None:
    """Let everybody work until something is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 - an event for whatever is asked would say less
            await asyncio.sleep(0.01)
