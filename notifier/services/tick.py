"""Run one tick: every account, then the outbox, the alarms, and the upkeep of the store.

Timer, daemon and person all call this. The ledger decides what is due, so any number of calls does
no harm.
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
    """Why the last good configuration was used instead of the file; None if it was not."""
    alarms_begun: tuple[Alarm, ...] = ()
    alarms_ended: tuple[Alarm, ...] = ()
    alarms_open: tuple[Alarm, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """The most severe code of all that happened."""
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
        """Whether its configuration is worth keeping: no server refused it."""
        # FAILED is as good: one recipient's full mailbox says nothing about the configuration.
        return self.exit_code in (ExitCode.DONE, ExitCode.FAILED)


async def tick(
    context: Context,
    request: RunRequest,
    *,
    accounts: Sequence[Account] | None = None,
    config_trouble: str | None = None,
) -> Tick:
    """Do all that is due now, for these accounts or for all that are configured.

    `config_trouble` says why the configuration in use is not that of the file.

    Raises StoreError if nothing can be recorded, and ClockRefused or UnavailableError if the time
    cannot be trusted: then only an alarm was recorded. Raises Stopped after a request to stop, once
    everything in hand is recorded.
    """
    configured = tuple(context.settings.accounts.values())
    chosen = configured if accounts is None else tuple(accounts)
    # Before all else: by a wrong clock, messages are given up and days are skipped.
    await _confirm_clock(chosen, context)
    await _announce_start(chosen, context, request)
    reports = [await _run(account, context, request) for account in chosen]
    # After the runs, which may have read the list just now, and before the delivery.
    await post_notices(chosen, context)
    await post_review(configured, context)
    delivery, waiting = await _deliver(chosen, context, request)
    # After the mail: hints make the status fresher, and must not use up time or calls before it.
    for account in chosen:
        await follow_hints(account, context)
    # After the delivery, whose error is a cause. Of all accounts: an alarm must not end because its
    # account was not among the chosen ones.
    alarms = await update_alarms(configured, context, delivery, config_trouble, reports)
    if alarms.are_mailed and not delivery.error:
        # Only mail to the admin, which belongs to no account; the rest was tried a moment ago.
        mailed, left = await _deliver((), context, RunRequest())
        delivery, waiting = delivery + mailed, waiting + left
    # In this order, so that the backup does not keep what was to be erased.
    await context.store.erase(context.clock() - context.settings.store.retention)
    await context.store.back_up(context.clock().date())
    finished = Tick(
        tuple(reports), delivery, waiting, config_trouble, alarms.begun, alarms.ended, alarms.open
    )
    await _report_to_monitor(finished, context)
    return finished


async def _confirm_clock(accounts: Sequence[Account], context: Context) -> None:
    """Raise if the time cannot be trusted, and open the alarm for it.

    No mail is sent while the time is not trusted, so a mail reports the alarm only when it is over.
    """
    try:
        await confirm_clock(context, context.source(_most_trusted_clock(accounts)))
    except (ClockRefused, ClockUnconfirmed) as error:
        alarm = await context.store.alarms.begin(clock_cause(error), at=context.clock())
        if alarm and context.monitor:
            await context.monitor.report_failure(_kinds(alarm))
        raise


def _most_trusted_clock(accounts: Sequence[Account]) -> Account:
    """Return the account whose source is asked for the time."""
    # A marketplace account if there is one: the time of a local file is that of our own clock.
    asked = (one for one in accounts if isinstance(one.access, MarketplaceAccess))
    return next(asked, accounts[0])


async def _announce_start(
    accounts: Sequence[Account], context: Context, request: RunRequest
) -> None:
    """Ping the monitor if a digest is about to begin for the first time."""
    if context.monitor is None:
        return
    for account in accounts:
        due = await find_due_run(account, context.store, request, context.clock())
        if due.day is None:
            continue
        latest = await context.store.runs.latest(account.id, due.day)
        # Not for each new try of a day, or the monitor would start its clock again each time.
        if latest is None or latest.edition < due.edition:
            await context.monitor.report_start()
            return


async def _run(account: Account, context: Context, request: RunRequest) -> RunReport:
    """Run one account; turn every error into a report, so that the others run too."""
    try:
        return await run_account(account, context, request)
    except Stopped:
        raise
    # An expected error needs no traceback: its text says what to do.
    except NotifierError as error:
        logger.error("%s: %s", account.name, error, extra={"event": "failed"})  # noqa: TRY400
        return RunReport(account, error=error)
    except Exception as error:
        logger.exception("%s: a bug, please report it", account.name)
        return RunReport(account, error=error)


async def _deliver(
    accounts: Sequence[Account], context: Context, request: RunRequest
) -> tuple[DeliveryResult, int]:
    """Deliver the messages of these accounts and of none; return how many still wait, too."""
    outbox, ids = context.store.outbox, [account.id for account in accounts]
    # A person has usually just repaired the mail server and must not wait for the next try.
    if request.now:
        await outbox.hasten(context.clock(), account_ids=ids)
    result = await deliver_waiting(context, ids)
    return result, await outbox.pending(account_ids=ids)


async def _report_to_monitor(finished: Tick, context: Context) -> None:
    """Ping the monitor about new alarms, or about work that is done while all is good."""
    # Not on every tick: the monitor expects one success a day, and must notice a day without one.
    if context.monitor is None:
        return
    if finished.alarms_begun:
        await context.monitor.report_failure(_kinds(*finished.alarms_begun))
    elif finished.did_something and finished.all_good:
        await context.monitor.report_success()


def _kinds(*begun: Alarm) -> str:
    kinds = ", ".join(sorted({alarm.cause.kind for alarm in begun}))
    return f"{kinds}; `notifier status` shows more"
