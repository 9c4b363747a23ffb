"""`notifier adopt`: take over a store that was copied, moved or restored."""

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

WHY_SKIPPED = "the store was adopted; it may have been sent before that"
"""What the ledger says of a day that was due when the store was taken over."""


@click.command
@click.option("--yes", is_flag=True, help="Do it; without this, it is only told.")
@pass_invocation
def command(invocation: Invocation, *, yes: bool) -> int:
    """Take over a store that was copied, moved or restored from a backup.

    Nothing is sent by it: messages on their way are held until a person decides about each, and
    a day that is due now counts as skipped. Make sure that no other machine sends from a copy.
    """

    settings = invocation.settings()
    why = _tell_what_is_wrong(invocation, settings)
    if not yes:
        invocation.echo("To take the store over as it is: notifier adopt --yes")
        return ExitCode.CONFIG if why else ExitCode.DONE
    return asyncio.run(_adopt(invocation, settings, why))


def _tell_what_is_wrong(invocation: Invocation, settings: Settings) -> str | None:

    owned = ownership(settings.store)
    found = owned.mismatch or "belongs to this machine, and is the newest state known here"
    if not owned.bound:
        found = "may be used by many machines; adopt it only after you restored it from a backup"
    invocation.echo(f"{owned.name} {found}.")
    return owned.mismatch


async def _adopt(invocation: Invocation, settings: Settings, why: str | None) -> ExitCode:
    """Settle what may have been sent first, so that a crash leaves the store refused."""

    now = invocation.now()
    async with open_store(settings.store, adopting=True) as store:
        held = await store.outbox.hold_all(now)
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
            detail=f"it {why or 'was ours'}; {len(held)} held, {len(skipped)} skipped",
        )
        await store.take_over()
    _tell_what_was_done(invocation, held, skipped)
    return ExitCode.DONE


async def _skip(account: Account, store: Store, invocation: Invocation) -> Sequence[date]:
    """Record what is due now as skipped, with every day before it that is open."""

    now = invocation.now()
    due = await find_due_run(account, store, RunRequest(), now)
    days = due.missed if due.day is None else (*due.missed, due.day)
    await store.runs.skip(account.id, days, WHY_SKIPPED, at=now)
    return days


def _tell_what_was_done(
    invocation: Invocation,
    held: Sequence[OutboxMessage],
    skipped: Sequence[tuple[Account, date]],
) -> None:
    invocation.echo("The store is this machine's now.")
    for message in held:
        number = message.id
        invocation.echo(
            f"Message {number} of {message.day} to {message.recipient} is held; if it did not "
            f"arrive: notifier outbox retry {number}; if it did: notifier outbox discard {number}"
        )
    for account, day in skipped:
        again = f"notifier run --account {account.id} --day {day}"
        invocation.echo(
            f"{account.name}: {day} counts as skipped; if its digest did not arrive: {again}"
        )
