"""Make today's digest without recording or sending it: a run up to the frozen bytes."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import date

from notifier.domain.digest import Digest
from notifier.domain.ledger import AUTOMATIC_EDITION, FrozenMessage
from notifier.domain.reading import Failed
from notifier.domain.recipients import Recipient
from notifier.domain.settings import Account
from notifier.mail.freeze import Attachment, freeze
from notifier.mail.lint import LintFinding, expected_of, lint
from notifier.mail.render import RenderedMail
from notifier.mail.view.frame import LOGO_ID
from notifier.services.context import Context
from notifier.services.due import RunRequest, find_due_run
from notifier.services.make_messages import render_for
from notifier.services.run import read_digest


@dataclass(frozen=True, slots=True)
class Preview:
    """Today's digest as one recipient would get it."""

    digest: Digest
    reader: Recipient
    mail: RenderedMail
    page: str
    """The HTML part, ready for a browser."""
    message: FrozenMessage
    files: tuple[Attachment, ...]
    findings: tuple[LintFinding, ...]
    """Problems that the lint found in the mail."""


async def preview(account: Account, context: Context, day: date, language: str | None) -> Preview:
    """Compose today's digest for the first recipient who reads `language`.

    If no recipient reads it, compose it in that language for the first one. Raises the
    NotifierError of a reading that failed.
    """
    due = await find_due_run(account, context.store, RunRequest(day=day), context.clock())
    digest = await read_digest(account, context.source(account), context.store, day)
    if isinstance(digest, Failed):
        raise digest.error
    reader = _reader(account, language)
    options = account.mail_options(reader)
    mail, files = render_for(options, digest, context)
    message = freeze(
        mail,
        files,
        recipient=reader,
        account=account,
        sender=context.settings.sender,
        day=digest.day,
        edition=due.edition or AUTOMATIC_EDITION,
        at=context.clock(),
    )
    expected = expected_of(digest, options, context.settings.sender)
    findings = lint(mail, expected)
    return Preview(digest, reader, mail, _page(mail, account), message, files, findings)


def _page(mail: RenderedMail, account: Account) -> str:
    """Return the HTML part for a browser, with the logo embedded."""
    logo = account.branding.logo
    if logo is None:
        return mail.html
    # A browser cannot follow `cid:`, which names another part of the mail (RFC 2392).
    data = f"data:image/{logo.subtype};base64,{b64encode(logo.content).decode()}"
    return mail.html.replace(f"cid:{LOGO_ID}", data)


def _reader(account: Account, language: str | None) -> Recipient:
    first = account.recipients[0]
    chosen = language or first.language
    readers = (one for one in account.recipients if one.language == chosen)
    return next(readers, replace(first, language=chosen, group=None))
