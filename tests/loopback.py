"""Servers on loopback ports that answer what a test tells them to, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

Behaviour = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""What is done once the head of a request, given first, has come."""


@contextlib.asynccontextmanager
async def behaving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve while the block runs; gives the port."""
    visits: set[asyncio.Task[None]] = set()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.add(asyncio.create_task(_serve(reader, writer, behaviour)))

    server = await asyncio.start_server(visit, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in visits:
            task.cancel()
        await asyncio.gather(*visits, return_exceptions=True)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behaviour: Behaviour
) -> None:
    try:
        while not writer.is_closing():
            await behaviour(await reader.readuntil(b"\r\n\r\n"), writer)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def answer(
    body: bytes, status: str = "200 OK", headers: Sequence[str] = ("Content-Type: text/plain",)
) -> bytes:
    """A whole answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def says(*pieces: bytes) -> Behaviour:
    """Writes `pieces`, and waits for the next request."""

    async def behaviour(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.writelines(pieces)

    return behaviour


def says_and_resets(piece: bytes) -> Behaviour:
    """Writes `piece`, and cuts the connection."""

    async def behaviour(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(piece)
        await writer.drain()
        writer.transport.abort()

    return behaviour


def drips(whole: bytes, *, pause: float = 0.01) -> Behaviour:
    """Writes one byte after the other."""

    async def behaviour(_head: bytes, writer: asyncio.StreamWriter) -> None:
        for byte in whole:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause)

    return behaviour


async def hangs(_head: bytes, _writer: asyncio.StreamWriter) -> None:
    """Never says anything."""
    await asyncio.Event().wait()
