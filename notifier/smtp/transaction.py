"""One message over an open connection: MAIL, RCPT, DATA, the body, the dot."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from aiosmtplib.errors import SMTPException, SMTPResponseException, SMTPServerDisconnected
from aiosmtplib.response import SMTPResponse

from notifier.domain.ledger import Outcome
from notifier.errors import Stopped
from notifier.shutdown import Stop
from notifier.smtp.client import Client
from notifier.smtp.outcomes import (
    DeliveryOutcome,
    Envelope,
    SmtpStage,
    is_negative,
    is_positive,
    judge,
    login_required,
    may_continue,
)
from notifier.smtp.replies import describe_error, reply_text

_PIECE = 16_384  # bytes; one TLS record holds no more (RFC 8446, 5.1)
_LEADING_DOT = re.compile(rb"(?m)^\.")
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>@]+")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits that differ from the time-out of an ordinary command, `SmtpServer.timeout`."""

    # Giving up earlier causes duplicates: a slow server may still accept the message.
    dot: timedelta = timedelta(minutes=10)
    """For the reply to the final dot (RFC 5321, 4.5.3.2.6)."""
    bytes_per_second: int = 10_000
    """The lowest rate at which the server may read the body."""
    rset_and_quit: timedelta = timedelta(seconds=5)
    """For the replies to RSET and QUIT, on which no outcome depends."""
    # A stopped process has 60 seconds in all; the rest is for recording the outcome.
    dot_when_stopping: timedelta = timedelta(seconds=45)
    """For the reply to the final dot once this process is asked to stop."""


class LoginRequired(Exception):
    """The server accepts no mail without a login; the text is its reply."""


class Transaction:
    """One attempt to deliver one message; `phase` is the last phase that was reached."""

    def __init__(
        self,
        client: Client,
        envelope: Envelope,
        *,
        timeout: timedelta,
        timeouts: Timeouts,
        stop: Stop,
        mask: Callable[[str], str] = str,
    ) -> None:
        """`mask` removes secrets from a reply."""
        self._client = client
        self._envelope = envelope
        self._timeout = timeout
        self._timeouts = timeouts
        self._stop = stop
        self._mask = mask
        self.phase = SmtpStage.MAIL

    async def run(self, before_dot: Callable[[], Awaitable[None]]) -> DeliveryOutcome:
        """Send the message, and await `before_dot` before the final dot.

        Raise LoginRequired, Stopped, and the errors of `before_dot`. The caller must then close
        the connection: without a dot the server drops the message (RFC 5321, 4.1.1.4).
        """
        async with self._stop.limit():
            delivery = self._reject_addresses() or await self._send_up_to_dot()
        if delivery is None:
            # Outside the limit: a cancelled write would leave open whether the mark is on the disk.
            await before_dot()
            self._stop.check()
            delivery = await self._send_dot()
        return delivery

    def _reject_addresses(self) -> DeliveryOutcome | None:
        # Checked here, since a server may close the connection for such an address, and so disturb
        # the other messages.
        for phase, address in (
            (SmtpStage.MAIL, self._envelope.sender),
            (SmtpStage.RCPT, self._envelope.recipient),
        ):
            if not (_ADDRESS.fullmatch(address) and address.isprintable()):
                return DeliveryOutcome(
                    Outcome.REJECTED, phase, f"not sent: {address!a} is not an address"
                )
            if not address.isascii() and not self._client.supports_extension("smtputf8"):
                reason = f"not sent: {address} needs SMTPUTF8, which the server does not offer"
                return DeliveryOutcome(Outcome.REJECTED, phase, reason)
        return None

    async def _send_up_to_dot(self) -> DeliveryOutcome | None:
        """Send everything before the dot; return None if the server still expects the dot."""
        try:
            for phase, command in self._commands():
                self.phase = phase
                reply = await self._client.execute_command(*command)
                if not may_continue(phase, reply.code):
                    return self._judged(reply)
            self.phase = SmtpStage.BODY
            await self._write_body()
        except (SMTPException, OSError) as error:
            return self._lost(error)
        return None

    async def _send_dot(self) -> DeliveryOutcome:
        """Send the dot; the outcome is unknown until its reply is read."""
        # Before the phase changes: without a dot the outcome is deferred, not unknown.
        if not self._client.is_connected:
            return self._lost(SMTPServerDisconnected("before the dot"))
        self.phase = SmtpStage.DOT
        try:
            seconds = self._timeouts.dot.total_seconds()
            async with self._stop.limit(self._timeouts.dot_when_stopping):
                return self._judged(await self._client.execute_command(b".", timeout=seconds))
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
        # The server can refuse a message that is too large before its body is sent (RFC 1870, 6.1).
        if offers("size"):
            yield f"SIZE={len(envelope.content)}"
        if offers("8bitmime") and not envelope.content.isascii():
            yield "BODY=8BITMIME"
        if not (envelope.sender + envelope.recipient).isascii():
            yield "SMTPUTF8"
        if offers("dsn"):
            # A bounce with the body would put the orders into other mailboxes.
            yield "RET=HDRS"
            yield f"ENVID={_xtext(envelope.envid)}"

    async def _write_body(self) -> None:
        """Write the body, and wait until the write buffer is empty."""
        # Under TLS asyncio may still hold the last 64 kB. If the connection is lost then, the
        # outcome is unknown instead of deferred, which is the safe side.
        # A line with a single dot would end the message (RFC 5321, 4.5.2).
        content = _LEADING_DOT.sub(b"..", self._envelope.content)
        if not content.endswith(b"\r\n"):
            content += b"\r\n"  # the dot needs a line of its own
        seconds = self._timeout.total_seconds() + len(content) / self._timeouts.bytes_per_second
        async with asyncio.timeout(seconds):
            # In pieces: asyncio's TLS encrypts each write as a whole, and fills memory with it.
            for start in range(0, len(content), _PIECE):
                await self._client.write(content[start : start + _PIECE])
        if not self._client.is_connected:
            raise SMTPServerDisconnected("in the body")

    def _judged(self, reply: SMTPResponse) -> DeliveryOutcome:
        text = reply_text(reply.code, self._mask(reply.message))
        if login_required(reply.code):
            raise LoginRequired(text)
        if not is_positive(reply.code) and not is_negative(reply.code):
            # Out of step: the next reply of this server may belong to this command.
            self._client.close()
        return DeliveryOutcome(judge(self.phase, reply.code), self.phase, text)

    def _lost(self, error: Exception) -> DeliveryOutcome:
        self._client.close()
        outcome = Outcome.UNKNOWN if self.phase is SmtpStage.DOT else Outcome.DEFERRED
        if isinstance(error, SMTPResponseException):
            error.message = self._mask(error.message)
        return DeliveryOutcome(outcome, self.phase, describe_error(error))


def _xtext(text: str) -> str:
    """Encode everything but printable ASCII, and + and =, as +HH (RFC 3461, 4)."""
    return "".join(
        chr(byte) if 33 <= byte <= 126 and byte not in b"+=" else f"+{byte:02X}"
        for byte in text.encode()
    )
