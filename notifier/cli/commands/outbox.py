"""`notifier outbox`: list the messages and their attempts; retry, discard or resend one."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta

import click

from notifier.cli.build_context import choose_accounts
from notifier.cli.context import Invocation, pass_invocation
from notifier.cli.terminal import print_table
from notifier.domain.ledger import Attempt, Decision, MessageState, OutboxMessage
from notifier.errors import ExitCode
from notifier.store import Store, open_store

HEADINGS = ("No.", "Day", "Account", "Recipient", "State", "Tries", "Next try (UTC)", "Last reply")
# Shown as the account of an alarm, which belongs to no account.
ADMIN = "(admin)"
RETRY_PERIOD = timedelta(days=1)
"""How long delivery is attempted after `retry` or `resend`."""


class NumberOrCommand(click.Group):
    """A group of commands in which `outbox 12` is short for `outbox show 12`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert `show` before a number."""
        # Only the first argument: a later number may belong to an option, as in `--limit 5`.
        numbered = [i for i, arg in enumerate(args[:1]) if arg.isdecimal()]
        return super().parse_args(ctx, ["show", *args] if numbered else args)


@click.group(cls=NumberOrCommand, invoke_without_command=True)
@click.option("--account", metavar="ID", help="Only this account.")
@click.option("--waiting", is_flag=True, help="Only pending messages.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    metavar="N",
    help="Show at most N.",
)
@pass_invocation
@click.pass_context
def command(
    ctx: click.Context, invocation: Invocation, *, account: str | None, waiting: bool, limit: int
) -> int | None:
    """List the messages, their states and the mail server's replies.

    Newest first. `notifier outbox NUMBER` shows one message with every delivery attempt. The last
    reply to a sent message is the mail server's receipt.
    """
    if ctx.invoked_subcommand:
        return None
    return asyncio.run(_show_all(invocation, account, limit, waiting=waiting))


@command.command
@click.argument("number", type=int)
@pass_invocation
def show(invocation: Invocation, *, number: int) -> int:
    """Show one message with every delivery attempt."""
    return asyncio.run(_show_one(invocation, number))


@command.command
@click.argument("number", type=int)
@pass_invocation
def retry(invocation: Invocation, *, number: int) -> int:
    """Retry a message in the next run.

    For a message that is held, failed or deferred. Delivery is attempted for one day.
    """
    return asyncio.run(_decide(invocation, number, Decision.RETRY))


@command.command
@click.argument("number", type=int)
@pass_invocation
def discard(invocation: Invocation, *, number: int) -> int:
    """Never send a message again.

    For a message that has arrived, or is no longer needed.
    """
    return asyncio.run(_decide(invocation, number, Decision.DISCARD))


@command.command
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    metavar="YYYY-MM-DD",
    help="Day of the digest.",
)
@click.option("--recipient", metavar="ADDRESS", required=True, help="Who got it.")
@click.option("--account", metavar="ID", help="Account, if several have that recipient.")
@pass_invocation
def resend(invocation: Invocation, *, day: datetime, recipient: str, account: str | None) -> int:
    """Send a digest again, byte for byte.

    For a recipient who lost it. Digests are kept for retention_days.
    """
    number = asyncio.run(_find(invocation, day.date(), recipient, account))
    return asyncio.run(_decide(invocation, number, Decision.RESEND))


async def _decide(invocation: Invocation, number: int, decision: Decision) -> ExitCode:
    now = invocation.now()
    async with open_store(invocation.settings().store) as store:
        done = await store.outbox.decide(
            number, decision, who=invocation.person(), at=now, give_up_at=now + RETRY_PERIOD
        )
        message = await _existing(store, number)
    # The update itself decides, because a run may take the message between a look and the update.
    if not done:
        raise click.UsageError(_why_not(message, decision))
    what = "is discarded" if decision is Decision.DISCARD else "is sent in the next run"
    invocation.echo(f"Message {number} to {message.recipient} {what}.")
    return ExitCode.DONE


def _why_not(message: OutboxMessage, decision: Decision) -> str:
    if message.content is None and message.state in decision.allowed_in:
        return (
            f"message {message.id} cannot be sent again: its text was deleted after retention_days"
        )
    if message.state == "sent":
        return (
            f"message {message.id} is already sent: {message.receipt}; to send it again: notifier "
            f"outbox resend --day {message.day} --recipient {message.recipient}"
        )
    if message.state == "discarded":
        return f"message {message.id} is already discarded"
    return f"message {message.id} is being delivered; try again in a moment"


async def _find(invocation: Invocation, day: date, recipient: str, account: str | None) -> int:
    async with open_store(invocation.settings().store, read_only=True) as store:
        number = await store.outbox.find(recipient, day, account_id=account)
    if number is None:
        raise click.UsageError(f"no digest of {day} for {recipient}; see `notifier outbox`")
    return number


async def _show_all(
    invocation: Invocation, account: str | None, limit: int, *, waiting: bool
) -> ExitCode:
    states = [state for state in MessageState if state.waiting] if waiting else None
    settings = invocation.settings()
    async with open_store(settings.store, read_only=True) as store:
        messages = await store.outbox.list(states=states, account_id=account, limit=limit)
    # Only now, because messages of an account stay when it is no longer configured.
    if account and not messages:
        choose_accounts(settings, [account])
    if not messages:
        invocation.echo("No message is pending." if waiting else "The outbox is empty.")
        return ExitCode.DONE
    print_table(HEADINGS, [_row(message) for message in messages], numeric=frozenset({0, 5}))
    return ExitCode.DONE


async def _show_one(invocation: Invocation, number: int) -> ExitCode:
    async with open_store(invocation.settings().store, read_only=True) as store:
        message = await _existing(store, number)
        attempts = await store.outbox.attempts(number)
    for name, value in _fields(message):
        invocation.echo(f"{name + ':':<13} {value}")
    for attempt in attempts:
        invocation.echo(f"Attempt:      {_attempt(attempt)}")
    return ExitCode.DONE


async def _existing(store: Store, number: int) -> OutboxMessage:
    message = await store.outbox.get(number)
    if message is None:
        raise click.BadParameter(f"no message has the number {number}", param_hint="NUMBER")
    return message


def _row(message: OutboxMessage) -> tuple[str, ...]:
    next_try = message.next_try_at
    return (
        str(message.id),
        message.day.isoformat(),
        message.account_id or ADMIN,
        message.recipient,
        str(message.state),
        str(message.attempts),
        f"{next_try:%Y-%m-%d %H:%M}" if next_try and message.state.waiting else "",
        message.receipt or "",
    )


def _fields(message: OutboxMessage) -> tuple[tuple[str, object], ...]:
    of = f"{message.account_id}, {message.day}, edition {message.edition}"
    return (
        ("Message", message.id),
        (str(message.kind).capitalize(), of if message.account_id else message.day),
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
