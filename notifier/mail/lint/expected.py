"""What belongs in a mail: the orders, numbers and hosts of its digest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from notifier.domain.digest import Digest
from notifier.domain.links import carrier_url
from notifier.domain.settings import Account, Sender
from notifier.i18n.foreign_text import foreign
from notifier.i18n.language import load_language
from notifier.mail.view.figures import headline_figures, money_figures
from notifier.mail.view.listing import MOST_ROWS


@dataclass(frozen=True, slots=True)
class Expected:
    """What a mail is compared with."""

    hosts: frozenset[str] = frozenset()
    """Hosts that links may lead to; each includes its subdomains."""
    orders: tuple[str, ...] = ()
    """The orders' names in the mail, the most important first; the last may lack room."""
    numbers: tuple[str, ...] = ()
    """The headline numbers as the mail words them."""
    foreign: str = ""
    """All text in the mail that other people wrote: braces in it are no template code."""


def expected_of(digest: Digest, account: Account, sender: Sender, language: str) -> Expected:
    """Return what the mail of a digest should contain in one language."""
    words = load_language(language)
    entries = (*digest.present, *digest.collected)[:MOST_ROWS]
    figures = (*headline_figures(digest, words), *money_figures(digest, words))
    return Expected(
        hosts=expected_hosts(account, sender) | frozenset(_carriers(digest)),
        orders=tuple(foreign(entry.order.display_number) for entry in entries),
        numbers=tuple(figure.value for figure in figures),
        foreign=" ".join(_foreign_words(digest, account)),
    )


def expected_hosts(account: Account | None, sender: Sender) -> frozenset[str]:
    """Return the hosts that any mail may link to: the portal's and the sender's domain."""
    portal = host(account.order_url or "") if account else ""
    return frozenset(filter(None, (portal, sender.mailbox.domain.lower())))


def _foreign_words(digest: Digest, account: Account) -> Iterator[str]:
    place = account.place
    yield from (digest.account_name, place.name if place else "", place.address if place else "")
    yield from (place.opening_hours if place else "", digest.gap.why if digest.gap else "")
    yield place.pickup_password.value if place and place.pickup_password else ""
    for entry in (*digest.present, *digest.collected)[:MOST_ROWS]:
        order = entry.order
        yield from (order.display_number, order.external_id or "", *order.tracking_numbers)
        for item in order.items:
            yield from (foreign(item.title), foreign(item.sku or ""))


def _carriers(digest: Digest) -> Iterator[str]:
    for entry in (*digest.present, *digest.collected):
        if url := carrier_url(entry.order.tracking_url):
            yield host(url)


def host(url: str) -> str:
    """Return the host of a URL in lower case, or an empty text if it has none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:  # brackets around something that is no IPv6 address
        return ""
