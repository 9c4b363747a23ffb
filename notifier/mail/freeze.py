"""Freeze a rendered mail: the final bytes for one recipient, with Date and Message-ID."""

from __future__ import annotations

import email.policy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage

from notifier.domain.branding import Branding
from notifier.domain.ledger import FrozenMessage
from notifier.domain.recipients import Recipient
from notifier.domain.settings import Account, Sender
from notifier.mail.headers import hash_of, headers_of, needs_smtputf8
from notifier.mail.render import RenderedMail
from notifier.mail.verify import verify
from notifier.mail.view.frame import LOGO_ID

# CRLF and ASCII bodies only: a server may lack 8BITMIME (RFC 6152).
_POLICY = email.policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail; text is in UTF-8."""

    filename: str
    """ASCII."""
    content_type: str
    """As in `text/csv`."""
    content: bytes


def freeze(
    mail: RenderedMail,
    attachments: Sequence[Attachment],
    *,
    recipient: Recipient,
    account: Account,
    sender: Sender,
    day: date,
    edition: int,
    at: datetime,
) -> FrozenMessage:
    """Freeze the digest of a day for one recipient; the same arguments give the same bytes.

    Like all functions here, raises VerificationError if the finished mail is not as intended.
    """
    # Without the time: a run repeated before its mails are stored makes the same Message-ID.
    key = f"{account.id}/{day.isoformat()}/{edition}/{recipient.mailbox.key}"
    return _freeze(mail, key, recipient, sender, at, account=account, attachments=attachments)


def freeze_test(
    mail: RenderedMail, *, recipient: Recipient, account: Account, sender: Sender, at: datetime
) -> FrozenMessage:
    """Freeze a test mail; each instant makes another message."""
    key = f"test/{account.id}/{at.isoformat()}/{recipient.mailbox.key}"
    return _freeze(mail, key, recipient, sender, at, account=account)


def freeze_notice(
    mail: RenderedMail,
    *,
    recipient: Recipient,
    account: Account,
    sender: Sender,
    day: date,
    at: datetime,
) -> FrozenMessage:
    """Freeze the notice that a day's list could not be read: one message per recipient and day."""
    key = f"notice/{account.id}/{day.isoformat()}/{recipient.mailbox.key}"
    return _freeze(mail, key, recipient, sender, at, account=account)


def freeze_alarms(mail: RenderedMail, key: str, *, sender: Sender, at: datetime) -> FrozenMessage:
    """Freeze an alarm mail to the admin; `key` names its alarms."""
    admin = Recipient(sender.admin, mail.language)
    return _freeze(mail, f"alarms/{key}/{at.isoformat()}", admin, sender, at)


def freeze_review(
    mail: RenderedMail, *, month: date, sender: Sender, at: datetime
) -> FrozenMessage:
    """Freeze the review of the recipients to the admin: one message a month."""
    admin = Recipient(sender.admin, mail.language)
    return _freeze(mail, f"review/{month:%Y-%m}/{sender.admin.key}", admin, sender, at)


def _freeze(
    mail: RenderedMail,
    key: str,
    recipient: Recipient,
    sender: Sender,
    at: datetime,
    *,
    account: Account | None = None,
    attachments: Sequence[Attachment] = (),
) -> FrozenMessage:
    headers = headers_of(mail, key, at, recipient=recipient, account=account, sender=sender)
    lines = "".join(f"{header.name}: {header.value}\r\n" for header in headers)
    charset = "utf-8" if needs_smtputf8(recipient, sender) else "ascii"
    pictures = _pictures(mail, account.branding if account else Branding())
    # `email` writes no header of ours: headers.py has the reasons.
    content = lines.encode(charset) + _body(mail, pictures, attachments, key)
    files = (*pictures, *attachments)
    # Before the mail is stored: its bytes never change afterwards.
    verify(
        content,
        headers,
        bodies=[("text/plain", _ended(mail.text)), ("text/html", _ended(mail.html))],
        files=[(file.filename, file.content_type, file.content) for file in files],
    )
    # The subject as it is in the header: without control characters and line ends.
    written = {header.name: header.meaning for header in headers}
    return FrozenMessage(
        message_id=str(written["Message-ID"]),
        recipient=recipient.mailbox.address,
        envelope_from=sender.envelope.address,
        language=mail.language,
        subject=str(written["Subject"]),
        content=content,
    )


def _pictures(mail: RenderedMail, branding: Branding) -> tuple[Attachment, ...]:
    """Return the logo if the HTML shows it: an operator's own templates may leave it out."""
    logo = branding.logo
    if logo is None or LOGO_ID not in mail.html:
        return ()
    return (Attachment(f"logo.{logo.subtype}", f"image/{logo.subtype}", logo.content),)


def _body(
    mail: RenderedMail, pictures: Sequence[Attachment], attachments: Sequence[Attachment], key: str
) -> bytes:
    """Write everything from the MIME headers on: text before HTML, then the files."""
    message = EmailMessage(policy=_POLICY)
    # Mail programs show the last alternative that they understand (RFC 2046, 5.1.4). Without `cte`,
    # `email` chooses base64 for texts with many letters beyond ASCII, which spam filters distrust.
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    html = [*message.iter_parts()][-1]
    for picture in pictures:
        # Related to the HTML alone (RFC 2387), so that no mail program lists it as a file.
        html.add_related(
            picture.content,
            maintype="image",
            subtype=picture.content_type.partition("/")[2],
            cid=f"<{LOGO_ID}>",
            filename=picture.filename,
            disposition="inline",
        )
    for file in attachments:
        kind, _, subtype = file.content_type.partition("/")
        message.add_attachment(
            file.content,
            maintype=kind,
            subtype=subtype,
            # Spam filters distrust text in base64, because spammers hide words in it.
            cte="quoted-printable" if kind == "text" else "base64",
            filename=file.filename,
            # Text without a charset is read as ASCII (RFC 2046, 4.1.2).
            params={"charset": "utf-8"} if kind == "text" else None,
        )
    _set_boundaries(message, key)
    return message.as_bytes()


def _set_boundaries(message: EmailMessage, key: str) -> None:
    # Random boundaries, as `email` makes them, would make each copy of a mail different. These
    # cannot occur in a body: no encoding has an underscore after an equals sign.
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{hash_of(f'{key}/{number}')}")


def _ended(text: str) -> bytes:
    """Encode a text as `email` does: the last line has an end, too."""
    return (text if text.endswith("\n") else f"{text}\n").encode()
