"""The connection to the mail server: opened when first needed, one transaction per message.

Every attempt ends in exactly one of four outcomes, in a known phase. A message is *accepted* only
by a reply to the final dot. Without a reply after the dot, its outcome is *unknown*, not failed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Self

from aiosmtplib.errors import SMTPException, SMTPHeloError

from notifier.domain.settings import SmtpServer, Tls
from notifier.errors import MailRefused
from notifier.shutdown import Stop
from notifier.smtp.client import LOGIN_HINT, Client, log_in, mask_login, new_client
from notifier.smtp.outcomes import DeliveryOutcome, Envelope, SmtpStage
from notifier.smtp.replies import find_tls_error, session_error
from notifier.smtp.transaction import LoginRequired, Timeouts, Transaction

__all__ = ["DeliveryOutcome", "Envelope", "MailConnection", "SmtpStage", "Timeouts"]

# Both in units of `SmtpServer.timeout`.
_OPENING = 4  # for connecting, TLS and login together
_COMMANDS = 4  # commands of one transaction before the dot: RSET, MAIL, RCPT, DATA
_USUAL_BODY = timedelta(minutes=5)  # 3 MB at the lowest rate; our mails are far smaller


class MailConnection:
    """A connection to the mail server, as an async context; one transaction at a time.

    `phase` is the last phase that was reached, also after an error. `stop` ends a transaction
    immediately before the dot, and after the dot as soon as `Timeouts.dot_when_stopping` is over.
    """

    def __init__(
        self, server: SmtpServer, *, timeouts: Timeouts | None = None, stop: Stop | None = None
    ) -> None:
        self._server = server
        self._stop = stop or Stop()
        self._timeouts = timeouts or Timeouts()
        self._client: Client | None = None
        self._used = False
        self.phase = SmtpStage.CONNECT

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def name(self) -> str:
        """The server's name for people."""
        return f"mail server {self._server.host}:{self._server.port}"

    @property
    def max_duration(self) -> timedelta:
        """The longest time for opening the connection and one transaction of usual size."""
        return (_OPENING + _COMMANDS) * self._server.timeout + self._timeouts.dot + _USUAL_BODY

    async def open(self) -> None:
        """Connect, start TLS and log in, unless the connection is open.

        Raise MailUnavailable if it may work later, MailRefused if a person must act.
        """
        await self._open_client()

    async def close(self) -> None:
        """Send QUIT if the server is connected, and drop the connection."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if client.is_connected:
                # All outcomes are known by now: no reply to QUIT may change one.
                with contextlib.suppress(SMTPException, OSError):
                    await client.quit(timeout=self._timeouts.rset_and_quit.total_seconds())
        finally:
            client.close()

    async def send(
        self, envelope: Envelope, *, before_dot: Callable[[], Awaitable[None]]
    ) -> DeliveryOutcome:
        """Run one transaction, and await `before_dot` just before the final dot.

        Raise the errors of `open` and of `before_dot` (then no dot is sent), MailRefused if the
        server requires a login, and Stopped before the dot. Any other end is a DeliveryOutcome.
        """
        async with self._stop.limit():
            client = await self._idle_client()
        transaction = Transaction(
            client,
            envelope,
            timeout=self._server.timeout,
            timeouts=self._timeouts,
            stop=self._stop,
            mask=partial(mask_login, server=self._server),
        )
        try:
            return await transaction.run(before_dot)
        except LoginRequired as error:
            await self.close()
            raise MailRefused(f"{self.name} requires a login ({error}); {LOGIN_HINT}") from None
        except BaseException:
            # Without QUIT, which a server that is reading a body would take for a part of it.
            client.close()
            raise
        finally:
            self.phase = transaction.phase

    async def _idle_client(self) -> Client:
        """Return a client without a transaction: the present one if it replies, or a new one."""
        # Servers close connections after some time or some messages. RSET costs a round trip, but
        # finds that out before MAIL, where it would defer a message without any reason.
        client = self._client
        if client is not None and client.is_connected and self._used:
            try:
                await client.rset(timeout=self._timeouts.rset_and_quit.total_seconds())
            except (SMTPException, OSError):
                client.close()
            except BaseException:
                client.close()  # its late reply would be taken for the reply to the next command
                raise
        client = await self._open_client()
        self._used = True
        return client

    async def _open_client(self) -> Client:
        if self._client is not None and self._client.is_connected:
            return self._client
        self.phase, self._used = SmtpStage.CONNECT, False
        client = new_client(self._server)
        try:
            async with asyncio.timeout(_OPENING * self._server.timeout.total_seconds()):
                await self._start_session(client)
        except (SMTPException, OSError, UnicodeError) as error:  # UnicodeError: an odd host name
            client.close()
            failed, self.phase = self.phase, SmtpStage.TLS if find_tls_error(error) else self.phase
            raise session_error(self.name, error, failed) from None
        except BaseException:
            client.close()
            raise
        self._client = client
        return client

    async def _start_session(self, client: Client) -> None:
        await client.connect()
        await _greet(client)
        if self._server.tls is Tls.STARTTLS:
            self.phase = SmtpStage.TLS
            if not client.supports_extension("starttls"):
                # No fall-back: an attacker in between may have removed the offer (RFC 3207, 6).
                raise MailRefused(
                    f"{self.name} does not offer STARTTLS, so nothing was sent; "
                    'set smtp.tls = "implicit" with port 465, or use another server'
                )
            await client.starttls()
            # Offers from before TLS may be an attacker's, so they are read again (RFC 3207, 4.2).
            await _greet(client)
        self.phase = SmtpStage.LOGIN
        await log_in(client, self._server, name=self.name)


async def _greet(client: Client) -> None:
    """Send EHLO, or HELO to a server without EHLO (RFC 5321, 4.1.1.1)."""
    try:
        await client.ehlo()
    except SMTPHeloError as error:
        if error.code not in (500, 502, 504):
            raise
        await client.helo()
