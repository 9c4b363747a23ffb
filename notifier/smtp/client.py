"""The SMTP client of the library, as we want it: verified TLS, and closed at once when closed."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from ipaddress import ip_address
from typing import cast

import aiosmtplib
from aiosmtplib.errors import SMTPServerDisconnected

from notifier.domain.settings import SmtpServer, Tls
from notifier.errors import MailRefused

_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+")


class Client(aiosmtplib.SMTP):
    """A client whose connection is gone once it is closed.

    The library waits for buffers to empty and for TLS to say goodbye, which a server that hangs
    can draw out; whatever closes a connection here has no use for either.
    """

    def close(self) -> None:
        """Close the connection; harmless when there is none."""
        transport = self.transport
        super().close()
        if transport is not None:
            cast("asyncio.WriteTransport", transport).abort()

    async def write(self, data: bytes) -> None:
        """Write these bytes, and wait until nothing of them is left to be written."""
        protocol, transport = self.protocol, self.transport
        if protocol is None or transport is None:
            raise SMTPServerDisconnected("Server not connected")
        # Waiting ends at the low mark, which is then 0; TLS never gets below a high mark of 0.
        cast("asyncio.WriteTransport", transport).set_write_buffer_limits(high=1)
        protocol.write(data)
        await protocol._drain_helper()  # noqa: SLF001 - the library has no public way to wait


def new_client(server: SmtpServer) -> Client:
    """A client for this server, not connected yet. Raises MailRefused where TLS cannot be had."""
    return Client(
        hostname=server.host,
        port=server.port,
        timeout=server.timeout.total_seconds(),
        use_tls=server.tls is Tls.IMPLICIT,
        start_tls=False,
        tls_context=_tls_context(server),
        local_hostname=_own_name(),
    )


def _tls_context(server: SmtpServer) -> ssl.SSLContext | None:
    """Verification is always on; `ca_file` stands for the system's authorities."""
    if server.tls is Tls.NONE:
        if not _is_loopback(server.host):
            raise MailRefused(
                f'smtp.tls = "none" is for this machine only, not for {server.host}; '
                'write "implicit" or "starttls"'
            )
        return None
    try:
        context = ssl.create_default_context(cafile=server.ca_file)
    except OSError as error:
        reason = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else None
        raise MailRefused(
            f"smtp.ca_file {server.ca_file} {reason or 'is no file of PEM certificates'}"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _own_name() -> str:
    """What EHLO says. Looking up the full name may hang without DNS, so it is not looked up."""
    name = socket.gethostname()
    return name if _DOMAIN.fullmatch(name) else "[127.0.0.1]"
