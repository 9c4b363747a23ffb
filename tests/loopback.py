"""Servers on loopback ports that answer what a test tells them to, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence

_TURNS_TO_CLOSE = 5

Behaviour = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""What is done once the head of a request, given first, has come."""


class Visits:
    """The connections to a server of ours, a task each; none is open after `end`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, talk: Coroutine[None, None, None], writer: asyncio.StreamWriter) -> None:
        """Hold `talk`, and cut the connection however it ends, be it before its first step."""
        task = asyncio.create_task(talk)
        task.add_done_callback(lambda _: writer.transport.abort())
        self._tasks.add(task)

    async def end(self, server: asyncio.Server) -> None:
        """Let nobody else in, and end the talks; raises what one of them raised."""
        # What was accepted just before becomes a visit first: asyncio forgets a connection that it
        # is accepting while its server is closed (python/cpython#109564).
        for listening in server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        await _turns()
        server.close()
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await _turns()
        for error in ended:
            if isinstance(error, Exception):
                raise error


async def _turns() -> None:
    """Let asyncio do what it has put off; it offers nothing to wait for that holds everywhere.

    StreamWriter.wait_closed() never ends after a handshake that failed, and wait_closed() of a
    server does not wait for its connections before Python 3.12.
    """
    for _ in range(_TURNS_TO_CLOSE):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def behaving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve while the block runs; gives the port."""
    visits = Visits()

    def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.begin(_serve(reader, writer, behaviour), writer)

    server = await asyncio.start_server(visit, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await visits.end(server)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behaviour: Behaviour
) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        while not writer.is_closing():
            await behaviour(await reader.readuntil(b"\r\n\r\n"), writer)
            await writer.drain()


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
