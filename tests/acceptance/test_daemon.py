"""`notifier daemon` as a process: signals, systemd, a broken configuration, a blocked output."""

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

TIMEOUT_SECONDS = 20


@dataclass(slots=True)
class RunningDaemon:
    """A daemon process, and the messages that it sends to systemd."""

    process: asyncio.subprocess.Process
    notify_socket: socket.socket
    messages: list[str] = field(default_factory=list)

    async def wait_for_message(self, expected: str) -> None:
        """Wait for a further message to systemd that contains a text."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while True:
                self.messages.append((await loop.sock_recv(self.notify_socket, 4096)).decode())
                if expected in self.messages[-1]:
                    return

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def wait(self) -> int:
        return await asyncio.wait_for(self.process.wait(), TIMEOUT_SECONDS)

    async def stop(self) -> int:
        """Send SIGTERM and return the exit code."""
        self.send_signal(signal.SIGTERM)
        return await self.wait()


@asynccontextmanager
async def running_daemon(
    world: World, *, stderr: int = asyncio.subprocess.DEVNULL, **environ: str
) -> AsyncIterator[RunningDaemon]:
    address = world.folder / "notify"
    address.unlink(missing_ok=True)
    world.environ.update(environ, NOTIFY_SOCKET=str(address))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify_socket:
        notify_socket.bind(str(address))
        notify_socket.setblocking(False)
        async with world.process("daemon", stderr=stderr) as process:
            try:
                yield RunningDaemon(process, notify_socket)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def due_today(world: World, *, send_at: str = "06:00", more: str = "") -> None:
    """Configure a time zone in which it is now between 12:00 and 13:00."""
    # The sign is inverted in names of the tz database: Etc/GMT-2 is two hours ahead of UTC.
    hours_ahead = 12 - datetime.now(UTC).hour
    zone = f"Etc/GMT{-hours_ahead:+d}" if hours_ahead else "Etc/GMT"
    digest = f'[digest]\nsend_at = "{send_at}"\ntimezone = "{zone}"\n\n'
    world.configure(("[groups", f"{digest}[groups"), more=more)


async def message_states(world: World) -> list[str]:
    return [str(message.state) for message in await world.outbox()]


async def test_the_daemon_sends_what_is_due_reports_its_health_and_stops_cleanly(
    world: World,
) -> None:
    due_today(world, more=f'\n[daemon]\nhealth_listen = "{world.folder}/health"\n')

    async with running_daemon(world) as daemon:
        await daemon.wait_for_message("READY=1")
        await daemon.wait_for_message("STATUS=Next digest due")
        status, fields = await get_health(world.folder / "health")
        code = await daemon.stop()
        await daemon.wait_for_message("STOPPING=1")

    assert code == ExitCode.DONE
    assert world.receivers == EVERYBODY
    assert [str(run.state) for run in await world.runs()] == ["complete"]
    assert (status, fields["status"]) == (200, "ok")
    assert datetime.fromisoformat(fields["next_due"]) > datetime.now(UTC)
    assert datetime.now(UTC) - datetime.fromisoformat(fields["last_tick_at"]) < timedelta(minutes=1)
    assert not (world.folder / "health").exists()


@pytest.mark.slow
async def test_a_reading_interrupted_by_a_stop_is_repeated_by_the_next_daemon(world: World) -> None:
    due_today(world)
    world.marketplace.fail_next(1, 503, {"Retry-After": "60"})
    async with running_daemon(world) as daemon:
        await daemon.wait_for_message("READY=1")
        await until(lambda: world.marketplace.requests > 0)
        assert await daemon.stop() == ExitCode.DONE
    assert [str(run.state) for run in await world.runs()] == ["failed"]

    world.marketplace.stop_failing()
    async with running_daemon(world) as daemon:
        await until(lambda: len(world.smtp.accepted) == 3)
        await daemon.stop()

    assert world.receivers == EVERYBODY
    assert [str(run.state) for run in await world.runs()] == ["complete"]


@pytest.mark.slow
async def test_a_stop_after_the_dot_waits_for_the_reply_and_begins_no_other_message(
    world: World,
) -> None:
    due_today(world)
    dot_received, reply_allowed = asyncio.Event(), asyncio.Event()

    async def reply_late(conversation: Conversation) -> int:
        dot_received.set()
        await reply_allowed.wait()
        return await says("250 2.0.0 kept")(conversation)

    world.smtp.script(Step.DOT, reply_late)
    async with running_daemon(world) as daemon:
        await asyncio.wait_for(dot_received.wait(), TIMEOUT_SECONDS)
        daemon.send_signal(signal.SIGTERM)
        await daemon.wait_for_message("STOPPING=1")
        reply_allowed.set()
        assert await daemon.wait() == ExitCode.DONE

    assert await message_states(world) == ["sent", "queued", "queued"]
    finished = await world.call("run")
    assert finished.code == ExitCode.DONE
    assert world.receivers == EVERYBODY


@pytest.mark.slow
async def test_after_a_kill_at_the_dot_the_next_daemon_sends_the_remaining_messages(
    world: World,
) -> None:
    due_today(world)
    world.smtp.script(Step.DOT, accepts_and(hangs))
    async with running_daemon(world) as daemon:
        await until(lambda: len(world.smtp.accepted) == 1)
        daemon.send_signal(signal.SIGKILL)
        assert await daemon.wait() == -signal.SIGKILL

    async with running_daemon(world) as daemon:
        await until(lambda: len(world.smtp.accepted) == 3)
        assert await daemon.stop() == ExitCode.DONE

    # The killed process may still be alive as far as the store knows: its lease must expire first.
    assert world.receivers == EVERYBODY
    assert await message_states(world) == ["dot", "sent", "sent"]


async def test_the_watchdog_is_notified_during_a_long_tick(world: World) -> None:
    due_today(world)
    world.marketplace.fail_next(1, 503, {"Retry-After": "60"})

    async with running_daemon(world, WATCHDOG_USEC="300000") as daemon:
        await until(lambda: world.marketplace.requests > 0)
        for _ in range(3):
            await daemon.wait_for_message("WATCHDOG=1")
        assert await daemon.stop() == ExitCode.DONE


async def test_many_sighups_reload_the_configuration_and_send_nothing_twice(world: World) -> None:
    due_today(world)
    async with running_daemon(world) as daemon:
        await daemon.wait_for_message("READY=1")
        for _ in range(300):
            daemon.send_signal(signal.SIGHUP)
        await until(lambda: len(world.smtp.accepted) == 3)
        await daemon.wait_for_message("STATUS=Next digest due")

        due_today(world, send_at="06:17")
        daemon.send_signal(signal.SIGHUP)
        await daemon.wait_for_message(":17 UTC")
        assert await daemon.stop() == ExitCode.DONE

    assert world.receivers == EVERYBODY


@pytest.mark.slow
async def test_a_broken_configuration_does_not_stop_the_daemon_and_is_reported_to_systemd(
    world: World,
) -> None:
    due_today(world)
    async with running_daemon(world) as daemon:
        await daemon.wait_for_message("READY=1")
        await daemon.wait_for_message("STATUS=Next digest due")
        assert world.receivers == EVERYBODY
        world.config.write_text(world.config.read_text().replace("host =", "hots ="))
        daemon.send_signal(signal.SIGHUP)
        await daemon.wait_for_message("; the configuration cannot be used: ")
        assert await daemon.stop() == ExitCode.DONE

    async with running_daemon(world) as daemon:
        await daemon.wait_for_message("READY=1")
        await daemon.wait_for_message("; the configuration cannot be used: ")
        due_today(world)
        daemon.send_signal(signal.SIGHUP)
        await daemon.wait_for_message("STATUS=Next digest due")
        assert await daemon.stop() == ExitCode.DONE


@pytest.mark.slow
async def test_run_uses_the_last_good_configuration_and_exits_with_3(world: World) -> None:
    due_today(world)
    assert (await world.call("run")).code == ExitCode.DONE
    world.config.write_text(world.config.read_text().replace("host =", "hots ="))

    finished = await world.call("run", "--force")

    assert finished.code == ExitCode.FAILED
    assert "the configuration cannot be used" in finished.err
    assert 'did you mean "host"?' in finished.err
    assert world.receivers == sorted(EVERYBODY * 2)
    assert (await world.call("run", "--dry-run")).code == ExitCode.CONFIG


async def test_a_broken_first_configuration_prevents_the_start(world: World) -> None:
    world.config.write_text("[smtp\n")

    finished = await world.call("daemon")

    assert finished.code == ExitCode.CONFIG
    assert "is not TOML" in finished.err


async def test_the_daemon_continues_when_its_output_is_blocked_or_closed(world: World) -> None:
    due_today(world)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 65536)
    os.set_blocking(writing, True)

    async with running_daemon(world, stderr=writing) as daemon:
        await until(lambda: len(world.smtp.accepted) == 3)
        os.close(reading)  # from now on writing fails instead of blocking
        daemon.send_signal(signal.SIGHUP)
        await daemon.wait_for_message("RELOADING=1")
        assert await daemon.stop() == ExitCode.DONE
    os.close(writing)

    assert world.receivers == EVERYBODY


@pytest.mark.skipif(
    shutil.which("prlimit") is None, reason="NOT CHECKED: few open files; prlimit is missing"
)
async def test_a_too_low_limit_of_open_files_is_refused_with_a_remedy(world: World) -> None:
    async with world.process("daemon", files=40) as process:
        _, err = await asyncio.wait_for(process.communicate(), TIMEOUT_SECONDS)

    assert process.returncode == ExitCode.REFUSED
    assert b"the limit of open files is 40, but 64 are needed" in err


@pytest.mark.slow
async def test_a_run_stopped_by_sigterm_leaves_the_rest_to_the_next_run(world: World) -> None:
    due_today(world)
    world.marketplace.fail_next(1, 503, {"Retry-After": "60"})
    async with world.process("run") as process:
        await until(lambda: world.marketplace.requests > 0)
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), TIMEOUT_SECONDS)

    assert process.returncode == ExitCode.TRY_LATER
    assert b"asked to stop" in err
    world.marketplace.stop_failing()
    assert (await world.call("run")).code == ExitCode.DONE
    assert world.receivers == EVERYBODY


async def get_health(path: Path) -> tuple[int, dict[str, str]]:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), json.loads(body)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not condition():  # noqa: ASYNC110 - conditions have no common event
            await asyncio.sleep(0.01)
