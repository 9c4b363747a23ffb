"""One SMTP connection: it is opened when first needed, and carries one message per transaction.

Every attempt ends in exactly one of four outcomes, and says in which phase. Only an answer to the
final dot makes a message accepted; what was lost after the dot is *unknown*, not failed.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import TracebackType
from typing import Self

import aiosmtplib
from aiosmtplib.errors import (
    SMTPConnectResponseError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from aiosmtplib.response import SMTPResponse

from notifier.errors import MailRefused, MailUnavailable, NotifierError
from notifier.ledger import Outcome
from notifier.parts import SmtpServer, Tls

ANSWER_TO_DOT = timedelta(minutes=10)
"""How long a server may think about a message it has in full (RFC 5321, 4.5.3.2.6)."""
SLOWEST_BYTES_PER_SECOND = 10_000
MOST_REPLY_CHARACTERS = 500

_LONE_DOT = re.compile(rb"(?m)^\.")


class Phase(StrEnum):
    """Where in the conversation an attempt ended."""

    CONNECT = "connect"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is to be delivered: the addresses of the transaction, and the frozen bytes."""

    sender: str
    recipient: str
    content: bytes
    envid: str
    """Names the message in bounces (RFC 3461, 4.4); printable ASCII without + and =."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one attempt ended. `reply` is the server's answer, or what happened instead of one."""

    outcome: Outcome
    phase: Phase
    reply: str


class MailConnection:
    """A connection to the mail server, as an async context; one transaction at a time."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._client: aiosmtplib.SMTP | None = None

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

    async def open(self) -> None:
        """Connect, secure and log in, unless that is done already.

        Raises MailUnavailable when it may work later, MailRefused when a person must act.
        """
        if self._client is not None and self._client.is_connected:
            return
        client = self._new_client()
        try:
            with self._translated():
                await self._connect(client)
                await self._log_in(client)
        except BaseException:
            client.close()
            raise
        self._client = client

    async def close(self) -> None:
        """Say QUIT if anybody listens; whatever is answered changes nothing any more."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if client.is_connected:
                await client.quit(timeout=5)
        except (SMTPException, OSError, ValueError):
            pass
        finally:
            client.close()

    async def send(
        self, envelope: Envelope, *, before_dot: Callable[[], Awaitable[None]]
    ) -> Delivery:
        """Run one transaction. `before_dot` makes its mark durable just before the final dot.

        Raises what `open` raises, and what `before_dot` raises (then no dot is sent); a refusal
        of the login at MAIL is MailRefused too. Everything else is a Delivery.
        """
        await self.open()
        assert self._client is not None  # noqa: S101 - `open` has just set it
        transaction = _Transaction(self._client, envelope, self._server.timeout)
        delivery = await transaction.up_to_body()
        if delivery is None:
            try:
                await before_dot()
            except BaseException:
                # Without its end the server must drop the message (RFC 5321, 4.1.1.4).
                self._client.close()
                raise
            delivery = await transaction.dot()
        await self._after(delivery, login_refused=transaction.login_refused)
        return delivery

    async def _after(self, delivery: Delivery, *, login_refused: bool) -> None:
        if login_refused:
            await self.close()
            raise MailRefused(f"{self.name} wants a login first ({delivery.reply}); {_LOGIN_HINT}")
        client = self._client
        if client is None or not client.is_connected:
            return
        if delivery.outcome is Outcome.ACCEPTED:
            return
        try:
            reset = await client.rset(timeout=5)
            usable = reset.code == 250
        except (SMTPException, OSError):
            usable = False
        if not usable:
            client.close()

    def _new_client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout.total_seconds(),
            use_tls=server.tls is Tls.IMPLICIT,
            start_tls=False,
            tls_context=_tls_context(server) if server.tls is not Tls.NONE else None,
            local_hostname=_own_name(),
        )

    async def _connect(self, client: aiosmtplib.SMTP) -> None:
        async with asyncio.timeout(2 * self._server.timeout.total_seconds()):
            await client.connect()
            await client.ehlo()
            if self._server.tls is Tls.STARTTLS:
                if not client.supports_extension("starttls"):
                    raise MailRefused(
                        f"{self.name} does not offer STARTTLS, so nothing was sent; "
                        'set smtp.tls = "implicit" with port 465, or use another server'
                    )
                await client.starttls()
                await client.ehlo()

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        server = self._server
        if server.username is None or server.password is None:
            return
        if not client.supported_auth_methods:
            raise MailRefused(f"{self.name} offers no way to log in; {_LOGIN_HINT}")
        try:
            await client.login(server.username, server.password.value)
        except SMTPResponseException as error:
            reply = _reply(error.code, error.message)
            if 500 <= error.code < 600:
                raise MailRefused(
                    f"{self.name} refused the login ({reply}); {_LOGIN_HINT}"
                ) from None
            raise MailUnavailable(f"{self.name} cannot check the login now ({reply})") from None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn whatever goes wrong before a transaction into our errors."""
        try:
            yield
        except NotifierError:
            raise
        except SMTPConnectResponseError as error:
            reply = _reply(error.code, error.message)
            if 500 <= error.code < 600:
                raise MailRefused(f"{self.name} does not want to talk to us ({reply})") from None
            raise MailUnavailable(f"{self.name} asks to come back later ({reply})") from None
        except SMTPResponseException as error:
            reply = _reply(error.code, error.message)
            raise MailUnavailable(f"{self.name} gave an answer we cannot use ({reply})") from None
        except (SMTPException, OSError, TimeoutError) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: BaseException) -> NotifierError:
        tls = _tls_error(error)
        if isinstance(tls, ssl.SSLCertVerificationError):
            return MailRefused(
                f"{self.name}: its certificate is not trusted ({tls.verify_message}); "
                "correct smtp.host, or name your own authority in smtp.ca_file"
            )
        if tls is not None:
            return MailRefused(
                f"{self.name}: no TLS conversation is possible ({tls.reason or tls}); port 465 "
                'goes with smtp.tls = "implicit", port 587 with "starttls"'
            )
        return MailUnavailable(
            f"{self.name} cannot be reached ({_plain(error)}); check smtp.host, smtp.port and "
            "the network"
        )


class _Transaction:
    """MAIL, RCPT, DATA, the body, the dot; `phase` is where it is."""

    def __init__(self, client: aiosmtplib.SMTP, envelope: Envelope, timeout: timedelta) -> None:
        self._client = client
        self._envelope = envelope
        self._timeout = timeout
        self._phase = Phase.MAIL
        self.login_refused = False

    async def up_to_body(self) -> Delivery | None:
        """Everything before the dot; None when only the dot is missing."""
        if not self._can_address():
            return Delivery(Outcome.REJECTED, Phase.RCPT, "5.6.7 server does not offer SMTPUTF8")
        try:
            for phase, command in self._commands():
                self._phase = phase
                reply = await self._client.execute_command(*command)
                if not 200 <= reply.code < 400 or (phase is Phase.DATA and reply.code != 354):
                    return self._refused(reply)
            self._phase = Phase.BODY
            await self._write_body()
        except SMTPResponseException as error:  # a reply that is none
            self._client.close()
            return Delivery(Outcome.DEFERRED, self._phase, _reply(error.code, error.message))
        except (SMTPException, OSError, TimeoutError) as error:
            self._client.close()
            return Delivery(Outcome.DEFERRED, self._phase, _plain(error))
        return None

    async def dot(self) -> Delivery:
        """The end of the message: from here until a reply is read, nobody knows."""
        self._phase = Phase.DOT
        try:
            reply = await self._client.execute_command(b".", timeout=ANSWER_TO_DOT.total_seconds())
        except SMTPResponseException as error:
            self._client.close()
            return Delivery(Outcome.UNKNOWN, Phase.DOT, _reply(error.code, error.message))
        except (SMTPException, OSError, TimeoutError) as error:
            self._client.close()
            return Delivery(Outcome.UNKNOWN, Phase.DOT, _plain(error))
        if 200 <= reply.code < 300:
            return Delivery(Outcome.ACCEPTED, Phase.DOT, _reply(*reply))
        return self._refused(reply)

    def _can_address(self) -> bool:
        return self._envelope.recipient.isascii() or self._client.supports_extension("smtputf8")

    def _commands(self) -> tuple[tuple[Phase, tuple[bytes, ...]], ...]:
        envelope, client = self._envelope, self._client
        mail = [f"FROM:<{envelope.sender}>"]
        rcpt = [f"TO:<{envelope.recipient}>"]
        if client.supports_extension("size"):
            mail.append(f"SIZE={len(envelope.content)}")
        if not envelope.recipient.isascii():
            mail.append("SMTPUTF8")
        if client.supports_extension("dsn"):
            mail += ["RET=HDRS", f"ENVID={envelope.envid}"]
            rcpt.append("NOTIFY=FAILURE,DELAY")
        return (
            (Phase.MAIL, (b"MAIL", *(part.encode() for part in mail))),
            (Phase.RCPT, (b"RCPT", *(part.encode() for part in rcpt))),
            (Phase.DATA, (b"DATA",)),
        )

    async def _write_body(self) -> None:
        protocol = self._client.protocol
        if protocol is None:
            raise SMTPServerDisconnected("Connection lost")
        content = _LONE_DOT.sub(b"..", self._envelope.content)
        if not content.endswith(b"\r\n"):
            content += b"\r\n"  # or the dot would be a part of the last line
        seconds = self._timeout.total_seconds() + len(content) / SLOWEST_BYTES_PER_SECOND
        async with asyncio.timeout(seconds):
            protocol.write(content)
            # The library has no public way to wait until what was written is on the wire.
            await protocol._drain_helper()  # noqa: SLF001

    def _refused(self, reply: SMTPResponse) -> Delivery:
        """4xx may work later, 5xx will not; the exceptions are in the table of docs/delivery.md."""
        text = _reply(*reply)
        permanent = 500 <= reply.code < 600
        if self._phase is Phase.MAIL and reply.code in (530, 535):
            self.login_refused = True
            permanent = False
        if self._phase is Phase.RCPT and reply.code == 552:
            permanent = False  # "too many recipients" of old servers: RFC 5321, 4.5.3.1.10
        return Delivery(Outcome.REJECTED if permanent else Outcome.DEFERRED, self._phase, text)


_LOGIN_HINT = "check smtp.username and smtp.password"


def _tls_context(server: SmtpServer) -> ssl.SSLContext:
    """Verification is always on; `ca_file` adds an authority, it never takes one away."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if server.ca_file is not None:
        try:
            context.load_verify_locations(cafile=server.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise MailRefused(f"smtp.ca_file {server.ca_file} cannot be used ({error})") from None
    return context


def _own_name() -> str:
    """What EHLO says. Looking up the full name may hang without DNS, so it is not looked up."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """The TLS error behind `error`, if there is one."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__
    return error


def _plain(error: BaseException) -> str:
    """What happened, for a person: without the library's class names."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = str(error.__cause__ or error) or type(error).__name__
    return _printable(text)


def _reply(code: int, text: str) -> str:
    return _printable(text if code < 100 else f"{code} {text}")


def _printable(text: str) -> str:
    """One line without control characters or surrogates, however hostile the server."""
    kept = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(kept.split())[:MOST_REPLY_CHARACTERS]
