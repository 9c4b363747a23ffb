"""The small print: how old the mail is, how complete, why you get it, and how to change that."""

from __future__ import annotations

from dataclasses import dataclass

from notifier import __version__
from notifier.domain.digest import Digest
from notifier.domain.links import Link, admin_link, unsubscribe_url
from notifier.domain.settings import Sender
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language

PRODUCT = "Ready-to-return notifier"


@dataclass(frozen=True, slots=True)
class Footer:
    """Sentences, then how to write to the admin, then the program."""

    sentences: tuple[str, ...]
    change: str
    """Leads up to the admin's address."""
    admin: Link
    unsubscribe: Link
    product: str


def view_footer(
    sentences: tuple[str, ...],
    sender: Sender,
    language: Language,
    group: str | None,
    *,
    account_id: str,
    account_name: str,
) -> Footer:
    """Word the footer of any mail; `sentences` are those that only this kind of mail has."""
    return Footer(
        sentences=(
            *sentences,
            language.gettext("Account: {account}", account=clean(account_name)),
            reason(language, group),
        ),
        change=language.gettext("To change who gets it, or to unsubscribe, write to:"),
        admin=admin_link(sender),
        unsubscribe=Link(language.gettext("Unsubscribe"), unsubscribe_url(sender, account_id)),
        product=f"{PRODUCT} {__version__}",
    )


def reason(language: Language, group: str | None) -> str:
    """Why the reader gets it; nobody else is named."""
    if group is None:
        return language.gettext(
            "You get this mail because your address is named in the configuration."
        )
    return language.gettext(
        "You get this mail because you are in the contact group “{group}”.", group=clean(group)
    )


def as_of(digest: Digest, language: Language) -> str:
    """When the list was read, and how much of it."""
    return language.ngettext(
        "As of {day}, {time} ({zone}); {count} order checked.",
        "As of {day}, {time} ({zone}); {count} orders checked.",
        digest.read,
        day=language.full_day(digest.read_at.astimezone(digest.zone).date()),
        time=language.time_in(digest.read_at, digest.zone),
        zone=digest.timezone,
    )
