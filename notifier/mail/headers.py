"""Write the headers of a mail in ASCII.

The standard library's `email` does not write them, because it let a subject become a header of
its own (CVE-2024-6923). If long lines are allowed, its encoded words exceed 75 characters
(RFC 2047, 2); if they are not, it encodes List-Unsubscribe.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header as EncodedWords
from email.utils import format_datetime

from notifier.domain.links import unsubscribe_url
from notifier.domain.recipients import Mailbox, Recipient
from notifier.domain.settings import Account, Sender
from notifier.i18n.foreign_text import clean
from notifier.mail.render import RenderedMail
from notifier.mail.view.frame import product

# RFC 5322, 2.1.1
LONGEST_LINE = 78

# Without the dot, which is only obsolete syntax in a name without quotes (RFC 5322, 4.1).
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


@dataclass(frozen=True, slots=True)
class Header:
    """One header of a mail."""

    name: str
    value: str
    """As written, folded with CRLF."""
    meaning: str | Mailbox
    """As a receiver reads it."""


def headers_of(
    mail: RenderedMail,
    key: str,
    at: datetime,
    *,
    recipient: Recipient,
    account: Account | None,
    sender: Sender,
) -> tuple[Header, ...]:
    """Return the headers of a mail to one recipient, without the MIME headers.

    The Message-ID is a hash of `key`, which is unique to the message. Without an account there
    are no list headers.
    """
    domain = sender.mailbox.domain
    return (
        _address("From", sender.mailbox),
        _address("To", recipient.mailbox),
        *_reply_to(recipient, sender),
        _plain("Date", format_datetime(at.astimezone(account.schedule.zone if account else UTC))),
        # A copy that is sent again has the same ID, so that a receiver can recognise it.
        _plain("Message-ID", f"<{hash_of(key)}@{domain}>"),
        *_idempotency(key, sender),
        _text("Subject", mail.subject),
        _plain("Auto-Submitted", "auto-generated"),  # RFC 3834, 5
        # Not "All", which would suppress the bounces we want, too (MS-OXCMAIL, 2.1.3.2.20).
        _plain("X-Auto-Response-Suppress", "OOF, AutoReply, RN, NRN"),
        *_list(account, sender),
        _plain("Content-Language", mail.language),
        _plain("X-Mailer", product()),
    )


def hash_of(key: str) -> str:
    """Return a hash of a key; it does not reveal the recipient's address in the key."""
    # 128 bits: enough to be unique, and the Message-ID still fits on a line.
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def needs_smtputf8(recipient: Recipient, sender: Sender) -> bool:
    """Whether a header has an address that is not ASCII (RFC 6532)."""
    return recipient.mailbox.needs_smtputf8 or sender.mailbox.needs_smtputf8


def _reply_to(recipient: Recipient, sender: Sender) -> Iterator[Header]:
    # Reply-To is optional, so it alone must not make a server without SMTPUTF8 refuse the mail.
    if not sender.reply_to.needs_smtputf8 or needs_smtputf8(recipient, sender):
        yield _address("Reply-To", sender.reply_to)


def _idempotency(key: str, sender: Sender) -> Iterator[Header]:
    # A relay that supports such a header drops the copy of a mail whose delivery was unknown.
    if sender.idempotency_header:
        yield _plain(sender.idempotency_header, hash_of(key))


def _list(account: Account | None, sender: Sender) -> Iterator[Header]:
    if account:
        # RFC 2919
        yield _plain("List-Id", f"<{account.id}.ready-to-return.{sender.mailbox.domain}>")
        yield _plain("List-Unsubscribe", f"<{unsubscribe_url(sender, account.id)}>")  # RFC 2369


def _plain(name: str, value: str) -> Header:
    """Make a header of program text, which is ASCII."""
    return Header(name, value, value)


def _text(name: str, text: str) -> Header:
    safe = _harmless(text)
    return Header(name, _encoded(name, safe), safe)


def _address(name: str, mailbox: Mailbox) -> Header:
    shown = Mailbox(mailbox.address, _harmless(mailbox.name))
    if not shown.name:
        return Header(name, shown.address, shown)
    return Header(name, f"{_phrase(name, shown.name)} <{shown.address}>", shown)


def _harmless(text: str) -> str:
    """Return text that can neither end a header nor be read as an encoded word (RFC 2047)."""
    # A receiver would decode "=?utf-8?q?=0d=0aBcc:…?=" that a seller typed.
    return clean(text).replace("=?", "= ?")


def _phrase(name: str, text: str) -> str:
    """Quote or encode a display name (RFC 5322, 3.2.5)."""
    if not text.isascii():
        return _encoded(name, text)
    if _ATOMS.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded(name: str, text: str) -> str:
    # A first word that does not fit on the line of the name must be split: folded before it, the
    # header would be read with one more space.
    first, _, _ = text.partition(" ")
    fits = len(f"{name}: {first}") < LONGEST_LINE - 1
    charset = "us-ascii" if text.isascii() and fits else "utf-8"
    # A line with an encoded word has at most 76 characters (RFC 2047, 2).
    words = EncodedWords(text, charset, maxlinelen=LONGEST_LINE - 2, header_name=name)
    return words.encode(linesep="\r\n")
