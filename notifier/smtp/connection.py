"""The connection to the mail server: opened when first needed, one transaction per message.

Every attempt ends in exactly one of four outcomes, and says in which phase. Only an answer to the
final dot makes a message accepted; what was lost after the dot is *unknown*, not failed.
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

from notifier.boundaries import Boundary, boundary
from notifier.domain.settings import SmtpServer, Tls
from notifier.errors import MailRefused
from notifier.shutdown import Stop
from notifier.smtp.client import Client, new_client
from notifier.smtp.login import HINT, log_in, without_login
from notifier.smtp.outcomes import DeliveryOutcome, Envelope, SmtpStage
from notifier.smtp.refusals import no_starttls, refusal
from notifier.smtp.reply_text import tls_error
from notifier.smtp.transaction import LoginWanted, Patience, Transaction

__all__ = ["DeliveryOutcome", "Envelope", "MailConnection", "Patience", "SmtpStage"]

_OPENING = 4
"""Time-outs that all of connecting, TLS and login may take together."""
_COMMANDS = 4
"""Those of one transaction that wait for an answer before the dot, RSET among them."""
_USUAL_BODY = timedelta(minutes=5)
"""For a mail of 3 MB at the slowest; ours are far smaller."""


class MailConnection:
    """A connection to the mail server, as an async context; one transaction at a time.

    `phase` is how far it got, also when an error is raised. `stop` ends a transaction before its
    dot at once, and the wait for an answer to the dot soon.
    """

    def __init__(
        self, server: SmtpServer, *, patience: Patience | None = None, stop: Stop | None = None
    ) -> None:
        self._server = server
        self._stop = stop or Stop()
        self._patience = patience or Patience()
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
        """The server as a person knows it."""
        return f"mail server {self._server.host}:{self._server.port}"

    @property
    def longest(self) -> timedelta:
        """What opening and one transaction of a usual size can take at most."""
        return (_OPENING + _COMMANDS) * self._server.timeout + self._patience.dot + _USUAL_BODY

    async def open(self) -> None:
        """Connect, secure and log in, unless that is done already.

        Raises MailUnavailable when it may work later, MailRefused when a person must act.
        """
        await self._opened()

    async def close(self) -> None:
        """Say QUIT if anybody listens; whatever is answered changes nothing any more."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            boundary(Boundary.QUITTING)
            if client.is_connected:
                with contextlib.suppress(SMTPException, OSError):
                    await client.quit(timeout=self._patience.courtesy.total_seconds())
        finally:
            client.close()
        boundary(Boundary.CLOSED)

    async def send(
        self, envelope: Envelope, *, before_dot: Callable[[], Awaitable[None]]
    ) -> DeliveryOutcome:
        """Run one transaction. `before_dot` makes its mark durable just before the final dot.

        Raises what `open` raises, and what `before_dot` raises (then no dot is sent); a demand
        for a login is MailRefused too, and a stop before the dot is Stopped. Everything else is
        a Delivery.
        """
        async with self._stop.limit():
            client = await self._cleared()
        transaction = Transaction(
            client,
            envelope,
            timeout=self._server.timeout,
            patience=self._patience,
            stop=self._stop,
            masked=partial(without_login, server=self._server),
        )
        try:
            return await transaction.run(before_dot)
        except LoginWanted as error:
            await self.close()
            raise MailRefused(f"{self.name} wants a login first ({error}); {HINT}") from None
        except BaseException:
            client.close()
            raise
        finally:
            self.phase = transaction.phase

    async def _cleared(self) -> Client:
        """A client without a transaction: the one there is if it still answers, or a new one.

        Servers close connections after a time, or after some messages. To ask first costs one
        round trip; to find out at MAIL would put a message off that nobody has refused.
        """
        client = self._client
        if client is not None and client.is_connected and self._used:
            try:
                await client.rset(timeout=self._patience.courtesy.total_seconds())
            except (SMTPException, OSError):
                client.close()
            except BaseException:
                client.close()  # or its late answer would be taken for the next one
                raise
        client = await self._opened()
        self._used = True
        return client

    async def _opened(self) -> Client:
        if self._client is not None and self._client.is_connected:
            return self._client
        self.phase, self._used = SmtpStage.CONNECT, False
        client = new_client(self._server)
        try:
            async with asyncio.timeout(_OPENING * self._server.timeout.total_seconds()):
                await self._open(client)
        except (SMTPException, OSError, UnicodeError) as error:  # the last for an odd host name
            client.close()
            reached, self.phase = self.phase, SmtpStage.TLS if tls_error(error) else self.phase
            raise refusal(self.name, error, reached) from None
        except BaseException:
            client.close()
            raise
        self._client = client
        boundary(Boundary.CONNECTED)
        return client

    async def _open(self, client: Client) -> None:
        await client.connect()
        await _greet(client)
        if self._server.tls is Tls.STARTTLS:
            self.phase = SmtpStage.TLS
            if not client.supports_extension("starttls"):
                raise no_starttls(self.name)
            await client.starttls()
            await _greet(client)
        self.phase = SmtpStage.LOGIN
        await log_in(client, self._server, name=self.name)


async def _greet(client: Client) -> None:
    """EHLO, or HELO to a server that does not know it (RFC 5321, 4.1.1.1)."""
    try:
        await client.ehlo()
    except SMTPHeloError as error:
        if error.code not in (500, 502, 504):
            raise
        await client.helo()
