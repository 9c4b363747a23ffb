"""Parts to a frozen message: the bytes one recipient gets, with Date and Message-ID for ever.

The finished bytes are parsed back and compared with what was meant, because the standard library
has let a subject become a header of its own before (CVE-2024-6923).
"""

from __future__ import annotations

import email
import email.policy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from notifier import __version__
from notifier.errors import MessageGuardError
from notifier.ledger import FrozenMessage
from notifier.parts import Account, Sender
from notifier.recipients import Mailbox, Recipient
from notifier.render import Parts
from notifier.text import clean

# One line a header, because `email` encodes a List-Unsubscribe it has to fold; ASCII bodies,
# because not every server on the way takes anything else (RFC 5322, 2.1.1; RFC 2045).
_POLICY = email.policy.SMTP.clone(max_line_length=998, cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail. `filename` is ASCII; `content_type` as in `text/csv`."""

    filename: str
    content_type: str
    content: bytes


def freeze(
    parts: Parts,
    attachments: Sequence[Attachment],
    *,
    recipient: Recipient,
    account: Account,
    sender: Sender,
    day: date,
    edition: int,
    at: datetime,
) -> FrozenMessage:
    """The digest of a day for one recipient. The same arguments give the same bytes.

    Raises MessageGuardError when the finished mail is not what was meant.
    """
    key = f"{account.id}/{day.isoformat()}/{edition}/{recipient.mailbox.key}"
    headers = _headers(parts, key, at, recipient=recipient, account=account, sender=sender)
    return _frozen(parts, attachments, headers, key, recipient=recipient, sender=sender)


def freeze_test(
    parts: Parts, *, recipient: Recipient, account: Account, sender: Sender, at: datetime
) -> FrozenMessage:
    """A test mail; another instant makes another message."""
    key = f"test/{at.isoformat()}/{recipient.mailbox.key}"
    headers = _headers(parts, key, at, recipient=recipient, account=account, sender=sender)
    return _frozen(parts, (), headers, key, recipient=recipient, sender=sender)


def _frozen(
    parts: Parts,
    attachments: Sequence[Attachment],
    headers: dict[str, str | Address],
    key: str,
    *,
    recipient: Recipient,
    sender: Sender,
) -> FrozenMessage:
    message = _compose(headers, parts, attachments, key)
    policy = _POLICY.clone(utf8=True) if recipient.mailbox.needs_smtputf8 else _POLICY
    content = message.as_bytes(policy=policy)
    _guard(content, headers, parts, attachments)
    return FrozenMessage(
        message_id=str(headers["Message-ID"]),
        recipient=recipient.mailbox.address,
        envelope_from=sender.envelope.address,
        language=parts.language,
        subject=str(headers["Subject"]),
        content=content,
    )


def _headers(
    parts: Parts,
    key: str,
    at: datetime,
    *,
    recipient: Recipient,
    account: Account,
    sender: Sender,
) -> dict[str, str | Address]:
    domain = sender.mailbox.address.rpartition("@")[2]
    # A hash, so that the id tells nobody who else gets the mail.
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return {
        "From": _address(sender.mailbox),
        "To": _address(recipient.mailbox),
        "Reply-To": _address(sender.reply_to),
        "Date": format_datetime(at),
        "Message-ID": f"<{digest}@{domain}>",
        "Subject": _header(parts.subject),
        "Auto-Submitted": "auto-generated",  # RFC 3834, 5
        # Not "All", which would suppress the bounces we want (MS-OXCMAIL, 2.1.3.2.20).
        "X-Auto-Response-Suppress": "OOF, AutoReply, RN, NRN",
        "List-Id": f"<{account.id}.ready-to-return.{domain}>",
        "List-Unsubscribe": f"<mailto:{sender.admin.address}?subject=unsubscribe%20{account.id}>",
        "Content-Language": parts.language,
        "X-Mailer": f"Ready-to-return notifier {__version__}",
    }


def _compose(
    headers: dict[str, str | Address],
    parts: Parts,
    attachments: Sequence[Attachment],
    key: str,
) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    message.set_content(parts.text, cte="quoted-printable")
    message.add_alternative(parts.html, subtype="html", cte="quoted-printable")
    for attachment in attachments:
        kind, _, subtype = attachment.content_type.partition("/")
        message.add_attachment(
            attachment.content, maintype=kind, subtype=subtype, filename=attachment.filename
        )
    _set_boundaries(message, key)
    # Last, because `email` moves what begins with "Content-" into the first part.
    for name, value in headers.items():
        message[name] = value
    return message


def _set_boundaries(message: EmailMessage, key: str) -> None:
    """Boundaries by number: `email` would draw them, and the same mail would not be the same."""
    number = 0
    for part in message.walk():
        if part.is_multipart():
            digest = hashlib.sha256(f"{key}/{number}".encode()).hexdigest()[:32]
            part.set_boundary(f"=_{digest}")
            number += 1


def _address(mailbox: Mailbox) -> Address:
    return Address(display_name=_header(mailbox.name), addr_spec=mailbox.address)


def _header(text: str) -> str:
    """Text that cannot end a header, nor be taken for an encoded word (RFC 2047)."""
    return clean(text).replace("=?", "= ?")


def _guard(
    content: bytes,
    headers: dict[str, str | Address],
    parts: Parts,
    attachments: Sequence[Attachment],
) -> None:
    """Read the mail as its receivers will, and refuse it unless it is what was meant."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    expected = [name.lower() for name in headers] + ["mime-version", "content-type"]
    found = [name.lower() for name in mail]
    if sorted(found) != sorted(expected):
        raise MessageGuardError(f"the finished mail has other headers than meant: {sorted(found)}")
    for name, value in headers.items():
        if str(mail[name]) != str(value):
            raise MessageGuardError(f"the finished mail says something else in {name} than meant")
    bodies = [mail.get_body((kind,)) for kind in ("plain", "html")]
    texts = [body.get_content().replace("\r\n", "\n") if body else "" for body in bodies]
    if texts != [parts.text, parts.html if parts.html.endswith("\n") else f"{parts.html}\n"]:
        raise MessageGuardError("the bodies of the finished mail are not what was meant")
    names = [part.get_filename() for part in mail.iter_attachments()] if attachments else []
    if names != [attachment.filename for attachment in attachments]:
        raise MessageGuardError("the finished mail has other attachments than meant")
    if max(map(len, content.splitlines())) > 998:
        raise MessageGuardError("the finished mail has a line that is too long (RFC 5322, 2.1.1)")
