"""The library's SMTP client, set up our way: verified TLS, immediate close, masked login."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
from ipaddress import ip_address
from typing import cast

import aiosmtplib
from aiosmtplib.errors import SMTPResponseException, SMTPServerDisconnected

from notifier.domain.settings import SmtpServer, Tls
from notifier.errors import MailRefused, MailUnavailable
from notifier.smtp.outcomes import is_permanent
from notifier.smtp.replies import printable, reply_text

LOGIN_HINT = "check smtp.username and smtp.password"

# With at least one dot: only a fully qualified name is permitted (RFC 5321, 2.3.5).
_DOMAIN = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+")


class Client(aiosmtplib.SMTP):
    """An SMTP client that drops its connection as soon as it is closed."""

    def close(self) -> None:
        """Drop the connection; do nothing without one."""
        # The library lets asyncio empty the buffers and shut down TLS first. With a server that
        # hangs, that may take long.
        transport = self.transport
        super().close()
        if transport is not None:
            cast("asyncio.WriteTransport", transport).abort()

    async def write(self, data: bytes) -> None:
        """Write `data`, and wait until the write buffer is empty."""
        protocol, transport = self.protocol, self.transport
        if protocol is None or transport is None:
            raise SMTPServerDisconnected("Server not connected")
        # drain() returns at the low-water mark, which asyncio sets to 0 for a high-water mark of 1.
        # With a high-water mark of 0, it would never return under TLS.
        cast("asyncio.WriteTransport", transport).set_write_buffer_limits(high=1)
        protocol.write(data)
        await protocol._drain_helper()  # noqa: SLF001 - the library has no public drain


# In the order of the attempts. Under TLS a challenge-response mechanism protects nothing more.
_MECHANISMS = {"plain": Client.auth_plain, "login": Client.auth_login}


def new_client(server: SmtpServer) -> Client:
    """Return a client that is not connected yet. Raise MailRefused if TLS cannot be set up."""
    return Client(
        hostname=server.host,
        port=server.port,
        timeout=server.timeout.total_seconds(),
        use_tls=server.tls is Tls.IMPLICIT,
        # MailConnection starts TLS itself, to refuse a server without STARTTLS with advice.
        start_tls=False,
        tls_context=_tls_context(server),
        local_hostname=_own_name(),
    )


async def log_in(client: Client, server: SmtpServer, *, name: str) -> None:
    """Log in if the configuration has a login. Raise MailRefused or MailUnavailable.

    `name` is the server's name for the operator. Errors of the connection pass through.
    """
    if server.username is None or server.password is None:
        return
    refusal = None
    for mechanism in _common_mechanisms(client, name):
        try:
            await _MECHANISMS[mechanism](client, server.username, server.password.value)
        except SMTPResponseException as error:
            refusal = error
        else:
            return
        # 535 rejects the password itself: another attempt could only lock the account.
        if refusal.code == 535 or not is_permanent(refusal.code) or not client.is_connected:
            break
    assert refusal is not None  # noqa: S101 - there is at least one mechanism
    reply = reply_text(refusal.code, mask_login(refusal.message, server))
    if is_permanent(refusal.code):
        raise MailRefused(f"{name} refused the login ({reply}); {LOGIN_HINT}")
    raise MailUnavailable(f"{name} cannot check the login now ({reply})")


def mask_login(text: str, server: SmtpServer) -> str:
    """Mask the login in a reply, since some servers repeat it."""
    if server.username is None or server.password is None:
        return text
    password = server.password.value
    # The login as PLAIN (RFC 4616) and LOGIN send it.
    for secret in (f"\0{server.username}\0{password}", password):
        text = text.replace(base64.b64encode(secret.encode()).decode(), "••••")
    return text.replace(password, "••••")


def _common_mechanisms(client: Client, name: str) -> list[str]:
    common = [mechanism for mechanism in _MECHANISMS if mechanism in client.server_auth_methods]
    if not common:
        offered = printable(" ".join(client.server_auth_methods).upper())
        raise MailRefused(
            f"{name} offers no login mechanism that we support ({offered or 'none at all'}); use "
            "its submission port, 465 or 587, or leave smtp.username out if it needs no login"
        )
    return common


def _tls_context(server: SmtpServer) -> ssl.SSLContext | None:
    """Return a context that verifies certificates; `ca_file` replaces the system's authorities."""
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
            f"smtp.ca_file {server.ca_file}: {reason or 'not a file of PEM certificates'}"
        ) from error
    # RFC 8996 forbids TLS 1.0 and 1.1; OpenSSL's configuration may still allow them.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _own_name() -> str:
    """Return the name for EHLO: a domain, or else an address literal (RFC 5321, 4.1.4)."""
    # The library would ask getfqdn(), whose DNS query blocks the event loop and might hang.
    name = socket.gethostname()
    return name if _DOMAIN.fullmatch(name) else "[127.0.0.1]"
