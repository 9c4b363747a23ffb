"""A TCP proxy on a loopback port that does to what a server says what networks do to it.

    async with through(base_url, Cut(700, hard=True)) as broken:
        ...

What the client says goes through unharmed; numbers of bytes are counted anew on each connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.loopback import Connections

_PIECE = 2**16
_LINGER = struct.pack("ii", 1, 0)
"""On, for no time: what is closed so is closed by RST (socket(7))."""

Trouble = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Brings what a server says, first, to who asked, as far as that goes; then the line is closed."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Whatever comes, comes so many seconds later."""

    seconds: float = 0.0

    async def __call__(self, said: asyncio.StreamReader, asker: asyncio.StreamWriter) -> None:
        while piece := await said.read(_PIECE):
            await asyncio.sleep(self.seconds)
            asker.write(piece)
            await asker.drain()


@dataclass(frozen=True, slots=True)
class Slices:
    """It comes in slices of so many bytes, with a pause of so many seconds before each."""

    size: int = 1
    pause: float = 0.02

    async def __call__(self, said: asyncio.StreamReader, asker: asyncio.StreamWriter) -> None:
        while piece := await said.read(self.size):
            await asyncio.sleep(self.pause)
            asker.write(piece)
            await asker.drain()


@dataclass(frozen=True, slots=True)
class Cut:
    """After so many bytes it is over: by FIN, as of a server that ends, or `hard`, by RST."""

    after: int
    hard: bool = False

    async def __call__(self, said: asyncio.StreamReader, asker: asyncio.StreamWriter) -> None:
        await _first(self.after, said, asker)
        if self.hard:
            line: socket.socket = asker.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            asker.transport.abort()


@dataclass(frozen=True, slots=True)
class BlackHole:
    """After so many bytes nothing comes any more, and nobody closes the line."""

    after: int = 0

    async def __call__(self, said: asyncio.StreamReader, asker: asyncio.StreamWriter) -> None:
        await _first(self.after, said, asker)
        await asyncio.Event().wait()


async def _first(count: int, said: asyncio.StreamReader, asker: asyncio.StreamWriter) -> None:
    """Bring so many bytes."""
    left = count
    while left and (piece := await said.read(min(left, _PIECE))):
        asker.write(piece)
        await asker.drain()
        left -= len(piece)


@contextlib.asynccontextmanager
async def through(base_url: str, trouble: Trouble) -> AsyncIterator[str]:
    """Stand before the server at `base_url` while the block runs; gives the URL to ask instead."""
    host, port = urlsplit(base_url).hostname, urlsplit(base_url).port
    lines = Connections()

    def open_line(asking: asyncio.StreamReader, asker: asyncio.StreamWriter) -> None:
        lines.begin(_line(host, port, asking, asker, trouble), asker)

    server = await asyncio.start_server(open_line, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        await lines.end(server)


async def _line(
    host: str | None,
    port: int | None,
    asking: asyncio.StreamReader,
    asker: asyncio.StreamWriter,
    trouble: Trouble,
) -> None:
    """One connection, until either side has enough of it."""
    said, server = await asyncio.open_connection(host, port)
    ways = {
        asyncio.create_task(_pour(asking, server)),
        asyncio.create_task(_bring(trouble, said, asker)),
    }
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        server.transport.abort()  # at once: whoever ends the line may do so while it waits below
        await asyncio.gather(*ways, return_exceptions=True)
        await _close(asker)


async def _bring(trouble: Trouble, said: asyncio.StreamReader, asker: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):  # who asked did not wait
        await trouble(said, asker)


async def _pour(asking: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await asking.read(_PIECE):
            server.write(piece)
            await server.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()
