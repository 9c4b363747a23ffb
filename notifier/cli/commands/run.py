"""`notifier run`: process the accounts that are due, then deliver pending mail."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import date, datetime

import click

from notifier.cli.build_context import accounts_option, choose_accounts, open_context, stopping
from notifier.cli.context import Invocation, pass_invocation
from notifier.cli.terminal import reading_progress
from notifier.domain.schedule import LOOK_BACK, parse_day
from notifier.domain.settings import Account
from notifier.errors import ExitCode, gravest
from notifier.services.config_watcher import EffectiveConfig
from notifier.services.context import Context
from notifier.services.deliver import Delivered
from notifier.services.due import RunRequest
from notifier.services.run import RECORDING_TIME, RunReport, dry_run
from notifier.services.tick import tick
from notifier.shutdown import Stop

logger = logging.getLogger("notifier.cli.commands.run")


def local_day(text: str) -> date:
    """Parse a calendar day on the command line."""
    try:
        return parse_day(text)
    except ValueError:
        raise click.BadParameter(f'"{text}" is not a day; write YYYY-MM-DD') from None


@click.command
@accounts_option
@click.option(
    "--day",
    type=local_day,
    metavar="YYYY-MM-DD",
    help="Send the digest of that day instead of today's. It lists what waits now.",
)
@click.option("--now", is_flag=True, help="Send today's digest and retry pending mail at once.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send and record nothing.")
@click.option(
    "--force", is_flag=True, help="Send another edition of a digest that was already sent."
)
@pass_invocation
def command(
    invocation: Invocation,
    *,
    accounts: tuple[str, ...],
    day: date | None,
    now: bool,
    dry_run: bool,
    force: bool,
) -> int:
    """Send the digests that are due, and retry pending mail.

    The run ledger decides what is due, so you can call this as often as you like: a second run on
    the same day sends nothing new. Let a timer call it every ten minutes.
    """
    invocation.log_steps()
    request = RunRequest(day, now, force, invocation.person())
    return asyncio.run(run(invocation, accounts, request, dry_run=dry_run))


async def run(
    invocation: Invocation, ids: tuple[str, ...], request: RunRequest, *, dry_run: bool = False
) -> ExitCode:
    """Run the chosen accounts, and deliver; for the command, and for the demo."""
    effective = _effective(invocation, dry_run=dry_run)
    chosen = choose_accounts(effective.settings, ids)
    # Before the store is opened, which begins one where there is none yet.
    _refuse_impossible_day(chosen, request.day, invocation.now())
    stop = Stop()
    with reading_progress() as progress, stopping(stop):
        async with open_context(
            effective.settings, invocation.now, read_only=dry_run, progress=progress, stop=stop
        ) as context:
            if dry_run:
                return await _dry_run(context, chosen, request, invocation)
            return await _run(context, chosen, request, invocation, effective)


def _effective(invocation: Invocation, *, dry_run: bool) -> EffectiveConfig:
    """Return the configuration in force; a dry run never falls back on the last good one."""
    if dry_run:
        # Mostly run to try a changed file, whose mistakes must be shown.
        return EffectiveConfig(invocation.settings())
    effective = invocation.config_watcher().current()
    if effective.trouble:
        logger.error("%s", effective.trouble, extra={"event": "last_good"})
    return effective


async def _run(
    context: Context,
    accounts: tuple[Account, ...],
    request: RunRequest,
    invocation: Invocation,
    effective: EffectiveConfig,
) -> ExitCode:
    done = await tick(context, request, accounts=accounts, config_trouble=effective.trouble)
    # Kept only after it served well: a configuration that is merely valid may still not work.
    if effective.trouble is None and done.served_well:
        invocation.keep(effective.settings)
    for report in done.reports:
        if report.next_at:
            invocation.echo(_sentence(report, report.next_at))
    if done.delivery.delivered or done.waiting:
        invocation.echo(_message_counts(done.delivery.delivered, done.waiting))
    return done.exit_code


async def _dry_run(
    context: Context, accounts: tuple[Account, ...], request: RunRequest, invocation: Invocation
) -> ExitCode:
    codes = []
    for account in accounts:
        report = await dry_run(account, context, request)
        if report.error:
            codes.append(report.exit_code)
            logger.error("%s: %s", account.name, report.error)
            continue
        if report.digest is None:
            invocation.echo(_sentence(report, report.next_at or invocation.now()))
            continue
        for message in report.messages:
            size = f"{len(message.content) / 1000:.1f} kB"
            invocation.echo(
                f"{account.name}: would send to {message.recipient} ({size}, "
                f"{message.language}): {message.subject}"
            )
        if not report.messages:
            invocation.echo(f"{account.name}: would send nothing (nothing to collect)")
    waiting = await context.store.outbox.pending([account.id for account in accounts])
    if waiting:
        invocation.echo(_message_counts((), waiting))
    invocation.echo("Dry run: nothing was sent or recorded.")
    return gravest(codes)


def _refuse_impossible_day(accounts: tuple[Account, ...], day: date | None, now: datetime) -> None:
    for account in accounts:
        today = account.schedule.local_day(now)
        # Missed days are looked for no farther back either.
        if day and day < today - LOOK_BACK:
            raise click.BadParameter(
                f"{day} is more than {LOOK_BACK.days} days ago", param_hint="--day"
            )
        if day and day > today:
            raise click.BadParameter(
                f"{day} has not begun for {account.name}, where today is {today}; the marketplace "
                "only reports what waits now, so name today or an earlier day",
                param_hint="--day",
            )


def _sentence(report: RunReport, next_at: datetime) -> str:
    """Say what this run did for an account, or why it did nothing and what comes next."""
    name, run = report.account.name, report.run
    if report.error:
        return f"{name}: no digest yet; the next run tries again."
    if report.digest and run:
        return (
            f"{name}: digest of {run.day}, edition {run.edition}, {run.state}: "
            f"{run.waiting} waiting, {run.new} new, {run.collected} no longer waiting."
        )
    zone = report.account.schedule.zone
    at = next_at.astimezone(zone)
    next_one = f"The next digest is due on {at:%a %d %b at %H:%M} ({zone.key})."
    if run is None:
        return f"{name}: nothing due. {next_one} `notifier run --now` sends today's at once."
    if run.state.settled:
        done = f"{name}: nothing due; {run.day} is {run.state} (edition {run.edition})."
        return f"{done} {next_one} `notifier run --force` sends another edition."
    free_at = run.begun_at + report.account.access.run_timeout + RECORDING_TIME
    return (
        f"{name}: another run has been in progress since {run.begun_at.astimezone(zone):%H:%M}. "
        f"If its process has died, a new run can start at {free_at.astimezone(zone):%H:%M}."
    )


def _message_counts(delivered: tuple[Delivered, ...], waiting: int) -> str:
    counts = Counter(message.state for message in delivered)
    parts = [f"{count} {state}" for state, count in counts.items()]
    if waiting:
        parts.append(f"{waiting} waiting for the next try (see `notifier outbox`)")
    return "Messages: " + ", ".join(parts) + "."
