"""Parts to a frozen message: the bytes one recipient gets, with Date and Message-ID for ever."""

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
from notifier.mail.headers import Header, digest_of, headers_of, needs_smtputf8
from notifier.mail.render import RenderedMail
from notifier.mail.verify import check
from notifier.mail.view.look import LOGO_ID

# CRLF, and nothing but ASCII in bodies: not every server on the way takes anything else.
_POLICY = email.policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail. `filename` is ASCII; `content_type` as in `text/csv`.

    What is text is in UTF-8.
    """

    filename: str
    content_type: str
    content: bytes


def freeze(
    parts: RenderedMail,
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
    headers = headers_of(parts, key, at, recipient=recipient, account=account, sender=sender)
    return _frozen(
        parts, attachments, headers, key, recipient=recipient, sender=sender, look=account.branding
    )


def freeze_test(
    parts: RenderedMail, *, recipient: Recipient, account: Account, sender: Sender, at: datetime
) -> FrozenMessage:
    """A test mail; another instant makes another message."""
    key = f"test/{account.id}/{at.isoformat()}/{recipient.mailbox.key}"
    headers = headers_of(parts, key, at, recipient=recipient, account=account, sender=sender)
    return _frozen(
        parts, (), headers, key, recipient=recipient, sender=sender, look=account.branding
    )


def freeze_notice(
    parts: RenderedMail,
    *,
    recipient: Recipient,
    account: Account,
    sender: Sender,
    day: date,
    at: datetime,
) -> FrozenMessage:
    """The notice that the list of a day could not be read, for one recipient: one message a day."""
    key = f"notice/{account.id}/{day.isoformat()}/{recipient.mailbox.key}"
    headers = headers_of(parts, key, at, recipient=recipient, account=account, sender=sender)
    return _frozen(
        parts, (), headers, key, recipient=recipient, sender=sender, look=account.branding
    )


def freeze_alarms(parts: RenderedMail, key: str, *, sender: Sender, at: datetime) -> FrozenMessage:
    """A mail to the admin; `key` names what it tells of."""
    admin = Recipient(sender.admin, parts.language)
    key = f"alarms/{key}/{at.isoformat()}"
    headers = headers_of(parts, key, at, recipient=admin, account=None, sender=sender)
    return _frozen(parts, (), headers, key, recipient=admin, sender=sender, look=Branding())


def freeze_review(
    parts: RenderedMail, *, month: date, sender: Sender, at: datetime
) -> FrozenMessage:
    """The review of recipients to the admin: one message a month."""
    admin = Recipient(sender.admin, parts.language)
    key = f"review/{month:%Y-%m}/{sender.admin.key}"
    headers = headers_of(parts, key, at, recipient=admin, account=None, sender=sender)
    return _frozen(parts, (), headers, key, recipient=admin, sender=sender, look=Branding())


def _frozen(
    parts: RenderedMail,
    attachments: Sequence[Attachment],
    headers: Sequence[Header],
    key: str,
    *,
    recipient: Recipient,
    sender: Sender,
    look: Branding,
) -> FrozenMessage:
    pictures = _pictures(parts, look)
    head = _head(headers, needs_smtputf8(recipient, sender))
    content = head + _body(parts, pictures, attachments, key)
    check(
        content,
        headers,
        bodies=[("text/plain", _ended(parts.text)), ("text/html", _ended(parts.html))],
        files=[
            (file.filename, file.content_type, file.content) for file in (*pictures, *attachments)
        ],
    )
    written = {header.name: header.meaning for header in headers}
    return FrozenMessage(
        message_id=str(written["Message-ID"]),
        recipient=recipient.mailbox.address,
        envelope_from=sender.envelope.address,
        language=parts.language,
        subject=str(written["Subject"]),
        content=content,
    )


def _head(headers: Sequence[Header], smtputf8: bool) -> bytes:
    lines = "".join(f"{header.name}: {header.value}\r\n" for header in headers)
    return lines.encode("utf-8" if smtputf8 else "ascii")


def _pictures(parts: RenderedMail, look: Branding) -> tuple[Attachment, ...]:
    """What the page shows, where it does: an operator's own templates need not."""
    if look.logo is None or LOGO_ID not in parts.html:
        return ()
    name, kind = f"logo.{look.logo.subtype}", f"image/{look.logo.subtype}"
    return (Attachment(name, kind, look.logo.content),)


def _body(
    parts: RenderedMail, pictures: Sequence[Attachment], attachments: Sequence[Attachment], key: str
) -> bytes:
    """Everything from the MIME headers on: text before HTML, and files around them.

    Pictures belong to the HTML alone (RFC 2387), so that no program lists them as files.
    """
    message = EmailMessage(policy=_POLICY)
    message.set_content(parts.text, cte="quoted-printable")
    message.add_alternative(parts.html, subtype="html", cte="quoted-printable")
    page = [*message.iter_parts()][-1]
    for picture in pictures:
        page.add_related(
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
            # Filters hold text in base64 against a mail: it is what spammers hide words in.
            cte="quoted-printable" if kind == "text" else "base64",
            filename=file.filename,
            params={"charset": "utf-8"} if kind == "text" else None,
        )
    _set_boundaries(message, key)
    return message.as_bytes()


def _set_boundaries(message: EmailMessage, key: str) -> None:
    """Boundaries by number: `email` would draw them, and the same mail would not be the same.

    None can occur in a body: no encoding of one has an underscore after an equals sign.
    """
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{digest_of(f'{key}/{number}')}")


def _ended(text: str) -> bytes:
    """As `email` writes it: the last line has an end, too."""
    return (text if text.endswith("\n") else f"{text}\n").encode()
