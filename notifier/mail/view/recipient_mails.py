"""The mails to recipients beside the digest: the test mail, and the notice of an unread list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from notifier.domain.recipients import AttachmentKind, Recipient
from notifier.domain.settings import Account, Sender
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language
from notifier.mail.view.frame import Footer, MailView, view_branding, view_footer


@dataclass(frozen=True, slots=True)
class Fact:
    """One setting and its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class TestMailView(MailView):
    """The values that the templates of the test mail print."""

    facts: tuple[Fact, ...]
    footer: Footer


@dataclass(frozen=True, slots=True)
class NoticeView(MailView):
    """The values that the templates of the notice print."""

    footer: Footer


def view_test_mail(
    account: Account, sender: Sender, recipient: Recipient, language: Language
) -> TestMailView:
    """Word the test mail to one recipient."""
    # It counts the recipients but names none: they do not learn of each other.
    name = clean(account.name)
    return TestMailView(
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
        footer=view_footer(
            (), sender, language, recipient.group, account_id=account.id, account_name=account.name
        ),
        look=view_branding(account.branding),
    )


def _promise(account: Account, recipient: Recipient, language: Language) -> str:
    # The admin can send a test mail to an address that is not a recipient.
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


def view_notice(
    account: Account,
    sender: Sender,
    day: date,
    tried_at: datetime,
    *,
    language: Language,
    group: str | None,
) -> NoticeView:
    """Word the notice that the list of a day could not be read."""
    # Without the technical reason, which recipients can do nothing about; the alarm has it.
    name, schedule = clean(account.name), account.schedule
    not_nothing = language.gettext("That does not mean that nothing waits.")
    return NoticeView(
        language=language.code,
        subject=language.gettext("The list could not be read yet – {account}", account=name),
        preheader=not_nothing,
        title=language.gettext("The list of parcels could not be read yet"),
        account=name,
        sentences=(
            language.gettext(
                "This is the list of {day}. The last attempt was at {time} ({zone}).",
                day=language.full_day(day),
                time=language.time_in(tried_at, schedule.zone),
                zone=schedule.timezone,
            ),
            not_nothing,
            language.gettext(
                "It is retried until {time}. You get the list as soon as it can be read.",
                time=language.time_in(schedule.ends(day), schedule.zone),
            ),
        ),
        footer=view_footer(
            (), sender, language, group, account_id=account.id, account_name=account.name
        ),
        look=view_branding(account.branding),
    )
