"""`notifier send-test`: prove that mail arrives, without recording anything."""

from __future__ import annotations

import asyncio

import click

from notifier.cli.context import Invocation, pass_invocation
from notifier.domain.ledger import Outcome
from notifier.domain.recipients import Recipient, parse_mailbox
from notifier.domain.settings import Account, Settings
from notifier.errors import DeliveryFailed, ExitCode, MailUnavailable
from notifier.mail.freeze import freeze_test
from notifier.mail.render import Renderer
from notifier.smtp.connection import DeliveryOutcome, Envelope, MailConnection


@click.command
@click.argument("address")
@pass_invocation
def command(invocation: Invocation, address: str) -> int:
    """Send a test mail to one of the configured addresses.

    It is neither a digest nor in the outbox. If sending fails, it is not retried.
    """
    return asyncio.run(_send(invocation, address))


async def _send(invocation: Invocation, address: str) -> ExitCode:
    settings = invocation.settings()
    account, recipient = _find(settings, address)
    delivery = await _deliver(invocation, settings, account, recipient)
    match delivery.outcome:
        case Outcome.ACCEPTED:
            invocation.echo(f"Accepted by {settings.smtp.host}: {delivery.reply}")
            invocation.echo(f"Now check that it arrives at {recipient.mailbox.address}.")
            return ExitCode.DONE
        case Outcome.REJECTED:
            raise DeliveryFailed(
                f"{settings.smtp.host} refuses mail to {address} at {delivery.phase}: "
                f"{delivery.reply}"
            )
        # The mail may have arrived, so advice to try again would be wrong.
        case Outcome.UNKNOWN:
            raise DeliveryFailed(
                f"{settings.smtp.host} got the mail but did not answer ({delivery.reply}); "
                "look into the mailbox before you try again"
            )
    raise MailUnavailable(
        f"{settings.smtp.host} does not accept the mail now, at {delivery.phase}: {delivery.reply}"
    )


async def _deliver(
    invocation: Invocation, settings: Settings, account: Account, recipient: Recipient
) -> DeliveryOutcome:
    renderer = Renderer(settings.templates_dir)
    parts = renderer.test(account, settings.sender, recipient)
    message = freeze_test(
        parts, recipient=recipient, account=account, sender=settings.sender, at=invocation.now()
    )
    envelope = Envelope(
        message.envelope_from, message.recipient, message.content, message.message_id.strip("<>")
    )
    async with MailConnection(settings.smtp) as mail:
        # Through the same code as a digest, so that a success proves the digest's way.
        return await mail.send(envelope, before_dot=_record_nothing)


async def _record_nothing() -> None:
    """Stand in for the mark of a digest: a test mail is not in the outbox."""


def _find(settings: Settings, address: str) -> tuple[Account, Recipient]:
    """Return the recipient with that address; others are refused, or this could mail anybody."""
    try:
        wanted = parse_mailbox(address)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="ADDRESS") from None
    accounts = tuple(settings.accounts.values())
    for account in accounts:
        for recipient in account.recipients:
            if recipient.mailbox.key == wanted.key:
                return account, recipient
    if settings.sender.admin.key == wanted.key:
        return accounts[0], Recipient(settings.sender.admin, accounts[0].language)
    known = sorted({r.mailbox.address for a in accounts for r in a.recipients})
    raise click.BadParameter(
        f"{address} is not configured; test mails are sent to configured addresses only: "
        f"{', '.join([*known, settings.sender.admin.address])}",
        param_hint="ADDRESS",
    )
