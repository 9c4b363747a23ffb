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
        subject=language.gettext("The list could not be read so far – {account}", account=name),
        preheader=not_nothing,
        title=language.gettext("The list of parcels could not be read so far"),
        account=name,
        sentences=(
            language.gettext(
                "It is the list of {day}. The last try was at {time} ({zone}).",
                day=language.full_day(day),
                time=language.time_in(tried_at, schedule.zone),
                zone=schedule.timezone,
            ),
            not_nothing,
            language.gettext(
                "It is tried again until {time}. As soon as it can be read, you get the list.",
                time=language.time_in(schedule.ends(day), schedule.zone),
            ),
        ),
        footer=view_footer((), account, sender, language, group),
        look=view_branding(account.branding),
    )
