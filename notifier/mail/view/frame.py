"""The frame of every mail: its head fields, colours, logo and footer."""

from __future__ import annotations

from dataclasses import dataclass

from notifier import __version__
from notifier.domain.branding import HEADER_COLOR, Branding, contrast_of
from notifier.domain.digest import Digest
from notifier.domain.links import Link, admin_link, unsubscribe_url
from notifier.domain.settings import Sender
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language

PRODUCT = "Ready-to-return notifier"
# `.invalid` never exists (RFC 2606), so the ID depends on no sender.
LOGO_ID = "logo@ready-to-return.invalid"
"""The Content-ID by which the HTML refers to the logo (RFC 2392)."""

_DEFAULT_TITLE, _DEFAULT_SMALL = "#ffffff", "#d3e6ec"


@dataclass(frozen=True, slots=True)
class BrandingView:
    """The colours of the layout, as #rrggbb, and the address of the logo."""

    header: str
    title: str
    """The colour of the title on the header band."""
    small: str
    """The colour of the small lines on the header band."""
    link: str
    logo: str
    """Empty without a logo."""


@dataclass(frozen=True, slots=True)
class MailView:
    """The values that the templates of every mail without a list of orders print."""

    language: str
    subject: str
    preheader: str
    title: str
    account: str
    """The name above the title; the program's if the mail is about no single account."""
    # Operators print `mail.look` in their own templates, so the name must stay.
    look: BrandingView
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Footer:
    """Sentences, then how to write to the admin, then the program."""

    sentences: tuple[str, ...]
    change: str
    """The words before the admin's address."""
    admin: Link
    unsubscribe: Link
    product: str


def view_branding(branding: Branding) -> BrandingView:
    """Choose the text colours that match an account's colours."""
    # On any band but the default one: either white or black always has a contrast of at least 4.5,
    # as WCAG 2.2, 1.4.3, requires.
    title, small = _DEFAULT_TITLE, _DEFAULT_SMALL
    if branding.header != HEADER_COLOR:
        title = small = max(
            "#ffffff", "#000000", key=lambda text: contrast_of(text, branding.header)
        )
    logo = f"cid:{LOGO_ID}" if branding.logo else ""
    return BrandingView(branding.header, title, small, branding.link, logo)


def view_footer(
    sentences: tuple[str, ...],
    sender: Sender,
    language: Language,
    group: str | None,
    *,
    account_id: str,
    account_name: str,
) -> Footer:
    """Word the footer of a mail to a recipient, beginning with the sentences of its own."""
    return Footer(
        sentences=(
            *sentences,
            language.gettext("Account: {account}", account=clean(account_name)),
            _reason(language, group),
        ),
        change=language.gettext("To change who gets it, or to unsubscribe, write to:"),
        admin=admin_link(sender),
        unsubscribe=Link(language.gettext("Unsubscribe"), unsubscribe_url(sender, account_id)),
        product=product(),
    )


def _reason(language: Language, group: str | None) -> str:
    """Word the reason why the reader gets the mail."""
    # Without other names: recipients do not learn of each other.
    if group is None:
        return language.gettext(
            "You get this mail because your address is named in the configuration."
        )
    return language.gettext(
        "You get this mail because you are in the contact group “{group}”.", group=clean(group)
    )


def product() -> str:
    """Return the program's name and version."""
    return f"{PRODUCT} {__version__}"


def as_of(digest: Digest, language: Language) -> str:
    """Word the time of the reading and the number of orders checked."""
    # An old list must not look like today's.
    return language.ngettext(
        "As of {day}, {time} ({zone}); {count} order checked.",
        "As of {day}, {time} ({zone}); {count} orders checked.",
        digest.read,
        day=language.full_day(digest.read_at.astimezone(digest.zone).date()),
        time=language.time_in(digest.read_at, digest.zone),
        zone=digest.timezone,
    )
