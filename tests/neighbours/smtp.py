"""A mail server on a loopback port that behaves until a test tells it what to do instead.

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
    """What of a conversation can be scripted."""

    GREETING = "greeting"
    EHLO = "ehlo"
    HELO = "helo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    """Once the first part of it has come."""
    DOT = "dot"
    RSET = "rset"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message the server took, with its envelope; `content` without the dots of transport."""

    sender: str
    recipient: str
    content: bytes
    mail_options: tuple[str, ...]
    rcpt_options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """A line that came over the wire, be it a command or a part of a login."""

    line: str
    encrypted: bool


Action = Callable[["Conversation"], Awaitable[int]]
"""Does something instead of the answer to a step; gives the code it answered, 0 for none.

The code decides how it goes on: any 2xx to the dot keeps the message, 220 to STARTTLS begins TLS.
"""


def says(text: str) -> Action:
    """Answers with these lines."""
    return says_bytes("\r\n".join([*text.splitlines(), ""]).encode())


def says_bytes(raw: bytes) -> Action:
    """Writes these bytes and nothing else."""

    async def action(conversation: Conversation) -> int:
        conversation.writer.write(raw)
        await conversation.writer.drain()
        return _code(raw)

    return action


def says_and_drops(text: str) -> Action:
    """Answers with these lines, and hangs up."""

    async def action(conversation: Conversation) -> int:
        await says(text)(conversation)
        return await drops(conversation)

    return action


def drips(raw: bytes, *, pause: float = 0.05) -> Action:
    """Writes one byte after the other."""

    async def action(conversation: Conversation) -> int:
        for byte in raw:
            conversation.writer.write(bytes([byte]))
            await conversation.writer.drain()
            await asyncio.sleep(pause)
        return _code(raw)

    return action


def floods(piece: bytes) -> Action:
    """Writes the same piece again and again until the client has had enough."""

    async def action(conversation: Conversation) -> int:
        while not conversation.writer.is_closing():
            conversation.writer.write(piece)
            await conversation.writer.drain()
            await asyncio.sleep(0)
        return 0

    return action


def accepts_and(then: Action) -> Action:
    """At the dot: keeps the message, and does something else than say so."""

    async def action(conversation: Conversation) -> int:
        conversation.keep()
        return await then(conversation)

    return action


async def drops(conversation: Conversation) -> int:
    """Hangs up."""
    conversation.writer.close()
    return 0


async def resets(conversation: Conversation) -> int:
    """Cuts the connection as a crashing host does."""
    sock: socket.socket = conversation.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conversation.writer.transport.abort()
    return 0


async def hangs(_conversation: Conversation) -> int:
    """Never says anything again, and reads nothing."""
    await asyncio.Event().wait()
    return 0


@dataclass(slots=True)
class _Scripted:
    step: Step
    actions: deque[Action]
    only: str
    always: bool

    def suits(self, step: Step, line: str) -> bool:
        return bool(self.actions) and step is self.step and self.only in line

    def next(self) -> Action:
        return self.actions[0] if self.always else self.actions.popleft()


class SmtpNeighbour:
    """The server, as an async context; `port` and what it heard are there to look at."""

    def __init__(
        self,
        *,
        offers: tuple[str, ...] = OFFERS,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN"),
    ) -> None:
        """`tls` is begun with the connection if `implicit`, and offered as STARTTLS otherwise."""
        self.offers = offers
        self.tls = tls
        self.implicit = implicit
        self.mechanisms = mechanisms
        self.login: tuple[str, str] | None = None
        self.port = 0
        self.accepted: list[Accepted] = []
        self.unfinished: list[bytes] = []
        """Bodies that were never ended by a dot, as they came."""
        self.body = b""
        """What has come so far of the latest body, with the dots of transport."""
        self.heard: list[Heard] = []
        self.visits = 0
        self._scripted: list[_Scripted] = []
        self._greylisted: Counter[str] = Counter()
        self._refusals = 0
        self._open = Connections()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        tls = self.tls if self.implicit else None
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        await self._open.end(self._server)
        await self._server.wait_closed()

    def script(self, step: Step, *actions: Action, only: str = "", always: bool = False) -> None:
        """The next times `step` comes, with `only` in its line, do these instead, one each.

        With `always` the first of them is done every time.
        """
        self._scripted.append(_Scripted(Step(step), deque(actions), only, always))

    def behave(self) -> None:
        """Forget the scripts, and the greylist."""
        self._scripted.clear()
        self._refusals = 0

    def require_login(self, username: str, password: str) -> None:
        """Take mail only from who logs in like that."""
        self.login = (username, password)

    def greylist(self, times: int = 1) -> None:
        """Put every recipient off with 451, each that many times."""
        self._refusals = times

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Let the server work until something about it is so; TimeoutError if it never is."""
        async with asyncio.timeout(5):
            while not is_so():  # noqa: ASYNC110 - an event for whatever is asked would say less
                await asyncio.sleep(0)

    @property
    def commands(self) -> list[str]:
        """The verbs that were heard, in order."""
        return [heard.line.partition(" ")[0].upper() for heard in self.heard]

    def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        self._open.begin(Conversation(self, reader, writer).hold(), writer)

    def _action(self, step: Step, line: str, otherwise: str) -> Action:
        for scripted in self._scripted:
            if scripted.suits(step, line):
                return scripted.next()
        return says(otherwise)

    def _puts_off(self, recipient: str) -> bool:
        self._greylisted[recipient] += 1
        return self._greylisted[recipient] <= self._refusals


@dataclass(slots=True)
class Conversation:
    """One connection; `envelope` is what MAIL and RCPT said so far."""

    server: SmtpNeighbour
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    authenticated: bool = False
    sender: tuple[str, tuple[str, ...]] | None = None
    recipients: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    body: bytes = b""

    async def hold(self) -> None:
        """Talk until either side has enough."""
        with contextlib.suppress(OSError):  # the client went away
            await self._act(Step.GREETING, "", "220 neighbour.example ESMTP")
            while not self.writer.is_closing() and (line := await self._hear()):
                await self._obey(line)

    def keep(self) -> None:
        """Take the message that has come, once for each of its recipients."""
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

    async def _obey(self, line: str) -> None:
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
        said = _decoded(line.split()[2:])
        match line.split()[1].upper():
            case "PLAIN":
                username, password = said[0].split("\0")[1:]
            case "LOGIN":
                await says("334 UGFzc3dvcmQ6")(self)
                username, password = said[0], _decoded([await self._hear()])[0]
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
        if _fine(code):
            self.sender = _path(line)

    async def _rcpt(self, line: str) -> None:
        path = _path(line)
        put_off = self.server._puts_off(path[0])
        code = await self._act(
            Step.RCPT, line, "451 4.7.1 greylisted, come back" if put_off else "250 2.1.5 ok"
        )
        if _fine(code):
            self.recipients.append(path)

    async def _data(self, line: str) -> None:
        ready = self.sender and self.recipients
        answer = "354 end with a dot" if ready else "503 5.5.1 MAIL and RCPT first"
        if await self._act(Step.DATA, line, answer) != 354:
            return
        if await self._read_body() and _fine(await self._act(Step.DOT, line, "250 2.0.0 kept")):
            self.keep()
        self._forget()

    async def _read_body(self) -> bool:
        """Read up to the dot; False when the client went away before."""
        self.server.body = b""
        raw = b"\r\n"  # so that a dot in the first line is one at the beginning of a line
        while not raw.endswith(_END):
            piece = await self._read_piece()
            raw += piece
            self.server.body = raw[2:]
            if not piece:
                self.server.unfinished.append(raw[2:])
                return False
            for scripted in self.server._scripted:
                if scripted.suits(Step.BODY, ""):
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

    async def _hear(self) -> str:
        line = (await self.reader.readline()).decode("utf-8", "replace").rstrip("\r\n")
        if line:
            self.server.heard.append(Heard(line, self.encrypted))
        return line

    async def _act(self, step: Step, line: str, otherwise: str) -> int:
        return await self.server._action(step, line, otherwise)(self)


def _path(line: str) -> tuple[str, tuple[str, ...]]:
    """The address and the parameters of MAIL or RCPT."""
    found = _PATH.search(line)
    assert found, f"not a command of RFC 5321: {line}"
    return found["address"], tuple(found["options"].split())


def _decoded(words: list[str]) -> list[str]:
    return [base64.b64decode(word).decode() for word in words]


def _code(raw: bytes) -> int:
    return int(raw[:3]) if raw[:3].isdigit() else 0


def _fine(code: int) -> bool:
    return 200 <= code < 300
