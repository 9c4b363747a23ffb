"""Make one frozen message per recipient of a digest: render, attach, freeze."""

from __future__ import annotations

from dataclasses import dataclass, replace

from notifier.domain.digest import Digest
from notifier.domain.ledger import FrozenMessage
from notifier.domain.settings import Account, MailOptions, WhenEmpty
from notifier.mail.attachments.choice import attachments
from notifier.mail.freeze import Attachment, freeze
from notifier.mail.render import RenderedMail
from notifier.services.context import Context


@dataclass(frozen=True, slots=True)
class MessageBatch:
    """The messages of one digest."""

    messages: tuple[FrozenMessage, ...] = ()
    templates_broken: str = ""
    """Why the operator's own templates failed; empty if they worked, or if there are none."""


def make_messages(account: Account, digest: Digest, context: Context, edition: int) -> MessageBatch:
    """Freeze one message per recipient; none on an empty day that sends nothing."""
    if digest.is_empty and account.when_empty is WhenEmpty.SKIP:
        return MessageBatch()
    rendered: dict[MailOptions, tuple[RenderedMail, tuple[Attachment, ...]]] = {}
    messages = []
    # One time for all, so that the copies of one digest have the same Date.
    at = context.clock()
    for recipient in account.recipients:
        options = account.mail_options(recipient)
        if options not in rendered:
            rendered[options] = render_for(options, digest, context)
        mail, files = rendered[options]
        messages.append(
            freeze(
                mail,
                files,
                recipient=recipient,
                account=account,
                sender=context.settings.sender,
                day=digest.day,
                edition=edition,
                at=at,
            )
        )
    broken = next((mail.broken for mail, _ in rendered.values() if mail.broken), "")
    return MessageBatch(tuple(messages), broken)


def render_for(
    options: MailOptions, digest: Digest, context: Context
) -> tuple[RenderedMail, tuple[Attachment, ...]]:
    """Make the attachments, then render the digest, which names those that were made."""
    # In this order, because a file that is too large is left out.
    files = attachments(digest, options)
    made = replace(options, attachments=tuple(files))
    mail = context.renderer.digest(digest, made, context.settings.sender)
    return mail, tuple(files.values())
