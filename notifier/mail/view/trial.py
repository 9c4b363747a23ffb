"""The test mail in words: that it arrived, and what the daily mail will be like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from notifier.domain.recipients import AttachmentKind, Recipient
from notifier.domain.settings import Account, Sender
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language
from notifier.mail.view.footer import Footer, view_footer
from notifier.mail.view.look import BrandingView, view_branding


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about the set-up, and what it is."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class TrialView:
    """What the templates of the test mail print."""

    language: str
    subject: str
    preheader: str
    title: str
    account: str
    sentences: tuple[str, ...]
    facts: tuple[Fact, ...]
    footer: Footer
    look: BrandingView


def view_trial(
    account: Account, sender: Sender, recipient: Recipient, language: Language
) -> TrialView:
    """Word the test mail to one recipient. It names nobody else."""
    name = clean(account.name)
    return TrialView(
        language=language.code,
        subject=language.gettext("Test mail – {account}", account=name),
        preheader=language.gettext("The set-up works: this mail has arrived."),
        title=language.gettext("The set-up works"),
        account=name,
        sentences=(
            language.gettext("This is a test, and it has arrived. It is not a digest."),
            _promise(account, recipient, language),
        ),
        facts=tuple(_facts(account, recipient, language)),
        footer=view_footer((), account, sender, language, recipient.group),
        look=view_branding(account.branding),
    )


def _promise(account: Account, recipient: Recipient, language: Language) -> str:
    """The admin may get a test mail, too, and need not be a recipient."""
    if recipient.mailbox.key in {r.mailbox.key for r in account.recipients}:
        return language.gettext("The digest of the parcels to collect will come to this address.")
    return language.gettext("The digest itself goes to other addresses than this one.")


def _facts(account: Account, recipient: Recipient, language: Language) -> Iterator[Fact]:
    schedule = account.schedule
    yield Fact(language.gettext("Sent to"), clean(recipient.mailbox.address))
    yield Fact(language.gettext("Daily at"), f"{schedule.send_at:%H:%M} ({schedule.timezone})")
    yield Fact(
        language.gettext("Recipients of the digest"), language.number(len(account.recipients))
    )
    if account.place:
        yield Fact(language.gettext("Place to collect"), clean(account.place.name))
    has_csv = AttachmentKind.CSV in account.attachments
    yield Fact(
        language.gettext("Attached CSV file"),
        language.gettext("yes") if has_csv else language.gettext("no"),
    )
