"""`notifier outbox`: messages, their states, and what the mail server said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from notifier.cli.context import Invocation, pass_invocation
from notifier.errors import ExitCode

if TYPE_CHECKING:
    from notifier.ledger import Attempt, OutboxMessage

HEADINGS = ("No.", "Day", "Account", "Recipient", "State", "Tries", "Next try (UTC)", "Last reply")


@click.command
@click.argument("number", type=int, required=False)
@click.option("--account", metavar="ID", help="Only this account.")
@click.option("--waiting", is_flag=True, help="Only what is still to be delivered.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most N.")
@pass_invocation
def command(
    invocation: Invocation, *, number: int | None, account: str | None, waiting: bool, limit: int
) -> int:
    """Show the messages, their states and the server's replies.

    Newest first; with NUMBER, every delivery attempt of one message. The last reply of a message
    that is sent is the mail server's receipt.
    """
    import asyncio  # noqa: PLC0415 - keeps `notifier --help` fast

    if number is not None:
        return asyncio.run(_show_one(invocation, number))
    return asyncio.run(_show_all(invocation, account, limit, waiting=waiting))


async def _show_all(
    invocation: Invocation, account: str | None, limit: int, *, waiting: bool
) -> ExitCode:
    from notifier.cli.table import print_table  # noqa: PLC0415
    from notifier.ledger import MessageState  # noqa: PLC0415
    from notifier.store import open_store  # noqa: PLC0415

    states = [state for state in MessageState if state.waiting] if waiting else None
    async with open_store(invocation.settings().store, read_only=True) as store:
        messages = await store.outbox.list(states=states, account_id=account, limit=limit)
    if not messages:
        invocation.echo("Nothing waits." if waiting else "The outbox is empty.")
        return ExitCode.DONE
    print_table(HEADINGS, [_row(message) for message in messages], numeric=frozenset({0, 5}))
    return ExitCode.DONE


async def _show_one(invocation: Invocation, number: int) -> ExitCode:
    from notifier.store import open_store  # noqa: PLC0415

    async with open_store(invocation.settings().store, read_only=True) as store:
        message = await store.outbox.get(number)
        attempts = await store.outbox.attempts(number)
    if message is None:
        raise click.BadParameter(f"there is no message {number}", param_hint="NUMBER")
    for name, value in _fields(message):
        invocation.echo(f"{name + ':':<13} {value}")
    for attempt in attempts:
        invocation.echo(f"Attempt:      {_attempt(attempt)}")
    return ExitCode.DONE


def _row(message: OutboxMessage) -> tuple[str, ...]:
    next_try = message.next_try_at
    return (
        str(message.id),
        message.day.isoformat(),
        message.account_id,
        message.recipient,
        str(message.state),
        str(message.attempts),
        f"{next_try:%Y-%m-%d %H:%M}" if next_try and message.state.waiting else "",
        message.receipt or "",
    )


def _fields(message: OutboxMessage) -> tuple[tuple[str, object], ...]:
    return (
        ("Message", message.id),
        ("Digest", f"{message.account_id}, {message.day}, edition {message.edition}"),
        ("To", message.recipient),
        ("Subject", message.subject),
        ("Message-ID", message.message_id),
        ("Size", f"{message.size} bytes"),
        ("State", message.state),
        (
            "Receipt" if message.state == "sent" else "Last reply",
            message.receipt or "none yet",
        ),
    )


def _attempt(attempt: Attempt) -> str:
    where = f" at {attempt.phase}" if attempt.phase else ""
    reply = f": {attempt.reply}" if attempt.reply else ""
    return f"{attempt.started_at:%Y-%m-%d %H:%M:%S} UTC {attempt.outcome}{where}{reply}"
