"""The daemon in this process: what goes wrong in a tick, and what a monitor hears of it."""

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
"""Nothing is due."""
NOBODY = SmtpServer("127.0.0.1", 1, Tls.NONE)
MISTAKE = ConfigError((Problem("config.toml", 4, "smtp.hots", "is no option"),))
A_MOMENT = timedelta(seconds=0.02)


@dataclass(slots=True)
class Machine:
    """A file, a store, two clocks; and what the ticks of a daemon did with them."""

    folder: Path
    file: Settings | ConfigError
    now: datetime = NIGHT
    seconds: float = 0.0
    accidents: list[Exception] = field(default_factory=list)
    """What the next ticks run into, one each."""
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
                source=lambda _: Calm(lambda: self.now),
                mail=self._mail,
                stop=self.stop,
            )

    def _mail(self) -> MailConnection:
        """Every tick comes here once."""
        self.ticks += 1
        if self.accidents:
            raise self.accidents.pop(0)
        return MailConnection(NOBODY)

    def settings(self, **changes: object) -> Settings:
        assert isinstance(self.file, Settings)
        return replace(self.file, **changes)  # type: ignore[arg-type]  # names of its fields

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not is_so():  # noqa: ASYNC110 - an event for whatever is asked would say less
                await asyncio.sleep(0.005)


class Calm:
    """A marketplace of which nobody wants orders now; it knows what time it is."""

    server_time: datetime | None = None

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    async def ask_time(self) -> datetime:
        return self._clock()

    async def read(self, known: Collection[int]) -> NoReturn:
        raise AssertionError("nothing is due")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    settings = Settings(
        accounts={"ljubljana": factories.account()},
        smtp=NOBODY,
        sender=factories.sender(),
        store=StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}"),
    )
    return Machine(tmp_path, settings)


@asynccontextmanager
async def serving(machine: Machine) -> AsyncIterator[Daemon]:
    daemon = machine.daemon()
    served = asyncio.create_task(daemon.serve())
    try:
        await machine.until(lambda: machine.ticks > 0 or served.done())
        yield daemon
    finally:
        machine.stop.request()
        await asyncio.wait_for(served, 10)


async def test_a_tick_that_nobody_expected_to_fail_is_told_with_its_traceback_and_the_next_goes_on(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.accidents = [ZeroDivisionError("a bug")]

    async with serving(machine):
        await machine.until(lambda: machine.ticks >= 3)

    assert "ZeroDivisionError: a bug" in caplog.text
    assert len(machine.opened) == 1


async def test_a_store_that_fails_is_opened_anew(machine: Machine) -> None:
    machine.accidents = [StoreError("damaged"), StoreError("damaged")]

    async with serving(machine):
        await machine.until(lambda: machine.ticks >= 4)

    assert len(machine.opened) == 3


async def test_a_changed_configuration_counts_from_the_next_tick_on(machine: Machine) -> None:
    before = machine.settings()
    after = machine.settings(accounts={"celje": factories.account(id="celje")})

    async with serving(machine):
        machine.file = after
        await machine.until(lambda: machine.kept[-1:] == [after])

    assert machine.opened == [before, after]


async def test_only_what_served_well_is_kept(machine: Machine) -> None:
    good = machine.settings()
    async with serving(machine):
        await machine.until(lambda: len(machine.kept) > 0)
        machine.file = MISTAKE
        before = machine.ticks
        await machine.until(lambda: machine.ticks >= before + 3)
        count = len(machine.kept)
        await machine.until(lambda: machine.ticks >= before + 6)

    assert machine.kept == [good] * count


async def test_after_three_days_nothing_is_done_and_the_monitor_hears_it(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    good = machine.settings()
    async with serving(machine) as daemon:
        machine.file = MISTAKE
        machine.now += timedelta(days=2)
        before = machine.ticks
        await machine.until(lambda: machine.ticks >= before + 2)
        assert (await daemon.health()).fields["configuration"] == "last good"

        machine.now += timedelta(days=1, seconds=1)
        await machine.until(lambda: "too old to be used instead" in caplog.text)
        before = machine.ticks
        machine.seconds += 301
        assert (await daemon.health()).well is False
        assert machine.ticks == before

        machine.file = good
        await machine.until(lambda: machine.ticks > before + 1)
        assert await health_of(daemon) == (True, "ok")


async def health_of(daemon: Daemon) -> tuple[bool, object]:
    answer: Health = await daemon.health()
    return answer.well, answer.fields["status"]


async def test_a_clock_set_back_does_not_keep_the_scheduler_waiting(machine: Machine) -> None:
    async with serving(machine) as daemon:
        far = datetime(2098, 1, 1, tzinfo=NIGHT.tzinfo)
        daemon._scheduler.modify_job("tick", next_run_time=far)
        before = machine.ticks
        await machine.until(lambda: machine.ticks >= before + 2)


async def test_the_monitor_hears_when_ticks_do_not_do_their_work_and_when_they_do_again(
    machine: Machine,
) -> None:
    async with serving(machine) as daemon:
        assert await health_of(daemon) == (True, "ok")

        machine.accidents = [ZeroDivisionError("a bug")] * 1000
        before = machine.ticks
        await machine.until(lambda: machine.ticks >= before + 2)
        machine.seconds += 301
        assert await health_of(daemon) == (False, "no successful tick for 0:05:01")

        machine.accidents.clear()
        before = machine.ticks
        await machine.until(lambda: machine.ticks >= before + 2)
        assert await health_of(daemon) == (True, "ok")


async def test_a_monitor_that_cannot_be_let_in_costs_nobody_the_mail(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        machine.file = machine.settings(health_listen=address)

        async with serving(machine):
            await machine.until(lambda: machine.ticks >= 2)

    assert f"health endpoint cannot listen on {address}: " in caplog.text
    assert "change daemon.health_listen" in caplog.text


async def test_a_configuration_that_never_was_good_is_for_who_started_us(machine: Machine) -> None:
    machine.file = MISTAKE

    with pytest.raises(ConfigError):
        await machine.daemon().serve()


async def test_the_monitor_hears_nothing_about_anybody(machine: Machine) -> None:
    async with serving(machine) as daemon:
        fields = (await daemon.health()).fields

    assert set(fields) == {
        "status",
        "version",
        "configuration",
        "last_tick_at",
        "next_due",
        "open_alarms",
    }
