"""Settings, connections and envelopes for sending one message to a test server."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from notifier.domain.settings import Secret, SmtpServer, Tls
from notifier.smtp.connection import DeliveryOutcome, Envelope, MailConnection, Timeouts

SENDER = "parcels@example.com"
CONTENT = b"Subject: 12 parcels to collect\r\n\r\nBranch Center\r\n.\r\n..two\r\nend\r\n"

# Short, since each test of a server that hangs takes this long.
IMPATIENT = timedelta(seconds=0.15)
QUICK = Timeouts(dot=IMPATIENT, bytes_per_second=500_000_000, rset_and_quit=IMPATIENT)


def server_at(
    port: int,
    tls: Tls = Tls.NONE,
    *,
    host: str = "127.0.0.1",
    login: tuple[str, str] | None = None,
    ca_file: Path | None = None,
    timeout: timedelta = timedelta(seconds=5),
) -> SmtpServer:
    username, password = login or (None, None)
    secret = None if password is None else Secret(password)
    return SmtpServer(host, port, tls, username, secret, ca_file, timeout)


def connect(port: int, *, impatient: bool = False) -> MailConnection:
    """Return a connection without TLS; an impatient one gives up after a moment."""
    timeout = IMPATIENT if impatient else timedelta(seconds=5)
    return MailConnection(server_at(port, timeout=timeout), timeouts=QUICK)


def envelope(
    recipient: str = "jana@example.com",
    *,
    sender: str = SENDER,
    content: bytes = CONTENT,
    envid: str = "digest-1",
) -> Envelope:
    return Envelope(sender, recipient, content, envid)


async def unmarked() -> None:
    """Write no mark before the dot."""


async def send(mail: MailConnection, recipient: str = "jana@example.com") -> DeliveryOutcome:
    """Send one message without writing a mark."""
    return await mail.send(envelope(recipient), before_dot=unmarked)
