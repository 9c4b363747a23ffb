"""Headers of a finished mail, as its receivers read them."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from notifier.mail.lint.findings import LintFinding, error, warning

NEEDED = ("From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "Content-Type")
"""RFC 5322, 3.6 requires From and Date; ours always have the others, too."""
ONCE = (*NEEDED, "Sender", "Reply-To", "Cc", "In-Reply-To", "References", "Auto-Submitted")

_MESSAGE_ID = re.compile(r"<[^\s<>@]+@[^\s<>@]+>")


def wrong_head(content: bytes) -> Iterator[LintFinding]:
    """Check that each header a mail needs is there once and can be read."""
    head = content.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    mail = email.message_from_bytes(head + b"\n\n", policy=email.policy.compat32)
    for name in NEEDED:
        if name not in mail:
            yield error("it is missing", f"the header {name}", "write one")
    for name in ONCE:
        if len(mail.get_all(name, [])) > 1:
            yield error("it occurs more than once", f"the header {name}", "write it once")
    yield from _date(str(mail.get("Date", "")))
    written = str(mail.get("Message-ID", "")).strip()
    if written and not _MESSAGE_ID.fullmatch(written):
        yield error(
            f'"{written[:60]}" is not a Message-ID', "the header Message-ID", "write <name@domain>"
        )


def _date(written: str) -> Iterator[LintFinding]:
    if not written:
        return
    try:
        at = parsedate_to_datetime(written)
    except (ValueError, OverflowError, TypeError, IndexError):
        yield error(
            f'"{written[:60]}" is not a date', "the header Date", "write it as in RFC 5322, 3.3"
        )
        return
    if at.tzinfo is None:
        yield warning("it has no time zone", "the header Date", "write +0000 behind it")
