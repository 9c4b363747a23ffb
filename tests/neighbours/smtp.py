"""An SMTP server on a loopback port that behaves well unless a test scripts something else.

::

    async with SmtpNeighbour() as server:
        server.script(Step.RCPT, says("451 4.7.1 come back"), only="pavol@example.com")
        server.script(Step.DOT, accepts_and(resets))
        ...
        assert [message.recipient for message in server.accepted] == ["jana@example.com"]
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import socket
import ssl
import struct
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from tests.loopback import Connections

OFFERS = ("SIZE 52428800", "8BITMIME", "DSN", "SMTPUTF8")
_END = b"\r\n.\r\n"
_PATH = re.compile(r"(?:FROM|TO):<(?P<address>[^>]*)>(?P<options>.*)", re.IGNORECASE)


class Step(StrEnum):
    """The steps of a conversation that a test can script."""

    GREETING = "greeting"
    EHLO = "ehlo"
    HELO = "helo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    """When the first part of the body has arrived."""
    DOT = "dot"
    RSET = "rset"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that the server accepted, with its envelope; `content` without dot-stuffing."""

    sender: str
    recipient: str
    content: bytes
    mail_options: tuple[str, ...]
    rcpt_options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """A line that the client sent: a command or a part of a login."""

    line: str
    encrypted: bool


Action = Callable[["Conversation"], Awaitable[int]]
"""What the server does at a step instead of its usual reply; returns the reply's code, 0 for none.

The code decides what follows: any 2xx after the dot keeps the message, 220 to STARTTLS begins TLS.
"""


def says(text: str) -> Action:
    """Reply with these lines."""
    return says_bytes("\r\n".join([*text.splitlines(), ""]).encode())


def says_bytes(raw: bytes) -> Action:
    """Write exactly these bytes."""

    async def action(conversation: Conversation) -> int:
        conversation.writer.write(raw)
        await conversation.writer.drain()
        return _code(raw)

    return action


def says_and_drops(text: str) -> Action:
    """Reply with these lines, then close the connection."""

    async def action(conversation: Conversation) -> int:
        await says(text)(conversation)
        return await drops(conversation)

    return action


def drips(raw: bytes, *, pause: float = 0.05) -> Action:
    """Write one byte after the other, with pauses."""

    async def action(conversation: Conversation) -> int:
        for byte in raw:
            conversation.writer.write(bytes([byte]))
            await conversation.writer.drain()
            await asyncio.sleep(pause)
        return _code(raw)

    return action


def floods(piece: bytes) -> Action:
    """Write the same piece again and again until the client closes the connection."""

    async def action(conversation: Conversation) -> int:
        while not conversation.writer.is_closing():
            conversation.writer.write(piece)
            await conversation.writer.drain()
            await asyncio.sleep(0)
        return 0

    return action


def accepts_and(then: Action) -> Action:
    """Keep the message at the dot, but do `then` instead of confirming it."""

    async def action(conversation: Conversation) -> int:
        conversation.keep()
        return await then(conversation)

    return action


async def drops(conversation: Conversation) -> int:
    """Close the connection without a reply."""
    conversation.writer.close()
    return 0


async def resets(conversation: Conversation) -> int:
    """Reset the connection as a crashing host does."""
    sock: socket.socket = conversation.writer.get_extra_info("socket")
    # With a linger time of zero, closing sends RST instead of FIN.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conversation.writer.transport.abort()
    return 0


async def hangs(_conversation: Conversation) -> int:
    """Neither reply nor read any more."""
    await asyncio.Event().wait()
    return 0


@dataclass(slots=True)
class _Scripted:
    step: Step
    actions: deque[Action]
    only: str
    always: bool

    def applies_to(self, step: Step, line: str) -> bool:
        return bool(self.actions) and step is self.step and self.only in line

    def next(self) -> Action:
        return self.actions[0] if self.always else self.actions.popleft()


class SmtpNeighbour:
    """The server as an async context manager; it records what it receives."""

    def __init__(
        self,
        *,
        offers: tuple[str, ...] = OFFERS,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN"),
    ) -> None:
        """Use `tls` from the connection's first byte if `implicit`, otherwise offer STARTTLS."""
        self.offers = offers
        self.tls = tls
        self.implicit = implicit
        self.mechanisms = mechanisms
        self.login: tuple[str, str] | None = None
        self.port = 0
        self.accepted: list[Accepted] = []
        self.unfinished: list[bytes] = []
        """Bodies without a final dot, as received."""
        self.body = b""
        """The part of the latest body received so far, with dot-stuffing."""
        self.received: list[ReceivedLine] = []
        self.connections = 0
        """The number of connections accepted."""
        self._scripted: list[_Scripted] = []
        self._attempts: Counter[str] = Counter()
        self._greylist_times = 0
        self._open = Connections()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        tls = self.tls if self.implicit else None
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        await self._open.end(self._server)
        await self._server.wait_closed()

    def script(self, step: Step, *actions: Action, only: str = "", always: bool = False) -> None:
        """Do `actions` at the next occurrences of `step`, one each, instead of the usual reply.

        `only` limits this to commands that contain it; `always` repeats the first action for ever.
        """
        self._scripted.append(_Scripted(Step(step), deque(actions), only, always))

    def behave(self) -> None:
        """Remove all scripts and the greylist."""
        self._scripted.clear()
        self._greylist_times = 0

    def require_login(self, username: str, password: str) -> None:
        """Accept mail only after a login with these credentials."""
        self.login = (username, password)

    def greylist(self, times: int = 1) -> None:
        """Refuse each recipient with 451 this many times."""
        self._greylist_times = times

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds; raise TimeoutError after five seconds."""
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - conditions have no common event
                await asyncio.sleep(0)

    @property
    def commands(self) -> list[str]:
        """The verbs of the received commands, in order."""
        return [received.line.partition(" ")[0].upper() for received in self.received]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.begin(Conversation(self, reader, writer).run(), writer)

    def _action(self, step: Step, line: str, otherwise: str) -> Action:
        for scripted in self._scripted:
            if scripted.applies_to(step, line):
                return scripted.next()
        return says(otherwise)

    def _is_greylisted(self, recipient: str) -> bool:
        self._attempts[recipient] += 1
        return self._attempts[recipient] <= self._greylist_times


@dataclass(slots=True)
class Conversation:
    """One connection, with the envelope and the body received so far."""

    server: SmtpNeighbour
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    authenticated: bool = False
    sender: tuple[str, tuple[str, ...]] | None = None
    recipients: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    body: bytes = b""

    async def run(self) -> None:
        """Answer commands until either side closes the connection."""
        with contextlib.suppress(OSError):  # the client closed the connection
            await self._act(Step.GREETING, "", "220 neighbour.example ESMTP")
            while not self.writer.is_closing() and (line := await self._read_line()):
                await self._handle(line)

    def keep(self) -> None:
        """Record the received message as accepted, once for each recipient."""
        assert self.sender is not None
        content = b"\r\n".join(line.removeprefix(b".") for line in self.body.split(b"\r\n"))
        sender, mail_options = self.sender
        for recipient, rcpt_options in self.recipients:
            self.server.accepted.append(
                Accepted(sender, recipient, content, mail_options, rcpt_options)
            )

    @property
    def encrypted(self) -> bool:
        return self.writer.get_extra_info("sslcontext") is not None

    async def _handle(self, line: str) -> None:
        match line.partition(" ")[0].upper():
            case "EHLO":
                await self._act(Step.EHLO, line, self._offer())
            case "HELO":
                await self._act(Step.HELO, line, "250 neighbour.example")
            case "STARTTLS":
                await self._start_tls(line)
            case "AUTH":
                await self._log_in(line)
            case "MAIL":
                await self._mail(line)
            case "RCPT":
                await self._rcpt(line)
            case "DATA":
                await self._data(line)
            case "RSET":
                self._forget()
                await self._act(Step.RSET, line, "250 2.0.0 forgotten")
            case "QUIT":
                await self._act(Step.QUIT, line, "221 2.0.0 bye")
                self.writer.close()
            case _:
                await says("502 5.5.1 not here")(self)

    def _offer(self) -> str:
        offers = list(self.server.offers)
        if self.server.tls and not self.encrypted:
            offers.append("STARTTLS")
        if self.server.login:
            offers.append(" ".join(["AUTH", *self.server.mechanisms]))
        lines = ["neighbour.example", *offers]
        return "\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])

    async def _start_tls(self, line: str) -> None:
        code = await self._act(Step.STARTTLS, line, "220 2.0.0 go ahead")
        if code == 220:
            assert self.server.tls is not None
            await self.writer.start_tls(self.server.tls)

    async def _log_in(self, line: str) -> None:
        credentials = _decoded(line.split()[2:])
        match line.split()[1].upper():
            case "PLAIN":
                username, password = credentials[0].split("\0")[1:]
            case "LOGIN":
                await says("334 UGFzc3dvcmQ6")(self)
                username, password = credentials[0], _decoded([await self._read_line()])[0]
            case _:
                await says("504 5.5.4 not that way")(self)
                return
        right = (username, password) == self.server.login
        verdict = "235 2.7.0 welcome" if right else "535 5.7.8 wrong name or password"
        self.authenticated = await self._act(Step.AUTH, line, verdict) == 235

    async def _mail(self, line: str) -> None:
        refuse = self.server.login and not self.authenticated
        code = await self._act(
            Step.MAIL, line, "530 5.7.0 log in first" if refuse else "250 2.1.0 ok"
        )
        if _is_positive(code):
            self.sender = _path(line)

    async def _rcpt(self, line: str) -> None:
        path = _path(line)
        greylisted = self.server._is_greylisted(path[0])
        code = await self._act(
            Step.RCPT, line, "451 4.7.1 greylisted, come back" if greylisted else "250 2.1.5 ok"
        )
        if _is_positive(code):
            self.recipients.append(path)

    async def _data(self, line: str) -> None:
        ready = self.sender and self.recipients
        answer = "354 end with a dot" if ready else "503 5.5.1 MAIL and RCPT first"
        if await self._act(Step.DATA, line, answer) != 354:
            return
        if await self._read_body() and _is_positive(
            await self._act(Step.DOT, line, "250 2.0.0 kept")
        ):
            self.keep()
        self._forget()

    async def _read_body(self) -> bool:
        """Read up to the final dot; return False when the client disconnected before it."""
        self.server.body = b""
        raw = b"\r\n"  # finds the final dot of an empty body, too
        while not raw.endswith(_END):
            piece = await self._read_piece()
            raw += piece
            self.server.body = raw[2:]
            if not piece:
                self.server.unfinished.append(raw[2:])
                return False
            for scripted in self.server._scripted:
                if scripted.applies_to(Step.BODY, ""):
                    await scripted.next()(self)
        self.body = raw[2 : -len(_END) + 2]
        return True

    async def _read_piece(self) -> bytes:
        try:
            return await self.reader.read(65536)
        except OSError:
            return b""

    def _forget(self) -> None:
        self.sender = None
        self.recipients = []

    async def _read_line(self) -> str:
        line = (await self.reader.readline()).decode("utf-8", "replace").rstrip("\r\n")
        if line:
            self.server.received.append(ReceivedLine(line, self.encrypted))
        return line

    async def _act(self, step: Step, line: str, otherwise: str) -> int:
        return await self.server._action(step, line, otherwise)(self)


def _path(line: str) -> tuple[str, tuple[str, ...]]:
    """Return the address and the parameters of MAIL or RCPT."""
    found = _PATH.search(line)
    assert found, f"not a command of RFC 5321: {line}"
    return found["address"], tuple(found["options"].split())


def _decoded(words: list[str]) -> list[str]:
    return [base64.b64decode(word).decode() for word in words]


def _code(raw: bytes) -> int:
    return int(raw[:3]) if raw[:3].isdigit() else 0


def _is_positive(code: int) -> bool:
    return 200 <= code < 300
