"""What a mail should show, and where it may lead: what a lint cannot see in the mail itself."""

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
    """What is known of a mail before it is read.

    A host allows those below it, too, as www.example.com below example.com.
    """

    hosts: frozenset[str] = frozenset()
    orders: tuple[str, ...] = ()
    """How the orders are called that there may be room for, by their right to be shown."""
    numbers: tuple[str, ...] = ()
    """The headline numbers as they are worded."""
    foreign: str = ""
    """All that others have written into it, on one line: no mistake of a template."""


def expected_of(digest: Digest, account: Account, sender: Sender, language: str) -> Expected:
    """What the digest of a day should show its readers of one language."""
    words = load_language(language)
    entries = (*digest.present, *digest.collected)[:MOST_ROWS]
    figures = (*headline_figures(digest, words), *money_figures(digest, words))
    return Expected(
        hosts=expected_hosts(account, sender) | frozenset(_carriers(digest)),
        orders=tuple(foreign(entry.order.called) for entry in entries),
        numbers=tuple(figure.value for figure in figures),
        foreign=" ".join(_foreign_words(digest, account)),
    )


def expected_hosts(account: Account | None, sender: Sender) -> frozenset[str]:
    """Where a mail may lead that shows no order: to the portal, and to whom it is from."""
    portal = host(account.order_url or "") if account else ""
    return frozenset(filter(None, (portal, sender.mailbox.domain.lower())))


def _foreign_words(digest: Digest, account: Account) -> Iterator[str]:
    place = account.place
    yield from (digest.account_name, place.name if place else "", place.address if place else "")
    yield from (place.opening_hours if place else "", digest.gap.why if digest.gap else "")
    yield place.pickup_password.value if place and place.pickup_password else ""
    for entry in (*digest.present, *digest.collected)[:MOST_ROWS]:
        order = entry.order
        yield from (order.called, order.external_id or "", *order.tracking_numbers)
        for item in order.items:
            yield from (foreign(item.title), foreign(item.sku or ""))


def _carriers(digest: Digest) -> Iterator[str]:
    for entry in (*digest.present, *digest.collected):
        if url := carrier_url(entry.order.tracking_url):
            yield host(url)


def host(url: str) -> str:
    """Of an address, in lower case; empty where there is none to be read."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:  # brackets that enclose no address of IPv6
        return ""
