"""The daemon survives failing ticks and reports its health to a monitor."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from notifier.cli.commands.daemon import open_servers
from notifier.domain.settings import Settings, SmtpServer, StoreLocation, Tls
from notifier.errors import ConfigError, Problem, StoreError
from notifier.monitoring.systemd import Systemd
from notifier.services.config_watcher import ConfigWatcher, LastGood
from notifier.services.context import Context
from notifier.services.daemon import Daemon, Health
from notifier.shutdown import Stop
from notifier.smtp.connection import MailConnection
from notifier.store import open_store
from tests import factories

NIGHT = factories.NOON.replace(hour=2)
"""A time at which nothing is due."""
UNREACHABLE = SmtpServer("127.0.0.1", 1, Tls.NONE)
MISTAKE = ConfigError((Problem("config.toml", 4, "smtp.hots", "is no option"),))
A_MOMENT = timedelta(seconds=0.02)


@dataclass(slots=True)
class DaemonScenario:
    """A configuration, a store and two clocks; records what the daemon's ticks do."""

    folder: Path
    file: Settings | ConfigError
    now: datetime = NIGHT
    seconds: float = 0.0
    failures: list[Exception] = field(default_factory=list)
    """The exceptions that the next ticks raise, one each."""
    opened: list[Settings] = field(default_factory=list)
    kept: list[Settings] = field(default_factory=list)
    ticks: int = 0
    stop: Stop = field(default_factory=Stop)

    def daemon(self) -> Daemon:
        def load() -> Settings:
            if isinstance(self.file, ConfigError):
                raise self.file
            return self.file

        def nothing_kept() -> LastGood | None:
            return None

        return Daemon(
            ConfigWatcher(load, nothing_kept, lambda: self.now),
            self._open,
            open_servers,
            keep=self.kept.append,
            clock=lambda: self.now,
            stop=self.stop,
            systemd=Systemd({}),
            every=A_MOMENT,
            beat=A_MOMENT,
            monotonic=lambda: self.seconds,
        )

    @asynccontextmanager
    async def _open(self, settings: Settings) -> AsyncIterator[Context]:
        self.opened.append(settings)
        async with open_store(settings.store) as store:
            yield factories.context(
                store,
                at=lambda: self.now,
                settings=settings,
                source=lambda _: QuietSource(lambda: self.now),
                mail=self._mail,
                stop=self.stop,
            )

    def _mail(self) -> MailConnection:
        """Count the tick: every tick opens one mail connection."""
        self.ticks += 1
        if self.failures:
            raise self.failures.pop(0)
        return MailConnection(UNREACHABLE)

    def settings(self, **changes: object) -> Settings:
        assert isinstance(self.file, Settings)
        return replace(self.file, **changes)  # type: ignore[arg-type]  # names of its fields

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - conditions have no common event
                await asyncio.sleep(0.005)


class QuietSource:
    """A source that knows the time and fails the test when it is read."""

    server_time: datetime | None = None

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    async def ask_time(self) -> datetime:
        return self._clock()

    async def read(self, known: Collection[int]) -> NoReturn:
        raise AssertionError("nothing is due")


@pytest.fixture
def scenario(tmp_path: Path) -> DaemonScenario:
    settings = Settings(
        accounts={"ljubljana": factories.account()},
        smtp=UNREACHABLE,
        sender=factories.sender(),
        store=StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}"),
    )
    return DaemonScenario(tmp_path, settings)


@asynccontextmanager
async def serving(scenario: DaemonScenario) -> AsyncIterator[Daemon]:
    daemon = scenario.daemon()
    served = asyncio.create_task(daemon.serve())
    try:
        await scenario.until(lambda: scenario.ticks > 0 or served.done())
        yield daemon
    finally:
        scenario.stop.request()
        await asyncio.wait_for(served, 10)


async def test_an_unexpected_error_is_logged_with_its_traceback_and_the_next_tick_runs(
    scenario: DaemonScenario, caplog: pytest.LogCaptureFixture
) -> None:
    scenario.failures = [ZeroDivisionError("a bug")]

    async with serving(scenario):
        await scenario.until(lambda: scenario.ticks >= 3)

    assert "ZeroDivisionError: a bug" in caplog.text
    assert len(scenario.opened) == 1


async def test_a_failing_store_is_opened_again(scenario: DaemonScenario) -> None:
    scenario.failures = [StoreError("damaged"), StoreError("damaged")]

    async with serving(scenario):
        await scenario.until(lambda: scenario.ticks >= 4)

    assert len(scenario.opened) == 3


async def test_a_changed_configuration_takes_effect_at_the_next_tick(
    scenario: DaemonScenario,
) -> None:
    before = scenario.settings()
    after = scenario.settings(accounts={"celje": factories.account(id="celje")})

    async with serving(scenario):
        scenario.file = after
        await scenario.until(lambda: scenario.kept[-1:] == [after])

    assert scenario.opened == [before, after]


async def test_only_a_configuration_that_completed_a_tick_is_kept(scenario: DaemonScenario) -> None:
    good = scenario.settings()
    async with serving(scenario):
        await scenario.until(lambda: len(scenario.kept) > 0)
        scenario.file = MISTAKE
        before = scenario.ticks
        await scenario.until(lambda: scenario.ticks >= before + 3)
        count = len(scenario.kept)
        await scenario.until(lambda: scenario.ticks >= before + 6)

    assert scenario.kept == [good] * count


async def test_after_three_days_of_broken_configuration_ticks_stop_and_health_fails(
    scenario: DaemonScenario, caplog: pytest.LogCaptureFixture
) -> None:
    good = scenario.settings()
    async with serving(scenario) as daemon:
        scenario.file = MISTAKE
        scenario.now += timedelta(days=2)
        before = scenario.ticks
        await scenario.until(lambda: scenario.ticks >= before + 2)
        assert (await daemon.health()).fields["configuration"] == "last good"

        scenario.now += timedelta(days=1, seconds=1)
        await scenario.until(lambda: "too old to be used instead" in caplog.text)
        before = scenario.ticks
        scenario.seconds += 301
        assert (await daemon.health()).well is False
        assert scenario.ticks == before

        scenario.file = good
        await scenario.until(lambda: scenario.ticks > before + 1)
        assert await health_of(daemon) == (True, "ok")


async def health_of(daemon: Daemon) -> tuple[bool, object]:
    answer: Health = await daemon.health()
    return answer.well, answer.fields["status"]


async def test_a_clock_set_back_does_not_delay_the_next_tick(scenario: DaemonScenario) -> None:
    async with serving(scenario) as daemon:
        far = datetime(2098, 1, 1, tzinfo=NIGHT.tzinfo)
        daemon._scheduler.modify_job("tick", next_run_time=far)
        before = scenario.ticks
        await scenario.until(lambda: scenario.ticks >= before + 2)


async def test_health_fails_while_ticks_fail_and_recovers_with_them(
    scenario: DaemonScenario,
) -> None:
    async with serving(scenario) as daemon:
        assert await health_of(daemon) == (True, "ok")

        scenario.failures = [ZeroDivisionError("a bug")] * 1000
        before = scenario.ticks
        await scenario.until(lambda: scenario.ticks >= before + 2)
        scenario.seconds += 301
        assert await health_of(daemon) == (False, "no successful tick for 0:05:01")

        scenario.failures.clear()
        before = scenario.ticks
        await scenario.until(lambda: scenario.ticks >= before + 2)
        assert await health_of(daemon) == (True, "ok")


async def test_a_taken_health_port_does_not_stop_the_ticks(
    scenario: DaemonScenario, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        scenario.file = scenario.settings(health_listen=address)

        async with serving(scenario):
            await scenario.until(lambda: scenario.ticks >= 2)

    assert f"health endpoint cannot listen on {address}: " in caplog.text
    assert "change daemon.health_listen" in caplog.text


async def test_a_broken_first_configuration_ends_the_daemon(scenario: DaemonScenario) -> None:
    scenario.file = MISTAKE

    with pytest.raises(ConfigError):
        await scenario.daemon().serve()


async def test_the_health_answer_contains_no_personal_data(scenario: DaemonScenario) -> None:
    async with serving(scenario) as daemon:
        fields = (await daemon.health()).fields

    assert set(fields) == {
        "status",
        "version",
        "configuration",
        "last_tick_at",
        "next_due",
        "open_alarms",
    }
