"""The monthly mail to the admin in words: who gets which digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from notifier import __version__
from notifier.domain.branding import Branding
from notifier.domain.recipients import Recipient
from notifier.domain.settings import Account
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language
from notifier.mail.view.footer import PRODUCT
from notifier.mail.view.look import BrandingView, view_branding


@dataclass(frozen=True, slots=True)
class Reader:
    """One mailbox that gets a digest, and why."""

    address: str
    why: str


@dataclass(frozen=True, slots=True)
class AccountReaders:
    """Who gets the digest of one account."""

    name: str
    readers: tuple[Reader, ...]


@dataclass(frozen=True, slots=True)
class ReviewView:
    """What the templates of the review print."""

    language: str
    subject: str
    preheader: str
    title: str
    account: str
    """What stands above the title: the program, as it is about all accounts."""
    question: str
    accounts: tuple[AccountReaders, ...]
    sentences: tuple[str, ...]
    product: str
    look: BrandingView


def view_review(accounts: Sequence[Account], language: Language) -> ReviewView:
    """Word who gets the digests of these accounts."""
    title = language.gettext("Recipients to review")
    question = language.gettext(
        "These people get the digests. Please check once a month that everybody still should."
    )
    return ReviewView(
        language=language.code,
        subject=f"{title} – {PRODUCT}",
        preheader=question,
        title=title,
        account=PRODUCT,
        question=question,
        accounts=tuple(_account(account, language) for account in accounts),
        sentences=(
            language.gettext(
                "To change the recipients, edit the configuration and run the command: "
                "notifier check"
            ),
            language.gettext("You get this mail because you look after this program."),
        ),
        product=f"{PRODUCT} {__version__}",
        look=view_branding(Branding()),
    )


def _account(account: Account, language: Language) -> AccountReaders:
    readers = (Reader(clean(str(r.mailbox)), _why(r, language)) for r in account.recipients)
    return AccountReaders(clean(account.name), tuple(readers))


def _why(recipient: Recipient, language: Language) -> str:
    if not recipient.path:
        return language.gettext("Named in the configuration")
    path = " → ".join(map(clean, recipient.path))
    return language.gettext("Contact group: {group}", group=path)
