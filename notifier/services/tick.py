"""One tick: every account, then the outbox, the alarms, and the upkeep of the store.

Timer, daemon and person all call this. What is due is asked of the ledger, so it may be called as
often as anybody likes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from notifier.domain.alarms import Alarm, clock_cause
from notifier.domain.ledger import MessageState
from notifier.domain.settings import Account, MarketplaceAccess
from notifier.errors import (
    ClockRefused,
    ClockUnconfirmed,
    ExitCode,
    NotifierError,
    Stopped,
    gravest,
)
from notifier.services.alarms import update_alarms
from notifier.services.clock_check import confirm_clock
from notifier.services.context import Context
from notifier.services.deliver import DeliveryResult, deliver_waiting
from notifier.services.due import RunRequest, find_due_run
from notifier.services.hints import follow_hints
from notifier.services.notice import post_notices
from notifier.services.recipient_review import post_review
from notifier.services.run import RunReport, run_account

_GRAVE = frozenset({MessageState.FAILED, MessageState.UNKNOWN, MessageState.HELD})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did."""

    reports: tuple[RunReport, ...]
    delivery: DeliveryResult
    waiting: int
    """How many messages are still to be delivered."""
    config_trouble: str | None = None
    """Why the last good configuration was used instead of the written one."""
    alarms_begun: tuple[Alarm, ...] = ()
    alarms_ended: tuple[Alarm, ...] = ()
    alarms_open: tuple[Alarm, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """The gravest of all that happened."""
        codes = [report.exit_code for report in self.reports]
        if self.delivery.error:
            codes.append(self.delivery.error.exit_code)
        if self.config_trouble or any(one.state in _GRAVE for one in self.delivery.delivered):
            codes.append(ExitCode.FAILED)
        return gravest(codes)

    @property
    def did_something(self) -> bool:
        """Whether anything was composed, sent or mended."""
        composed = any(report.digest for report in self.reports)
        return composed or bool(self.delivery.delivered or self.alarms_ended)

    @property
    def all_good(self) -> bool:
        """Whether nothing is wrong and nothing waits."""
        return self.exit_code is ExitCode.DONE and not self.alarms_open and not self.waiting

    @property
    def served_well(self) -> bool:
        """Whether its configuration is worth keeping: no neighbour refused it."""
        return self.exit_code in (ExitCode.DONE, ExitCode.FAILED)


async def tick(
    context: Context,
    request: RunRequest,
    *,
    accounts: Sequence[Account] | None = None,
    config_trouble: str | None = None,
) -> Tick:
    """Do all that is due now, for these accounts or for all that are configured.

    `config_trouble` says why the configuration in use is not the written one.

    Raises StoreError where nothing can be recorded, ClockRefused or UnavailableError where the
    time cannot be trusted: then nothing but an alarm was touched. Raises Stopped once everything
    in hand is recorded, where a stop was asked for.
    """
    configured = tuple(context.settings.accounts.values())
    chosen = configured if accounts is None else tuple(accounts)
    await _confirm_clock(chosen, context)
    await _announce_start(chosen, context, request)
    reports = [await _run(account, context, request) for account in chosen]
    await post_notices(chosen, context)
    await post_review(configured, context)
    delivery, waiting = await _deliver(chosen, context, request)
    for account in chosen:
        await follow_hints(account, context)
    # Of all accounts: an alarm does not end because its account was not among the chosen.
    alarms = await update_alarms(configured, context, delivery, config_trouble, reports)
    if alarms.are_mailed and not delivery.error:
        mailed, left = await _deliver((), context, RunRequest())
        delivery, waiting = delivery + mailed, waiting + left
    await context.store.erase(context.clock() - context.settings.store.retention)
    await context.store.back_up(context.clock().date())
    finished = Tick(
        tuple(reports), delivery, waiting, config_trouble, alarms.begun, alarms.ended, alarms.open
    )
    await _report_to_monitor(finished, context)
    return finished


async def _confirm_clock(accounts: Sequence[Account], context: Context) -> None:
    """Raise when the time cannot be trusted, and open the alarm for it.

    No mail is sent by a time that is not trusted, so the admin is mailed when it is over.
    """
    try:
        await confirm_clock(context, context.source(_most_trusted_clock(accounts)))
    except (ClockRefused, ClockUnconfirmed) as error:
        alarm = await context.store.alarms.begin(clock_cause(error), at=context.clock())
        if alarm and context.monitor:
            await context.monitor.report_failure(_kinds(alarm))
        raise


def _most_trusted_clock(accounts: Sequence[Account]) -> Account:
    """The account whose source is asked for the time: a local file knows only our own clock."""
    asked = (one for one in accounts if isinstance(one.access, MarketplaceAccess))
    return next(asked, accounts[0])


async def _announce_start(
    accounts: Sequence[Account], context: Context, request: RunRequest
) -> None:
    """Ping the monitor when a digest is about to be begun for the first time."""
    if context.monitor is None:
        return
    for account in accounts:
        due = await find_due_run(account, context.store, request, context.clock())
        if due.day is None:
            continue
        latest = await context.store.runs.latest(account.id, due.day)
        if latest is None or latest.edition < due.edition:
            await context.monitor.report_start()
            return


async def _run(account: Account, context: Context, request: RunRequest) -> RunReport:
    """Run one account; whatever happens to it, the others have their turn."""
    try:
        return await run_account(account, context, request)
    except Stopped:
        raise
    except NotifierError as error:
        logger.error("%s: %s", account.name, error, extra={"event": "failed"})  # noqa: TRY400
        return RunReport(account, error=error)
    except Exception as error:
        logger.exception("%s: a bug, please report it", account.name)
        return RunReport(account, error=error)


async def _deliver(
    accounts: Sequence[Account], context: Context, request: RunRequest
) -> tuple[DeliveryResult, int]:
    """Deliver the messages of these accounts and of none; also counts what still waits."""
    outbox, ids = context.store.outbox, [account.id for account in accounts]
    if request.now:
        await outbox.hasten(context.clock(), account_ids=ids)
    result = await deliver_waiting(context, ids)
    return result, await outbox.pending(account_ids=ids)


async def _report_to_monitor(finished: Tick, context: Context) -> None:
    """Ping only what is new: an alarm, or that something was done and all is good."""
    if context.monitor is None:
        return
    if finished.alarms_begun:
        await context.monitor.report_failure(_kinds(*finished.alarms_begun))
    elif finished.did_something and finished.all_good:
        await context.monitor.report_success()


def _kinds(*begun: Alarm) -> str:
    kinds = ", ".join(sorted({alarm.cause.kind for alarm in begun}))
    return f"{kinds}; `notifier status` tells more"
