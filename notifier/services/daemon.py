"""The long-running one: a tick a minute, the configuration read each time, and a calm end.

It decides nothing about what is due; the ledger does. It is given what it needs: a configuration
to look at, and a way to open what the ticks work with.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from notifier import __version__
from notifier.domain.schedule import next_slot
from notifier.domain.settings import Account, Settings
from notifier.errors import NotifierError, Stopped, StoreError
from notifier.monitoring.systemd import Systemd
from notifier.services.config_watcher import ConfigWatcher, EffectiveConfig
from notifier.services.context import Context
from notifier.services.due import RunRequest
from notifier.services.tick import tick
from notifier.shutdown import Stop
from notifier.web.health import HealthReport, open_door

EVERY = timedelta(minutes=1)
USUAL_BEAT = timedelta(seconds=30)
"""Between two looks at ourselves, where no watchdog sets the pace."""
STALE = timedelta(minutes=5)
"""After this long without a tick we are not well."""
STORE_SECONDS = 3.0
"""That the store may take to answer whoever asks how we are."""

_JOB = "tick"

logger = logging.getLogger(__name__)


Opening = Callable[[Settings], AbstractAsyncContextManager[Context]]


class Daemon:
    """Serves until somebody asks it to stop."""

    def __init__(
        self,
        config: ConfigWatcher,
        opening: Opening,
        *,
        keep: Callable[[Settings], None],
        clock: Callable[[], datetime],
        stop: Stop,
        systemd: Systemd,
        every: timedelta = EVERY,
        beat: timedelta = USUAL_BEAT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keep` is told the settings that served a tick well; a watchdog sets its own beat.

        `monotonic` gives seconds of a clock that nobody can set.
        """
        self._config = config
        self._opening = opening
        self._keep = keep
        self._clock = clock
        self._stop = stop
        self._systemd = systemd
        self._every = every
        self._pause = systemd.watchdog / 2 if systemd.watchdog else beat
        self._effective: EffectiveConfig | None = None
        self._context: Context | None = None
        self._opened = AsyncExitStack()
        self._at_work = asyncio.Lock()
        self._reload_wanted = False
        self._told = ""
        self._open_alarms = 0
        self._pulse = _Pulse(monotonic)
        self._scheduler = _scheduler(self._wake, every)

    async def serve(self) -> None:
        """Open everything, then tick until the stop.

        Raises ConfigError or StoreError where it cannot even begin.
        """
        try:
            await self._prepare()
            self._systemd.ready(self._status())
            self._scheduler.start()
            beat = asyncio.create_task(self._beat())
            await self._stop.wait()
            self._systemd.stopping()
            logger.info("stopping", extra={"event": "stopping"})
            self._scheduler.pause()
            async with self._at_work:  # the tick under way ends by itself, and soon
                beat.cancel()
                self._scheduler.shutdown(wait=False)
        finally:
            await self._opened.aclose()
        logger.info("stopped", extra={"event": "stopped"})

    def reload(self) -> None:
        """Look at the configuration now, or as soon as the tick under way is over."""
        if not self._reload_wanted:
            self._reload_wanted = True
            self._systemd.reloading()
            self._tick_now()

    async def step(self) -> None:
        """One tick; whatever goes wrong in it, the next one goes on."""
        self._pulse.begin()
        try:
            await self._step()
            self._pulse.count(self._clock())
        except Stopped:
            logger.info("the tick was ended early", extra={"event": "ended_early"})
        except NotifierError as error:
            self._complain(str(error))
            if isinstance(error, StoreError) and not error.temporary:
                await self._close()  # and open it again, with all the checks of a beginning
        except Exception:
            logger.exception("a tick failed; a bug, please report it", extra={"event": "bug"})
        finally:
            self._pulse.end()
            self._systemd.status(self._status())

    async def _step(self) -> None:
        effective, context = await self._prepare()
        done = await tick(
            context,
            RunRequest(),
            config_trouble=effective.trouble,
        )
        self._open_alarms = len(done.alarms_open)
        if effective.trouble is None:
            self._be_content()
            if done.served_well:
                self._keep(effective.settings)

    async def _prepare(self) -> tuple[EffectiveConfig, Context]:
        """Look at the configuration, and open what it names if that is not open yet."""
        wanted, self._reload_wanted = self._reload_wanted, False
        try:
            effective = self._config.current()
            if effective.trouble:
                self._complain(effective.trouble)
            before, self._effective = self._effective, effective
            if before and before.settings != effective.settings:
                logger.info("the configuration changed", extra={"event": "reloaded"})
                await self._close()
            return effective, self._context or await self._open(effective.settings)
        finally:
            if wanted:
                self._systemd.ready(self._status())

    async def _open(self, settings: Settings) -> Context:
        self._context = await self._opened.enter_async_context(self._opening(settings))
        if settings.health_listen:
            await self._open_door(settings.health_listen)
        return self._context

    async def _open_door(self, listen: str) -> None:
        """Where it cannot be had, an error says so; the mail is worth more than the monitor."""
        try:
            address = await self._opened.enter_async_context(open_door(listen, self.health))
        except OSError as error:
            logger.error(  # noqa: TRY400 - the address tells it all
                "nobody can ask at %s how we are: %s; change daemon.health_listen",
                listen,
                error.strerror or error,
                extra={"event": "no_health"},
            )
        else:
            logger.info("how we are is told at %s", address, extra={"event": "health"})

    async def _close(self) -> None:
        self._context = None
        await self._opened.aclose()

    async def _wake(self) -> None:
        """What the scheduler calls, and nobody else."""
        async with self._at_work:
            while not self._stop.requested:
                await self.step()
                if not self._reload_wanted:
                    break

    def _tick_now(self) -> None:
        if self._scheduler.running:
            self._scheduler.modify_job(_JOB, next_run_time=datetime.now(UTC))

    async def _beat(self) -> None:
        """Look at ourselves, again and again, however long a tick takes."""
        while True:
            await asyncio.sleep(self._pause.total_seconds())
            if await self._store_answers():
                self._systemd.feed_watchdog()
            self._notice_jumped_clock()

    def _notice_jumped_clock(self) -> None:
        """The scheduler waits for a time of day: a clock set back would keep it waiting."""
        job = self._scheduler.get_job(_JOB)
        if job.next_run_time and job.next_run_time - datetime.now(UTC) > 2 * self._every:
            logger.warning("the clock was set back", extra={"event": "clock_set_back"})
            self._tick_now()

    async def _store_answers(self) -> bool:
        context = self._context
        if context is None:
            return False
        try:
            await context.store.answer()
        except (StoreError, RuntimeError):  # the latter when it is closed at this very moment
            return False
        return context is self._context

    async def health(self) -> HealthReport:
        """How we are: no orders, no addresses."""
        answers = await _within(STORE_SECONDS, self._store_answers())
        silence = self._pulse.trouble(self._longest_tick())
        ill = silence if answers else "the store does not answer"
        good = self._effective is not None and self._effective.trouble is None
        return HealthReport(
            well=ill is None,
            fields={
                "status": ill or "ok",
                "version": __version__,
                "configuration": "ok" if good else "last good",
                "last_tick_at": _written(self._pulse.last_at),
                "next_due": _written(self._next_due()),
                "open_alarms": self._open_alarms,
            },
        )

    def _longest_tick(self) -> timedelta:
        """A tick may read for long, one account after the other."""
        return sum((account.access.run_timeout for account in self._accounts), STALE)

    def _next_due(self) -> datetime | None:
        now = self._clock()
        return min((next_slot(account.schedule, now) for account in self._accounts), default=None)

    @property
    def _accounts(self) -> tuple[Account, ...]:
        return tuple(self._effective.settings.accounts.values()) if self._effective else ()

    def _status(self) -> str:
        at = self._next_due()
        due = f"Next digest due {at:%Y-%m-%d %H:%M} UTC" if at else "Nothing is due"
        return f"{due}; {self._told}" if self._told else due

    def _complain(self, text: str) -> None:
        """Say what is wrong, once while it stays the same."""
        if text != self._told:
            self._told = text
            logger.error("%s", text, extra={"event": "trouble"})

    def _be_content(self) -> None:
        if self._told:
            self._told = ""
            logger.info("all is well again", extra={"event": "well_again"})


class _Pulse:
    """When the ticks were."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.last_at: datetime | None = None
        """When the last tick ended that did its work; for a person."""
        self._counted = monotonic()
        self._under_way = False
        self._went_well = True

    def begin(self) -> None:
        self._under_way = True

    def count(self, at: datetime) -> None:
        """This tick did its work."""
        self.last_at, self._counted, self._went_well = at, self._monotonic(), True
        self._under_way = False

    def end(self) -> None:
        """A tick that was not counted failed."""
        self._went_well = self._went_well and not self._under_way
        self._under_way = False

    def trouble(self, longest_tick: timedelta) -> str | None:
        """What is wrong; a tick under way may take longer than the pause between two."""
        patience = longest_tick if self._under_way and self._went_well else STALE
        silent = timedelta(seconds=round(self._monotonic() - self._counted))
        return None if silent <= patience else f"no tick did its work for {silent}"


def _written(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


async def _within(seconds: float, asked: Awaitable[bool]) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await asked
    except TimeoutError:
        return False


def _scheduler(wake: Callable[[], object], every: timedelta) -> AsyncIOScheduler:
    """It only wakes us: late is as good as in time, and once as good as often."""
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.add_job(
        wake,
        "interval",
        seconds=every.total_seconds(),
        id=_JOB,
        next_run_time=datetime.now(UTC),
        coalesce=True,
        max_instances=1,
        misfire_grace_time=None,
    )
    return scheduler
