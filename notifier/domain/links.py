"""The only URLs in a mail: the seller's portal, the carrier, and the admin's mailbox."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from notifier.domain.recipients import Mailbox
from notifier.domain.settings import Sender

# Many URLs of this length would fill the mail, which Gmail clips at about 102 KB.
MAX_URL_LENGTH = 500

# No character that HTML, a text part or a mail program could take for the end of the URL.
_WEB_ADDRESS = re.compile(
    r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#][A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]*)?"
)


@dataclass(frozen=True, slots=True)
class Link:
    """A text with a URL, or without one."""

    text: str
    url: str | None = None


def portal_url(order_url: str | None, number: str) -> str | None:
    """Return the page of an order in the seller's portal; `order_url` has `{id}` for its number.

    None if the account has no such page, or its URL would be too long.
    """
    # Quoted whole: a number from a file may contain a slash or "?", which must not change the page.
    url = (order_url or "").replace("{id}", quote(number, safe=""))
    return url if 0 < len(url) <= MAX_URL_LENGTH else None


def carrier_url(url: str | None) -> str | None:
    """Return the marketplace's tracking URL if it is safe to print, else None."""
    # Left out, not repaired: a link that we changed might lead to another parcel.
    usable = url and len(url) <= MAX_URL_LENGTH and _WEB_ADDRESS.fullmatch(url)
    return url if usable else None


def admin_link(sender: Sender) -> Link:
    return Link(sender.admin.address, _mailto(sender.admin))


def unsubscribe_url(sender: Sender, account_id: str) -> str:
    """Return the URL (RFC 6068, ASCII) of a mail that asks the admin to unsubscribe."""
    return f"{_mailto(sender.admin)}?subject={quote(f'Unsubscribe: {account_id}', safe='')}"


def _mailto(mailbox: Mailbox) -> str:
    return f"mailto:{quote(mailbox.address, safe='@')}"
