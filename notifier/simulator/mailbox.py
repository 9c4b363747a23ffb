"""A mail server on a loopback port that keeps received mail in a Maildir."""

from __future__ import annotations

import asyncio
import contextlib
import mailbox
from collections.abc import AsyncIterator
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"


class _MaildirHandler:
    """Stores each message before the reply, so that a 250 means it is on disk."""

    def __init__(self, maildir: mailbox.Maildir) -> None:
        self._maildir = maildir

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self,
        server: SMTP,  # noqa: ARG002
        session: Session,  # noqa: ARG002
        envelope: Envelope,
    ) -> str:
        content = envelope.original_content or b""
        await asyncio.to_thread(self._maildir.add, content)
        return f"250 2.0.0 kept as message {len(self._maildir)}"


@contextlib.asynccontextmanager
async def receive(directory: Path) -> AsyncIterator[int]:
    """Accept all mail while the block runs, keep it in `directory`, and yield the port."""
    maildir = mailbox.Maildir(directory, create=True)
    handler = _MaildirHandler(maildir)
    # Not aiosmtpd's Controller, which runs a second event loop in a thread of its own.
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, hostname="mailbox.example", enable_SMTPUTF8=True), HOST, 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
