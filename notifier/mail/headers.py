"""The head of a mail: what each header means, and how it is written in ASCII.

Headers are written here and not by the standard library's `email`, which has let a subject become
a header of its own (CVE-2024-6923), makes encoded words longer than the 75 characters they may
have (RFC 2047, 2) once lines may be long, and encodes a List-Unsubscribe when they may not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header as EncodedWords
from email.utils import format_datetime

from notifier import __version__
from notifier.domain.links import unsubscribe_url
from notifier.domain.recipients import Mailbox, Recipient
from notifier.domain.settings import Account, Sender
from notifier.i18n.foreign_text import clean
from notifier.mail.render import RenderedMail
from notifier.mail.view.footer import PRODUCT

LONGEST_LINE = 78

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


@dataclass(frozen=True, slots=True)
class Header:
    """One header. `value` is what is written, folded with CRLF; `meaning` what it says."""

    name: str
    value: str
    meaning: str | Mailbox


def headers_of(
    parts: RenderedMail,
    key: str,
    at: datetime,
    *,
    recipient: Recipient,
    account: Account | None,
    sender: Sender,
) -> tuple[Header, ...]:
    """The head of one mail to one recipient, MIME headers excepted.

    `key` is unique to the mail; the Message-ID is made of it, and tells nobody who gets the mail.
    A mail of no account is of no list that anybody could leave.
    """
    domain = sender.mailbox.domain
    return (
        _address("From", sender.mailbox),
        _address("To", recipient.mailbox),
        *_reply_to(recipient, sender),
        _plain("Date", format_datetime(at.astimezone(account.schedule.zone if account else UTC))),
        _plain("Message-ID", f"<{digest_of(key)}@{domain}>"),
        *_idempotency(key, sender),
        _text("Subject", parts.subject),
        _plain("Auto-Submitted", "auto-generated"),  # RFC 3834, 5
        # Not "All", which would suppress the bounces we want, too (MS-OXCMAIL, 2.1.3.2.20).
        _plain("X-Auto-Response-Suppress", "OOF, AutoReply, RN, NRN"),
        *_list(account, sender),
        _plain("Content-Language", parts.language),
        _plain("X-Mailer", f"{PRODUCT} {__version__}"),
    )


def digest_of(key: str) -> str:
    """A name for something unique that does not give it away."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def needs_smtputf8(recipient: Recipient, sender: Sender) -> bool:
    """Whether a header must hold an address that ASCII cannot write (RFC 6532)."""
    return recipient.mailbox.needs_smtputf8 or sender.mailbox.needs_smtputf8


def _reply_to(recipient: Recipient, sender: Sender) -> Iterator[Header]:
    """Left out where its address alone would ask the server for SMTPUTF8."""
    if not sender.reply_to.needs_smtputf8 or needs_smtputf8(recipient, sender):
        yield _address("Reply-To", sender.reply_to)


def _idempotency(key: str, sender: Sender) -> Iterator[Header]:
    """The same in every copy of a message, and in no other message."""
    if sender.idempotency_header:
        yield _plain(sender.idempotency_header, digest_of(key))


def _list(account: Account | None, sender: Sender) -> Iterator[Header]:
    if account:
        yield _plain(
            "List-Id", f"<{account.id}.ready-to-return.{sender.mailbox.domain}>"
        )  # RFC 2919
        yield _plain("List-Unsubscribe", f"<{unsubscribe_url(sender, account.id)}>")  # RFC 2369


def _plain(name: str, value: str) -> Header:
    """A header of our own ASCII words."""
    return Header(name, value, value)


def _text(name: str, text: str) -> Header:
    safe = harmless(text)
    return Header(name, _encoded(name, safe), safe)


def _address(name: str, mailbox: Mailbox) -> Header:
    shown = Mailbox(mailbox.address, harmless(mailbox.name))
    if not shown.name:
        return Header(name, shown.address, shown)
    return Header(name, f"{_phrase(name, shown.name)} <{shown.address}>", shown)


def harmless(text: str) -> str:
    """Text that can neither end a header nor be taken for an encoded word (RFC 2047)."""
    return clean(text).replace("=?", "= ?")


def _phrase(name: str, text: str) -> str:
    """A display name (RFC 5322, 3.2.5)."""
    if not text.isascii():
        return _encoded(name, text)
    if _ATOMS.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded(name: str, text: str) -> str:
    charset = "us-ascii" if text.isascii() else "utf-8"
    words = EncodedWords(text, charset, maxlinelen=LONGEST_LINE - 2, header_name=name)
    return words.encode(linesep="\r\n")
