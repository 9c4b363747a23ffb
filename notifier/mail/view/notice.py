"""The notice in words: that today's list could not be read so far, and what happens next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from notifier.domain.settings import Account, Sender
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language
from notifier.mail.view.footer import Footer, view_footer
from notifier.mail.view.look import BrandingView, view_branding


@dataclass(frozen=True, slots=True)
class NoticeView:
    """What the templates of the notice print."""

    language: str
    subject: str
    preheader: str
    title: str
    account: str
    sentences: tuple[str, ...]
    footer: Footer
    look: BrandingView


def view_notice(
    account: Account,
    sender: Sender,
    day: date,
    tried_at: datetime,
    *,
    language: Language,
    group: str | None,
) -> NoticeView:
    """Word the notice of a day; why it could not be read is for the admin."""
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
