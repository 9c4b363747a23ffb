"""HTTP servers on loopback ports that answer byte by byte what a test prescribes."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence

_EVENT_LOOP_TURNS = 5

Behaviour = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""How a server answers a request, given the request's head and the connection's writer."""


class Connections:
    """The open connections of a test server, one task each; `end` closes all."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, talk: Coroutine[None, None, None], writer: asyncio.StreamWriter) -> None:
        """Run `talk` in a task, and abort the connection when it ends or is cancelled."""
        task = asyncio.create_task(talk)
        task.add_done_callback(lambda _: writer.transport.abort())
        self._tasks.add(task)

    async def end(self, server: asyncio.Server) -> None:
        """Close the server and cancel its tasks; raise the first exception of a task."""
        # Let connections that were just accepted become tasks first: asyncio forgets a connection
        # whose server is closed while it is being accepted (python/cpython#109564).
        for listening in server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        await _run_pending_callbacks()
        server.close()
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await _run_pending_callbacks()
        for error in ended:
            if isinstance(error, Exception):
                raise error


async def _run_pending_callbacks() -> None:
    """Let asyncio run its pending callbacks, which no call of its API waits for in all versions.

    StreamWriter.wait_closed() never ends after a failed handshake, and wait_closed() of a
    server does not wait for its connections before Python 3.12.
    """
    for _ in range(_EVENT_LOOP_TURNS):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def behaving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve while the block runs; yield the port."""
    connections = Connections()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.begin(_serve(reader, writer, behaviour), writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await connections.end(server)


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
    """Return the bytes of a complete HTTP response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def says(*pieces: bytes) -> Behaviour:
    """Write `pieces`, then wait for the next request."""

    async def behaviour(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.writelines(pieces)

    return behaviour


def says_and_resets(piece: bytes) -> Behaviour:
    """Write `piece`, then reset the connection."""

    async def behaviour(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(piece)
        await writer.drain()
        writer.transport.abort()

    return behaviour


def drips(whole: bytes, *, pause: float = 0.01) -> Behaviour:
    """Write one byte after the other, with pauses."""

    async def behaviour(_head: bytes, writer: asyncio.StreamWriter) -> None:
        for byte in whole:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause)

    return behaviour


async def hangs(_head: bytes, _writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()
