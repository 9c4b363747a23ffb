"""Verify a finished mail: parse it as a receiver does, and compare it with the intended one."""

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
"""The hard and the recommended limit of a line (RFC 5322, 2.1.1)."""

_MIME_HEADERS = ("mime-version", "content-type")


def verify(
    content: bytes,
    headers: Sequence[Header],
    bodies: Sequence[tuple[str, bytes]],
    files: Sequence[tuple[str, str, bytes]],
) -> None:
    """Raise VerificationError with the first difference between a mail and its intended parts.

    `bodies` are (content type, UTF-8 with LF line ends), `files` (name, content type, content).
    """
    for wrong in _differences(content, headers, bodies, files):
        raise VerificationError(f"the finished mail is not as intended: {wrong}")


def _differences(
    content: bytes,
    headers: Sequence[Header],
    bodies: Sequence[tuple[str, bytes]],
    files: Sequence[tuple[str, str, bytes]],
) -> Iterator[str]:
    yield from _wrong_lines(content)
    # From a string: parsing bytes would lose the UTF-8 of an address (RFC 6532).
    mail = email.message_from_string(content.decode("utf-8"), policy=email.policy.default)
    yield from _wrong_headers(mail, headers)
    yield from _wrong_parts(mail, bodies, files)


def _wrong_lines(content: bytes) -> Iterator[str]:
    lines = content.split(b"\r\n")
    # A server that takes a bare LF for a line end can be made to read one mail as two: SMTP
    # smuggling (CVE-2023-51764 of Postfix).
    if any(b"\r" in line or b"\n" in line for line in lines):
        yield "it has a line end other than CRLF"
    head_ends = lines.index(b"") if b"" in lines else len(lines)
    if any(len(line) > LONGEST_HEADER_LINE for line in lines[:head_ends]):
        yield "it has a header line that is too long"
    # The content type of a workbook is longer than a line, and cannot be folded.
    body = [line for line in lines[head_ends:] if not line.startswith(b"Content-Type: ")]
    if any(len(line) > LONGEST_BODY_LINE for line in body):
        yield "it has a body line that is too long"
    if not all(line.isascii() for line in lines[head_ends:]):
        yield "its body is not ASCII"


def _wrong_headers(mail: EmailMessage, headers: Sequence[Header]) -> Iterator[str]:
    # Sorted lists and not sets: a header that appears twice is wrong, too. A header too many is how
    # an injected "Bcc:" would show (CVE-2024-6923).
    expected = sorted([*(header.name.lower() for header in headers), *_MIME_HEADERS])
    found = sorted(name.lower() for name in mail)
    if found != expected:
        yield f"its headers are {found}"
    for header in headers:
        if _read(mail, header.name) != _comparable(header.meaning):
            yield f"{header.name} has another meaning"


def _read(mail: EmailMessage, name: str) -> str | Mailbox | None:
    """Return the meaning of a header; None if it is missing, or has not exactly one address."""
    header = mail[name]
    if not isinstance(header, AddressHeader):
        return None if header is None else str(header)
    # Two addresses mean that a display name was read as an address of its own.
    if len(header.addresses) != 1:
        return None
    (address,) = header.addresses
    return _comparable(Mailbox(f"{address.username}@{address.domain}", address.display_name))


def _comparable(meaning: str | Mailbox) -> str | Mailbox:
    if isinstance(meaning, str):
        return meaning
    # `email` inserts a space between two encoded words of a name.
    return Mailbox(meaning.address, "".join(meaning.name.split()))


def _wrong_parts(
    mail: EmailMessage,
    bodies: Sequence[tuple[str, bytes]],
    files: Sequence[tuple[str, str, bytes]],
) -> Iterator[str]:
    leaves = [part for part in mail.walk() if not part.is_multipart()]
    # The parser never raises: it repairs a broken structure and notes a defect.
    if any(part.defects for part in mail.walk()):
        yield "its structure is broken"
    found_bodies = [_body(part) for part in leaves[: len(bodies)]]
    if found_bodies != list(bodies):
        yield "its text or HTML is different"
    found_files = [_file(part) for part in leaves[len(bodies) :]]
    if found_files != list(files):
        yield "its attachments are different"


def _body(part: EmailMessage) -> tuple[str, bytes]:
    return part.get_content_type(), _payload(part).replace(b"\r\n", b"\n")


def _file(part: EmailMessage) -> tuple[str, str, bytes]:
    return part.get_filename() or "", part.get_content_type(), _payload(part)


def _payload(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
