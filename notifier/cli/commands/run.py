"""`notifier run`: one pass over all accounts, then over the outbox."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, datetime

import click

from notifier.cli.build_context import choose_accounts, open_context
from notifier.cli.context import Invocation, pass_invocation
from notifier.cli.progress import orders_read
from notifier.cli.signals import stopping
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
    """A calendar day on the command line."""

    try:
        return parse_day(text)
    except ValueError:
        raise click.BadParameter(f'"{text}" is not a day; write YYYY-MM-DD') from None


@click.command
@click.option(
    "--account", "accounts", multiple=True, metavar="ID", help="Only this account; repeatable."
)
@click.option(
    "--day",
    type=local_day,
    metavar="YYYY-MM-DD",
    help="The digest of that day instead of today's. It shows what waits now.",
)
@click.option("--now", is_flag=True, help="Do today's at once, and try what waits again now.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send and record nothing.")
@click.option("--force", is_flag=True, help="Compose a new edition of a day that is done.")
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
    """Send the digests that are due, and the messages that wait in the outbox.

    Without options it asks the run ledger what is due, so it may be called as often as you
    like: a second run of a day sends nothing new. A timer that calls it every ten minutes is
    all the scheduling it needs.
    """

    invocation.tell_story()
    request = RunRequest(day, now, force, invocation.person())
    return asyncio.run(run(invocation, accounts, request, dry_run=dry_run))


async def run(
    invocation: Invocation, ids: tuple[str, ...], request: RunRequest, *, dry_run: bool = False
) -> ExitCode:
    """Read the configuration, run the chosen accounts, and deliver."""

    effective = _effective(invocation, dry_run=dry_run)
    chosen = choose_accounts(effective.settings, ids)
    _refuse_odd_day(chosen, request.day, invocation.now())
    stop = Stop()
    with orders_read() as progress, stopping(stop):
        async with open_context(
            effective.settings, invocation.now, read_only=dry_run, progress=progress, stop=stop
        ) as context:
            if dry_run:
                return await _dry_run(context, chosen, request, invocation)
            return await _run(context, chosen, request, invocation, effective)


def _effective(invocation: Invocation, *, dry_run: bool) -> EffectiveConfig:
    """The configuration in force; a dry run never falls back on the last good one."""

    if dry_run:
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
    if effective.trouble is None and done.served_well:
        invocation.keep(effective.settings)
    for report in done.reports:
        if report.next_at:
            invocation.echo(_sentence(report, report.next_at))
    if done.delivery.delivered or done.waiting:
        invocation.echo(_tally(done.delivery.delivered, done.waiting))
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
            invocation.echo(f"{account.name}: would send nothing (the day is empty)")
    waiting = await context.store.outbox.pending([account.id for account in accounts])
    if waiting:
        invocation.echo(_tally((), waiting))
    invocation.echo("Dry run: nothing was sent or recorded.")
    return gravest(codes)


def _refuse_odd_day(accounts: tuple[Account, ...], day: date | None, now: datetime) -> None:

    for account in accounts:
        today = account.schedule.local_day(now)
        if day and day < today - LOOK_BACK:
            raise click.BadParameter(
                f"{day} is longer ago than the ledger looks back", param_hint="--day"
            )
        if day and day > today:
            raise click.BadParameter(
                f"{day} has not begun for {account.name} (today is {today}), and the marketplace "
                "only tells what waits now; name today or an earlier day",
                param_hint="--day",
            )


def _sentence(report: RunReport, next_at: datetime) -> str:
    """What this run did for an account, or why it did nothing and what comes next."""

    name, run = report.account.name, report.run
    if report.error:
        return f"{name}: no digest yet; the next run tries again."
    if report.digest and run:
        return (
            f"{name}: digest of {run.day}, edition {run.edition}, {run.state}: "
            f"{run.waiting} waiting, {run.new} new, {run.collected} gone since."
        )
    zone = report.account.schedule.zone
    at = next_at.astimezone(zone)
    next_one = f"The next digest is due on {at:%a %d %b at %H:%M} ({zone.key})."
    if run is None:
        return f"{name}: nothing due. {next_one} `notifier run --now` sends today's at once."
    if run.state.settled:
        done = f"{name}: nothing due; {run.day} is {run.state} (edition {run.edition})."
        return f"{done} {next_one} `--force` composes it anew."
    free_at = run.begun_at + report.account.access.run_timeout + RECORDING_TIME
    return (
        f"{name}: another run is at it, since {run.begun_at.astimezone(zone):%H:%M}. If its "
        f"process has died, the day is free again at {free_at.astimezone(zone):%H:%M}."
    )


def _tally(delivered: tuple[Delivered, ...], waiting: int) -> str:
    counts: dict[str, int] = {}
    for one in delivered:
        counts[one.state] = counts.get(one.state, 0) + 1
    parts = [f"{count} {state}" for state, count in counts.items()]
    if waiting:
        parts.append(f"{waiting} waiting for the next try (`notifier outbox` shows them)")
    return "Messages: " + ", ".join(parts) + "."
