"""`notifier runs`: list the run ledger."""

from __future__ import annotations

import asyncio

import click

from notifier.cli.build_context import choose_accounts
from notifier.cli.context import Invocation, pass_invocation
from notifier.cli.terminal import print_table
from notifier.domain.ledger import Run
from notifier.errors import ExitCode
from notifier.store import open_store

HEADINGS = (
    "Day",
    "Account",
    "Ed.",
    "State",
    "Waiting",
    "New",
    "Gone",
    "Sent",
    "Begun (UTC)",
    "Why",
)


@click.command
@click.option("--account", metavar="ID", help="Only this account.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    metavar="N",
    help="Show at most N.",
)
@pass_invocation
def command(invocation: Invocation, *, account: str | None, limit: int) -> int:
    """List the runs: which days have a digest, and how each run ended.

    Edition 1 is the regular digest of a day; further editions were forced by a person.
    """
    runs = asyncio.run(_list(invocation, account, limit))
    if not runs:
        invocation.echo("No run is recorded yet.")
        return ExitCode.DONE
    print_table(HEADINGS, [_row(run) for run in runs], numeric=frozenset({2, 4, 5, 6, 7}))
    return ExitCode.DONE


async def _list(invocation: Invocation, account: str | None, limit: int) -> tuple[Run, ...]:
    settings = invocation.settings()
    async with open_store(settings.store, read_only=True) as store:
        found = await store.runs.list(account_id=account, limit=limit)
    # Only now, because the runs of an account stay when it is no longer configured.
    if account and not found:
        choose_accounts(settings, [account])
    return found


def _row(run: Run) -> tuple[str, ...]:
    return (
        run.day.isoformat(),
        run.account_id,
        str(run.edition),
        str(run.state),
        *("" if count is None else str(count) for count in (run.waiting, run.new, run.collected)),
        f"{run.sent}/{run.messages}",
        f"{run.begun_at:%Y-%m-%d %H:%M}",
        "; ".join(filter(None, (run.reason, run.why))),
    )
