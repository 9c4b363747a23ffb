"""The orders, numbers and hosts that belong in the mail of a digest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from notifier.domain.digest import Digest
from notifier.domain.links import carrier_url
from notifier.domain.settings import MailOptions, Sender
from notifier.i18n.foreign_text import foreign
from notifier.i18n.language import load_language
from notifier.mail.view.figures import headline_figures, money_figures
from notifier.mail.view.listing import MOST_ROWS


@dataclass(frozen=True, slots=True)
class Expected:
    """The content that a lint compares a mail with."""

    hosts: frozenset[str] = frozenset()
    """Hosts that links may lead to; each includes its subdomains."""
    orders: tuple[str, ...] = ()
    """Numbers of the orders, the most important first; the last ones may not fit."""
    numbers: tuple[str, ...] = ()
    """The headline numbers in words."""
    foreign: str = ""
    """All text of other people in the mail: braces in it are not template code."""


def expected_of(digest: Digest, options: MailOptions, sender: Sender) -> Expected:
    """Return what the mail of a digest should contain for readers with these options."""
    language = load_language(options.language)
    # As the view words them: cleaned and limited, or the lint would miss an order that is there.
    entries = (*digest.present, *digest.collected)[:MOST_ROWS]
    figures = (*headline_figures(digest, language), *money_figures(digest, language))
    return Expected(
        hosts=expected_hosts(options.order_url, sender) | frozenset(_carriers(digest)),
        orders=tuple(foreign(entry.order.display_number) for entry in entries),
        numbers=tuple(figure.value for figure in figures),
        foreign=" ".join(_foreign_texts(digest, options)),
    )


def expected_hosts(order_url: str | None, sender: Sender) -> frozenset[str]:
    """Return the hosts that any mail may link to: the portal's and the sender's domain."""
    portal = host(order_url or "")
    return frozenset(filter(None, (portal, sender.mailbox.domain.lower())))


def _foreign_texts(digest: Digest, options: MailOptions) -> Iterator[str]:
    place = options.place
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
