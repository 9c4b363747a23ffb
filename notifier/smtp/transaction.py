"""One message over an open connection: MAIL, RCPT, DATA, the body, the dot."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from aiosmtplib.errors import SMTPException, SMTPResponseException, SMTPServerDisconnected
from aiosmtplib.response import SMTPResponse

from notifier.boundaries import Boundary, boundary
from notifier.domain.ledger import Outcome
from notifier.errors import Stopped
from notifier.shutdown import Stop
from notifier.smtp.client import Client
from notifier.smtp.outcomes import (
    DeliveryOutcome,
    Envelope,
    SmtpStage,
    is_no,
    is_yes,
    judge,
    lets_go_on,
    wants_login,
)
from notifier.smtp.reply_text import reply_text, what_happened

_PIECE = 16_384
_LEADING_DOT = re.compile(rb"(?m)^\.")
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>@]+")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the server may take where one answer to one command is not the measure."""

    dot: timedelta = timedelta(minutes=10)
    """For the answer to a message it has in full (RFC 5321, 4.5.3.2.6)."""
    bytes_per_second: int = 10_000
    """The slowest it may take the body."""
    courtesy: timedelta = timedelta(seconds=5)
    """For the answer to RSET and QUIT, which decide nothing."""
    farewell: timedelta = timedelta(seconds=45)
    """For the answer to the dot, once this process was asked to stop."""


class LoginWanted(Exception):
    """The server takes no mail from who has not logged in; its text is the answer."""


class Transaction:
    """One attempt; `phase` is how far it got."""

    def __init__(
        self,
        client: Client,
        envelope: Envelope,
        *,
        timeout: timedelta,
        patience: Patience,
        stop: Stop,
        masked: Callable[[str], str] = str,
    ) -> None:
        """`masked` takes out of an answer what nobody may see."""
        self._client = client
        self._envelope = envelope
        self._timeout = timeout
        self._patience = patience
        self._stop = stop
        self._masked = masked
        self.phase = SmtpStage.MAIL

    async def run(self, before_dot: Callable[[], Awaitable[None]]) -> DeliveryOutcome:
        """Hand the message over; `before_dot` is awaited when only the dot is missing.

        Raises LoginWanted, Stopped, and what `before_dot` raises: then the message has no end,
        and the caller must close the connection, so that the server drops it (RFC 5321, 4.1.1.4).
        """
        async with self._stop.limit():
            delivery = self._unsendable() or await self._hand_over()
        if delivery is None:
            await before_dot()
            self._stop.check()
            delivery = await self._end()
        return delivery

    def _unsendable(self) -> DeliveryOutcome | None:
        """Addresses the server must not be asked about, since the others could suffer for it."""
        for phase, address in (
            (SmtpStage.MAIL, self._envelope.sender),
            (SmtpStage.RCPT, self._envelope.recipient),
        ):
            if not (_ADDRESS.fullmatch(address) and address.isprintable()):
                return DeliveryOutcome(
                    Outcome.REJECTED, phase, f"not sent: {address!a} is no address"
                )
            if not address.isascii() and not self._client.supports_extension("smtputf8"):
                reason = f"not sent: {address} needs SMTPUTF8, which the server does not offer"
                return DeliveryOutcome(Outcome.REJECTED, phase, reason)
        return None

    async def _hand_over(self) -> DeliveryOutcome | None:
        """Everything up to the dot; None when only that is missing."""
        try:
            for phase, command in self._commands():
                self.phase = phase
                reply = await self._client.execute_command(*command)
                if not lets_go_on(phase, reply.code):
                    return self._answered(reply)
                boundary(Boundary(phase))
            self.phase = SmtpStage.BODY
            await self._write_body()
            boundary(Boundary.BODY)
        except (SMTPException, OSError) as error:
            return self._lost(error)
        return None

    async def _end(self) -> DeliveryOutcome:
        """The dot: from here until an answer is read, nobody knows."""
        if not self._client.is_connected:
            return self._lost(SMTPServerDisconnected("before the dot"))
        self.phase = SmtpStage.DOT
        try:
            seconds = self._patience.dot.total_seconds()
            async with self._stop.limit(self._patience.farewell):
                return self._answered(await self._client.execute_command(b".", timeout=seconds))
        except (SMTPException, OSError, Stopped) as error:
            return self._lost(error)

    def _commands(self) -> Iterator[tuple[SmtpStage, tuple[bytes, ...]]]:
        envelope = self._envelope
        mail = [f"FROM:<{envelope.sender}>", *self._mail_parameters()]
        rcpt = [f"TO:<{envelope.recipient}>"]
        if self._client.supports_extension("dsn"):
            rcpt.append("NOTIFY=FAILURE,DELAY")
        yield SmtpStage.MAIL, (b"MAIL", *(word.encode() for word in mail))
        yield SmtpStage.RCPT, (b"RCPT", *(word.encode() for word in rcpt))
        yield SmtpStage.DATA, (b"DATA",)

    def _mail_parameters(self) -> Iterator[str]:
        envelope, offers = self._envelope, self._client.supports_extension
        if offers("size"):
            yield f"SIZE={len(envelope.content)}"
        if offers("8bitmime") and not envelope.content.isascii():
            yield "BODY=8BITMIME"
        if not (envelope.sender + envelope.recipient).isascii():
            yield "SMTPUTF8"
        if offers("dsn"):
            # A bounce with the headers alone keeps the orders out of other people's mailboxes.
            yield "RET=HDRS"
            yield f"ENVID={_xtext(envelope.envid)}"

    async def _write_body(self) -> None:
        """Write the body, and wait until it has left us.

        Under TLS the last 64 kB may still be in a buffer of asyncio's. Should the connection be
        lost there, the outcome is unknown instead of deferred: the safe side.
        """
        content = _LEADING_DOT.sub(b"..", self._envelope.content)
        if not content.endswith(b"\r\n"):
            content += b"\r\n"  # or the dot would be a part of the last line
        seconds = self._timeout.total_seconds() + len(content) / self._patience.bytes_per_second
        async with asyncio.timeout(seconds):
            # In pieces, since TLS passes on in one go whatever it gets in one go.
            for start in range(0, len(content), _PIECE):
                await self._client.write(content[start : start + _PIECE])
        if not self._client.is_connected:
            raise SMTPServerDisconnected("in the body")

    def _answered(self, reply: SMTPResponse) -> DeliveryOutcome:
        text = reply_text(reply.code, self._masked(reply.message))
        if wants_login(reply.code):
            raise LoginWanted(text)
        if not is_yes(reply.code) and not is_no(reply.code):
            self._client.close()  # it is out of step, and would answer the next message wrongly
        return DeliveryOutcome(judge(self.phase, reply.code), self.phase, text)

    def _lost(self, error: Exception) -> DeliveryOutcome:
        self._client.close()
        outcome = Outcome.UNKNOWN if self.phase is SmtpStage.DOT else Outcome.DEFERRED
        if isinstance(error, SMTPResponseException):
            error.message = self._masked(error.message)
        return DeliveryOutcome(outcome, self.phase, what_happened(error))


def _xtext(text: str) -> str:
    """Printable ASCII but + and =, anything else as +HH (RFC 3461, 4)."""
    return "".join(
        chr(byte) if 33 <= byte <= 126 and byte not in b"+=" else f"+{byte:02X}"
        for byte in text.encode()
    )
