"""`notifier adopt`: take over a store that was copied, moved or restored from a backup."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date

import click

from notifier.cli.context import Invocation, pass_invocation
from notifier.domain.ledger import OutboxMessage
from notifier.domain.settings import Account, Settings
from notifier.errors import ExitCode
from notifier.services.due import RunRequest, find_due_run
from notifier.store import Store, open_store, ownership

WHY_SKIPPED = "the store was adopted; the digest may have been sent before"
"""The reason recorded for each day that is due when the store is taken over."""


@click.command
@click.option(
    "--yes", is_flag=True, help="Take it over; without this, only show what would happen."
)
@pass_invocation
def command(invocation: Invocation, *, yes: bool) -> int:
    """Take over a store that was copied, moved or restored from a backup.

    Sends nothing: pending messages are held until you decide about each, and a day that is due
    now is recorded as skipped. Make sure that no other machine sends from a copy of the store.
    """
    settings = invocation.settings()
    why = _show_ownership(invocation, settings)
    if not yes:
        invocation.echo("To take over the store as it is: notifier adopt --yes")
        return ExitCode.CONFIG if why else ExitCode.DONE
    return asyncio.run(_adopt(invocation, settings, why))


def _show_ownership(invocation: Invocation, settings: Settings) -> str | None:
    """Print whether the store belongs to this machine; return why not, if it does not."""
    owned = ownership(settings.store)
    found = owned.mismatch or "belongs to this machine and is up to date"
    # A PostgreSQL database has no machine, so nothing shows whether it was restored.
    if not owned.bound:
        found = "may be used by several machines; adopt it only after restoring it from a backup"
    invocation.echo(f"{owned.name} {found}.")
    return owned.mismatch


async def _adopt(invocation: Invocation, settings: Settings, why: str | None) -> ExitCode:
    """Hold messages and skip days first: after a crash, the store must still be refused."""
    now = invocation.now()
    async with open_store(settings.store, adopting=True) as store:
        # The machine that the copy comes from may have sent these messages since.
        held = await store.outbox.hold_all(now)
        # Their processes ran on the other machine, or before the backup, and will not end them.
        await store.runs.end_leases(now)
        skipped = [
            (account, day)
            for account in settings.accounts.values()
            for day in await _skip(account, store, invocation)
        ]
        await store.audit.record(
            at=now,
            who=invocation.person(),
            action="adopt",
            subject="the store",
            detail=f"it {why or 'was our own'}; {len(held)} held, {len(skipped)} skipped",
        )
        # Last, because only this makes the store usable again.
        await store.take_over()
    _show_result(invocation, held, skipped)
    return ExitCode.DONE


async def _skip(account: Account, store: Store, invocation: Invocation) -> Sequence[date]:
    """Record the day that is due now, and missed days before it, as skipped."""
    now = invocation.now()
    due = await find_due_run(account, store, RunRequest(), now)
    days = due.missed if due.day is None else (*due.missed, due.day)
    await store.runs.skip(account.id, days, WHY_SKIPPED, at=now)
    return days


def _show_result(
    invocation: Invocation,
    held: Sequence[OutboxMessage],
    skipped: Sequence[tuple[Account, date]],
) -> None:
    invocation.echo("The store now belongs to this machine.")
    for message in held:
        number = message.id
        invocation.echo(
            f"Message {number} of {message.day} to {message.recipient} is held. If it did not "
            f"arrive: notifier outbox retry {number}. If it did: notifier outbox discard {number}"
        )
    for account, day in skipped:
        again = f"notifier run --account {account.id} --day {day}"
        invocation.echo(
            f"{account.name}: {day} is recorded as skipped. If its digest did not arrive: {again}"
        )
