"""Read a finished mail as its receivers will, and refuse it unless it is what was meant."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator, Sequence
from email.headerregistry import AddressHeader
from email.message import EmailMessage

from notifier.domain.recipients import Mailbox
from notifier.errors import VerificationError
from notifier.mail.headers import Header

LONGEST_HEADER_LINE = 998
LONGEST_BODY_LINE = 78
"""RFC 5322, 2.1.1: what a line must not exceed, and what it should not."""

_MIME_HEADERS = ("mime-version", "content-type")


def check(
    content: bytes,
    headers: Sequence[Header],
    bodies: Sequence[tuple[str, bytes]],
    files: Sequence[tuple[str, str, bytes]],
) -> None:
    """Compare a mail with what was meant; raises MessageGuardError with the first difference.

    `bodies` are (content type, UTF-8 with LF line ends), `files` (name, content type, content).
    """
    for wrong in _differences(content, headers, bodies, files):
        raise VerificationError(f"the finished mail is not what was meant: {wrong}")


def _differences(
    content: bytes,
    headers: Sequence[Header],
    bodies: Sequence[tuple[str, bytes]],
    files: Sequence[tuple[str, str, bytes]],
) -> Iterator[str]:
    yield from _wrong_lines(content)
    mail = email.message_from_string(content.decode("utf-8"), policy=email.policy.default)
    yield from _wrong_headers(mail, headers)
    yield from _wrong_parts(mail, bodies, files)


def _wrong_lines(content: bytes) -> Iterator[str]:
    lines = content.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line for line in lines):
        yield "it has a line end that is not CRLF"
    head_ends = lines.index(b"") if b"" in lines else len(lines)
    if any(len(line) > LONGEST_HEADER_LINE for line in lines[:head_ends]):
        yield "it has a header line that is too long"
    # The name of a workbook's type alone is longer, and cannot be folded.
    body = [line for line in lines[head_ends:] if not line.startswith(b"Content-Type: ")]
    if any(len(line) > LONGEST_BODY_LINE for line in body):
        yield "it has a body line that is too long"
    if not all(line.isascii() for line in lines[head_ends:]):
        yield "its body is not ASCII"


def _wrong_headers(mail: EmailMessage, headers: Sequence[Header]) -> Iterator[str]:
    meant = sorted([*(header.name.lower() for header in headers), *_MIME_HEADERS])
    found = sorted(name.lower() for name in mail)
    if found != meant:
        yield f"its headers are {found}"
    for header in headers:
        if _read(mail, header.name) != _comparable(header.meaning):
            yield f"{header.name} says something else"


def _read(mail: EmailMessage, name: str) -> str | Mailbox | None:
    """What a receiver understands of a header; None when it is not there, or not one address."""
    header = mail[name]
    if not isinstance(header, AddressHeader):
        return None if header is None else str(header)
    if len(header.addresses) != 1:
        return None
    (address,) = header.addresses
    return _comparable(Mailbox(f"{address.username}@{address.domain}", address.display_name))


def _comparable(meaning: str | Mailbox) -> str | Mailbox:
    """Without the spaces of a name: `email` reads one more between two of its encoded words."""
    if isinstance(meaning, str):
        return meaning
    return Mailbox(meaning.address, "".join(meaning.name.split()))


def _wrong_parts(
    mail: EmailMessage,
    bodies: Sequence[tuple[str, bytes]],
    files: Sequence[tuple[str, str, bytes]],
) -> Iterator[str]:
    leaves = [part for part in mail.walk() if not part.is_multipart()]
    if any(part.defects for part in mail.walk()):
        yield "its structure is broken"
    found_bodies = [_body(part) for part in leaves[: len(bodies)]]
    if found_bodies != list(bodies):
        yield "its text or HTML is another"
    found_files = [_file(part) for part in leaves[len(bodies) :]]
    if found_files != list(files):
        yield "its attachments are others"


def _body(part: EmailMessage) -> tuple[str, bytes]:
    return part.get_content_type(), _payload(part).replace(b"\r\n", b"\n")


def _file(part: EmailMessage) -> tuple[str, str, bytes]:
    return part.get_filename() or "", part.get_content_type(), _payload(part)


def _payload(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
