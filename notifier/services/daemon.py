"""Run continuously: a tick a minute, each with the configuration as it is then, until a stop.

The ledger decides what is due, not the daemon. Its arguments read the configuration, and open what
the ticks need and the servers for health and webhook.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
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

EVERY = timedelta(minutes=1)
USUAL_BEAT = timedelta(seconds=30)
"""Pause between two self-checks, where no watchdog sets it."""
# A tick or two may fail, for example because another process holds the store.
STALE = timedelta(minutes=5)
"""After this long without a successful tick the daemon counts as unhealthy."""
# A health check that hangs with the store would report nothing at all.
STORE_SECONDS = 3.0
"""How long the store may take to answer a health check."""

_JOB = "tick"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the daemon is well, and the fields that say more; no orders, no addresses."""

    well: bool
    fields: Mapping[str, object]


Opening = Callable[[Settings], AbstractAsyncContextManager[Context]]
AskHealth = Callable[[], Awaitable[Health]]
OpenServers = Callable[[Context, AskHealth], AbstractAsyncContextManager[None]]
"""Opens the configured sockets. It must not raise: no socket matters more than the digests."""


class Daemon:
    """Serves until a stop is requested."""

    def __init__(
        self,
        config: ConfigWatcher,
        opening: Opening,
        open_servers: OpenServers,
        *,
        keep: Callable[[Settings], None],
        clock: Callable[[], datetime],
        stop: Stop,
        systemd: Systemd,
        every: timedelta = EVERY,
        beat: timedelta = USUAL_BEAT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keep` receives the settings of a good tick; systemd's watchdog overrides `beat`.

        `monotonic` returns seconds of a clock that cannot be set.
        """
        self._config = config
        self._opening = opening
        self._open_servers = open_servers
        self._keep = keep
        self._clock = clock
        self._stop = stop
        self._systemd = systemd
        self._every = every
        # Half of the limit, as sd_watchdog_enabled(3) recommends.
        self._pause = systemd.watchdog / 2 if systemd.watchdog else beat
        self._effective: EffectiveConfig | None = None
        self._context: Context | None = None
        self._opened = AsyncExitStack()
        self._at_work = asyncio.Lock()
        self._reload_wanted = False
        self._trouble = ""
        self._open_alarms = 0
        self._pulse = _Pulse(monotonic)
        self._scheduler = _scheduler(self._wake, every)

    async def serve(self) -> None:
        """Open everything, then tick until a stop is requested.

        Raises ConfigError or StoreError if it cannot start.
        """
        try:
            # Before READY=1, so that a daemon that cannot start fails instead of ticking in vain.
            await self._prepare()
            self._systemd.ready(self._status())
            self._scheduler.start()
            beat = asyncio.create_task(self._beat())
            await self._stop.wait()
            self._systemd.stopping()
            logger.info("stopping", extra={"event": "stopping"})
            # The tick in progress sees the stop and ends by itself. Cancelled from here, it would
            # leave leases, and messages whose delivery is unknown. The watchdog is fed until then.
            self._scheduler.pause()
            async with self._at_work:
                beat.cancel()
                self._scheduler.shutdown(wait=False)
        finally:
            await self._opened.aclose()
        logger.info("stopped", extra={"event": "stopped"})

    def reload(self) -> None:
        """Read the configuration again now, or as soon as the tick in progress is over."""
        if not self._reload_wanted:
            self._reload_wanted = True
            self._systemd.reloading()
            self._tick_now()

    async def step(self) -> None:
        """Run one tick. It reports every failure and raises none, so that the next one runs."""
        self._pulse.begin()
        try:
            await self._step()
            self._pulse.count(self._clock())
        except Stopped:
            logger.info(
                "the tick ended early: a stop was requested", extra={"event": "ended_early"}
            )
        except NotifierError as error:
            self._report_trouble(str(error))
            if isinstance(error, StoreError) and not error.temporary:
                # The next tick opens the store again, with all the checks of a start: a file that
                # was replaced or damaged must not be written to.
                await self._close()
        except Exception:
            logger.exception("a tick failed; a bug, please report it", extra={"event": "bug"})
        finally:
            self._pulse.end()
            self._systemd.status(self._status())

    async def _step(self) -> None:
        effective, context = await self._prepare()
        done = await tick(context, RunRequest(), config_trouble=effective.trouble)
        self._open_alarms = len(done.alarms_open)
        if effective.trouble is None:
            self._report_recovery()
            # Kept only after a good tick: a valid file may still have a wrong password.
            if done.served_well:
                self._keep(effective.settings)

    async def _prepare(self) -> tuple[EffectiveConfig, Context]:
        """Read the configuration, and open what it needs unless that is open already."""
        wanted, self._reload_wanted = self._reload_wanted, False
        try:
            effective = self._config.current()
            if effective.trouble:
                self._report_trouble(effective.trouble)
            # Compared by value: a secret in a file of its own, or a file swapped by name, counts.
            before, self._effective = self._effective, effective
            if before and before.settings != effective.settings:
                logger.info("the configuration changed", extra={"event": "reloaded"})
                await self._close()
            return effective, self._context or await self._open(effective.settings)
        finally:
            # Even if the configuration is broken: without READY=1 the reload would never end.
            if wanted:
                self._systemd.ready(self._status())

    async def _open(self, settings: Settings) -> Context:
        self._context = await self._opened.enter_async_context(self._opening(settings))
        # After the store, where the webhook stores its hints; `aclose` closes them before it.
        servers = self._open_servers(self._context, self.health)
        await self._opened.enter_async_context(servers)
        return self._context

    async def _close(self) -> None:
        # First, so that a health check does not ask a store that is being closed.
        self._context = None
        await self._opened.aclose()

    async def _wake(self) -> None:
        """Tick, and once more if a reload was requested meanwhile; the scheduler calls this."""
        async with self._at_work:
            while not self._stop.requested:
                await self.step()
                # The scheduler drops a wake-up that comes during this one (max_instances=1).
                if not self._reload_wanted:
                    break

    def _tick_now(self) -> None:
        if self._scheduler.running:
            self._scheduler.modify_job(_JOB, next_run_time=datetime.now(UTC))

    async def _beat(self) -> None:
        """Feed the watchdog while the store answers, however long a tick takes."""
        # In a task of its own: a reading takes minutes, but a store that hangs needs a restart.
        while True:
            await asyncio.sleep(self._pause.total_seconds())
            if await self._store_answers():
                self._systemd.feed_watchdog()
            self._notice_jumped_clock()

    def _notice_jumped_clock(self) -> None:
        """Tick now if the clock was set back: the scheduler would wait until the old time."""
        # APScheduler keeps wall-clock times. Twice, since up to one pause ahead is normal.
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
        # RuntimeError while it closes.
        except (StoreError, RuntimeError):
            return False
        # A store that was closed meanwhile says nothing about the one that is open now.
        return context is self._context

    async def health(self) -> Health:
        """Check the last tick, the store and the configuration."""
        answers = await _within(STORE_SECONDS, self._store_answers())
        silence = self._pulse.trouble(self._longest_tick())
        trouble = silence if answers else "the store does not answer"
        good = self._effective is not None and self._effective.trouble is None
        return Health(
            well=trouble is None,
            fields={
                "status": trouble or "ok",
                "version": __version__,
                "configuration": "ok" if good else "last good",
                "last_tick_at": _written(self._pulse.last_at),
                "next_due": _written(self._next_due()),
                "open_alarms": self._open_alarms,
            },
        )

    def _longest_tick(self) -> timedelta:
        """Return the longest time that a tick may take: accounts are read one after the other."""
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
        return f"{due}; {self._trouble}" if self._trouble else due

    def _report_trouble(self, text: str) -> None:
        """Log what is wrong, once while it stays the same."""
        if text != self._trouble:
            self._trouble = text
            logger.error("%s", text, extra={"event": "trouble"})

    def _report_recovery(self) -> None:
        if self._trouble:
            self._trouble = ""
            logger.info("the daemon works again", extra={"event": "well_again"})


class _Pulse:
    """Remembers when ticks succeeded, by a clock that cannot be set."""

    # By the wall clock, a jump would make a healthy daemon ill, or hide that it hangs.

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.last_at: datetime | None = None
        """When the last successful tick ended, by the wall clock."""
        self._counted = monotonic()
        self._under_way = False
        self._went_well = True

    def begin(self) -> None:
        self._under_way = True

    def count(self, at: datetime) -> None:
        """Record that this tick succeeded."""
        self.last_at, self._counted, self._went_well = at, self._monotonic(), True
        self._under_way = False

    def end(self) -> None:
        """Record the end of a tick; one that was not counted has failed."""
        self._went_well = self._went_well and not self._under_way
        self._under_way = False

    def trouble(self, longest_tick: timedelta) -> str | None:
        """Return what is wrong, if anything; a tick in progress may take up to `longest_tick`."""
        # After a failure a tick gets no more time, or failing ones would look well for ever.
        patience = longest_tick if self._under_way and self._went_well else STALE
        silent = timedelta(seconds=round(self._monotonic() - self._counted))
        return None if silent <= patience else f"no successful tick for {silent}"


def _written(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


async def _within(seconds: float, asked: Awaitable[bool]) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await asked
    except TimeoutError:
        return False


def _scheduler(wake: Callable[[], object], every: timedelta) -> AsyncIOScheduler:
    """Build the scheduler that wakes the daemon."""
    # The ledger decides what is due, so a late wake-up is as good as a punctual one, and one is as
    # good as several (`coalesce`). By default APScheduler drops a wake-up that is a second late, as
    # after a suspend; `misfire_grace_time=None` keeps it.
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
