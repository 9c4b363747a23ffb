"""The only addresses a mail leads to: the seller's portal, the carrier, and the admin's mailbox."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from notifier.domain.recipients import Mailbox
from notifier.domain.settings import Sender

LONGEST_URL = 500

# Nothing that HTML, a text part or a mail program could read as the end of the address.
_WEB_ADDRESS = re.compile(
    r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#][A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]*)?"
)


@dataclass(frozen=True, slots=True)
class Link:
    """Text, and the address it leads to; None when it leads nowhere."""

    text: str
    url: str | None = None


def portal_url(order_url: str | None, number: str) -> str | None:
    """Return the page of an order in the seller's portal; `order_url` has `{id}` for its number.

    None where the account has no such page, or its address would be too long.
    """
    url = (order_url or "").replace("{id}", quote(number, safe=""))
    return url if 0 < len(url) <= LONGEST_URL else None


def carrier_url(url: str | None) -> str | None:
    """The carrier's page of a parcel, if the marketplace told one that can be trusted as text."""
    usable = url and len(url) <= LONGEST_URL and _WEB_ADDRESS.fullmatch(url)
    return url if usable else None


def admin_link(sender: Sender) -> Link:
    """The admin's mailbox."""
    return Link(sender.admin.address, _mailto(sender.admin))


def unsubscribe_url(sender: Sender, account_id: str) -> str:
    """A mail to the admin that asks to be taken off (RFC 6068); ASCII."""
    return f"{_mailto(sender.admin)}?subject={quote(f'Unsubscribe: {account_id}', safe='')}"


def _mailto(mailbox: Mailbox) -> str:
    return f"mailto:{quote(mailbox.address, safe='@')}"
