"""One tick: every account, then the outbox, the alarms, and the care of the store.

Timer, daemon and person all call this. What is due is asked of the ledger, so it may be called
as often as anybody likes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from notifier.boundaries import Boundary, boundary
from notifier.domain.alarms import Alarm, clock_cause
from notifier.domain.ledger import MessageState
from notifier.domain.reading import Source
from notifier.domain.settings import Account, MarketplaceAccess, OnUnknown
from notifier.errors import (
    ClockRefused,
    ClockUnconfirmed,
    ExitCode,
    NotifierError,
    Stopped,
    gravest,
)
from notifier.monitoring.ping import Ping
from notifier.services.alarms import update_alarms
from notifier.services.clock_check import confirm_clock
from notifier.services.deliver import DeliveryResult, deliver_waiting
from notifier.services.hints import HintReader, follow_hints
from notifier.services.notice import post_notices
from notifier.services.recipient_review import post_review
from notifier.services.run import Report, RunRequest, Workshop, find_task, run_account
from notifier.smtp.connection import MailConnection

_GRAVE = frozenset({MessageState.FAILED, MessageState.UNKNOWN, MessageState.HELD})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """How the neighbours are reached; each is opened when it is first needed."""

    source: Callable[[Account], Source]
    mail: Callable[[], MailConnection]
    hint_reader: Callable[[Account], HintReader | None] = lambda _: None
    on_unknown: OnUnknown = OnUnknown.RESEND
    monitor: Ping | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one account; no report where something nobody expected ended its run."""

    account: Account
    report: Report | None
    code: ExitCode


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did. `waiting` counts the messages that are still to be delivered."""

    accounts: tuple[Done, ...]
    outbox: DeliveryResult
    waiting: int
    config_trouble: str | None = None
    """Why the last good configuration was used instead of the one that is written."""
    alarms_begun: tuple[Alarm, ...] = ()
    alarms_ended: tuple[Alarm, ...] = ()
    alarms_open: tuple[Alarm, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """What the caller must hear first."""
        codes = [done.code for done in self.accounts]
        if self.outbox.error:
            codes.append(self.outbox.error.exit_code)
        if self.config_trouble or any(one.state in _GRAVE for one in self.outbox.delivered):
            codes.append(ExitCode.FAILED)
        return gravest(codes)

    @property
    def did_something(self) -> bool:
        """Whether anything was made, sent or mended."""
        composed = any(done.report and done.report.composed for done in self.accounts)
        return composed or bool(self.outbox.delivered or self.alarms_ended)

    @property
    def all_good(self) -> bool:
        """Whether nothing is wrong and nothing waits."""
        return self.exit_code is ExitCode.DONE and not self.alarms_open and not self.waiting

    @property
    def served_well(self) -> bool:
        """Whether its configuration is worth keeping: no neighbour refused it."""
        return self.exit_code in (ExitCode.DONE, ExitCode.FAILED)


async def tick(
    accounts: Sequence[Account],
    shop: Workshop,
    neighbours: Neighbours,
    *,
    request: RunRequest,
    retention: timedelta,
    config_trouble: str | None = None,
    configured: Sequence[Account] = (),
) -> Tick:
    """Do all that is due now; `config_trouble` says why the configuration is not the written one.

    `configured` are all the accounts, where `accounts` are only some of them: no alarm ends
    because nobody asked for its account.

    Raises StoreError where nothing can be recorded, ClockRefused or UnavailableError where the
    time cannot be believed: then nothing but an alarm was touched. Raises Stopped once everything
    in hand is recorded, where somebody asked to stop.
    """
    try:
        await confirm_clock(shop, neighbours.source(_surest_clock(accounts)))
    except (ClockRefused, ClockUnconfirmed) as error:
        await _tell_of_clock(error, shop, neighbours.monitor)
        raise
    if neighbours.monitor and await _begins(accounts, shop, request):
        await neighbours.monitor.begin()
    done = [await _run(account, shop, neighbours, request) for account in accounts]
    await post_notices(accounts, shop)
    await post_review(configured or accounts, shop)
    outbox, waiting = await _deliver(accounts, shop, neighbours, request)
    for account in accounts:
        await follow_hints(account, neighbours.hint_reader(account), shop)
    reports = [one.report for one in done if one.report]
    alarms = await update_alarms(configured or accounts, shop, outbox, config_trouble, reports)
    if alarms.are_mailed and not outbox.error:
        told, left = await _deliver((), shop, neighbours, RunRequest())
        waiting += left
        outbox = DeliveryResult((*outbox.delivered, *told.delivered), told.error)
    boundary(Boundary.LOOKED)
    await shop.store.erase(shop.clock() - retention)
    boundary(Boundary.ERASED)
    await shop.store.back_up(shop.clock().date())
    boundary(Boundary.BACKED_UP)
    finished = Tick(
        tuple(done), outbox, waiting, config_trouble, alarms.begun, alarms.ended, alarms.open
    )
    if neighbours.monitor:
        await _tell(neighbours.monitor, finished)
    return finished


def _surest_clock(accounts: Sequence[Account]) -> Account:
    """Of whom the time is asked: a file on this machine has none but our own."""
    asked = (one for one in accounts if isinstance(one.reads, MarketplaceAccess))
    return next(asked, accounts[0])


async def _begins(accounts: Sequence[Account], shop: Workshop, request: RunRequest) -> bool:
    """Whether there is a digest to begin for the first time."""
    for account in accounts:
        task = await find_task(account, shop.store, request, shop.clock())
        if task.day:
            latest = await shop.store.runs.latest(account.id, task.day)
            if latest is None or latest.edition < task.edition:
                return True
    return False


async def _tell(monitor: Ping, finished: Tick) -> None:
    """Tell the monitor of what is new: an alarm, or that what was done is done and all is good."""
    if finished.alarms_begun:
        await monitor.bad(_words(*finished.alarms_begun))
    elif finished.did_something and finished.all_good:
        await monitor.good()


def _words(*begun: Alarm) -> str:
    kinds = ", ".join(sorted({alarm.cause.kind for alarm in begun}))
    return f"{kinds}; `notifier status` tells more"


async def _tell_of_clock(
    error: ClockRefused | ClockUnconfirmed, shop: Workshop, monitor: Ping | None
) -> None:
    """Once. By mail it is told when it is over: nothing is sent by a time that is not believed."""
    alarm = await shop.store.alarms.begin(clock_cause(error), at=shop.clock())
    if alarm and monitor:
        await monitor.bad(_words(alarm))


async def _run(
    account: Account, shop: Workshop, neighbours: Neighbours, request: RunRequest
) -> Done:
    """Run one account; whatever happens to it, the others have their turn."""
    try:
        report = await run_account(account, neighbours.source(account), shop, request)
    except Stopped:
        raise
    except NotifierError as error:
        logger.error("%s: %s", account.name, error, extra={"event": "failed"})  # noqa: TRY400
        return Done(account, None, error.exit_code)
    except Exception:
        logger.exception("%s: a bug, please report it", account.name)
        return Done(account, None, ExitCode.BUG)
    return Done(account, report, _code(report))


def _code(report: Report) -> ExitCode:
    if report.error:
        return report.error.exit_code
    return ExitCode.FAILED if report.digest and report.digest.gap else ExitCode.DONE


async def _deliver(
    accounts: Sequence[Account], shop: Workshop, neighbours: Neighbours, request: RunRequest
) -> tuple[DeliveryResult, int]:
    """Deliver what is of these accounts, and of none; gives also how much of it still waits."""
    outbox, ids = shop.store.outbox, [account.id for account in accounts]
    if request.now:
        await outbox.hasten(shop.clock(), account_ids=ids)
    async with neighbours.mail() as mail:
        done = await deliver_waiting(
            shop.store,
            mail,
            clock=shop.clock,
            holder=shop.holder,
            account_ids=ids,
            on_unknown=neighbours.on_unknown,
            stop=shop.stop,
        )
    return done, await outbox.pending(account_ids=ids)
