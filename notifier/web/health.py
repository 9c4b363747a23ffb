"""Where a monitor on this machine asks how the daemon is: `GET /health`, and nothing else.

A few dozen lines of HTTP/1.1 instead of a server: one short answer, then the connection is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

PATH = "/health"
LARGEST_HEAD = 8 * 1024
SECONDS = 5.0
"""That a visit may take, however slowly its bytes come."""
MOST_VISITORS = 32

_GROUP_MAY_ASK = 0o660
_TURNS = 5


@dataclass(frozen=True, slots=True)
class HealthReport:
    """How we are: well or not, and what there is to know about it."""

    well: bool
    fields: Mapping[str, object]


Ask = Callable[[], Awaitable[HealthReport]]


@asynccontextmanager
async def open_door(listen: str, ask: Ask, *, seconds: float = SECONDS) -> AsyncIterator[str]:
    """Answer at `host:port`, or at a socket by its whole path, while the block runs.

    Gives the address, with the port that was taken. Raises OSError where it cannot be had.
    """
    visits: set[asyncio.Task[None]] = set()

    def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(visits) >= MOST_VISITORS:
            writer.transport.abort()
            return
        task = asyncio.create_task(_visit(reader, writer, ask, seconds))
        visits.add(task)
        task.add_done_callback(visits.discard)
        # Not in the task itself: one that is cancelled before its first step has no `finally`.
        task.add_done_callback(lambda _: writer.transport.abort())

    server, address = await _listen(listen, visit)
    try:
        yield address
    finally:
        await _let_nobody_in(server)
        for task in visits:
            task.cancel()
        await asyncio.gather(*visits, return_exceptions=True)
        await _turns()
        if listen.startswith("/"):
            Path(listen).unlink(missing_ok=True)  # noqa: ASYNC240 - a moment, at the very end


async def _let_nobody_in(server: asyncio.Server) -> None:
    """Close `server` once whoever was let in just before has become a visit.

    asyncio would forget, open, the connection it is accepting while its server is closed
    (python/cpython#109564).
    """
    for listening in server.sockets:
        asyncio.get_running_loop().remove_reader(listening.fileno())
    await _turns()
    server.close()


async def _turns() -> None:
    """Let asyncio do what it has put off: make known what it accepted, close what was aborted."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def _listen(
    listen: str, visit: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]
) -> tuple[asyncio.Server, str]:
    if listen.startswith("/"):
        server = await asyncio.start_unix_server(visit, listen, limit=LARGEST_HEAD)
        Path(listen).chmod(_GROUP_MAY_ASK)  # noqa: ASYNC240 - a moment, at the beginning
        return server, listen
    host, _, port = listen.rpartition(":")
    server = await asyncio.start_server(visit, host.strip("[]"), int(port), limit=LARGEST_HEAD)
    taken = server.sockets[0].getsockname()[1]
    return server, f"{host}:{taken}"


async def _visit(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ask: Ask, seconds: float
) -> None:
    """One question, one answer; a visitor who goes away or says nothing costs us nothing."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        try:
            async with asyncio.timeout(seconds):
                writer.write(await _answer(reader, ask))
                await writer.drain()
        except TimeoutError:
            writer.write(_response(HTTPStatus.REQUEST_TIMEOUT))
        writer.close()
        async with asyncio.timeout(seconds):
            await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader, ask: Ask) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        return _response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    match head.split(b"\r\n", 1)[0].split(b" "):
        case [method, target, b"HTTP/1.1" | b"HTTP/1.0"]:
            return await _respond(method, target, ask)
        case _:
            return _response(HTTPStatus.BAD_REQUEST)


async def _respond(method: bytes, target: bytes, ask: Ask) -> bytes:
    if target.partition(b"?")[0] != PATH.encode():
        return _response(HTTPStatus.NOT_FOUND)
    if method != b"GET":
        return _response(HTTPStatus.METHOD_NOT_ALLOWED, headers=("Allow: GET",))
    answer = await ask()
    body = json.dumps(answer.fields).encode() + b"\n"
    status = HTTPStatus.OK if answer.well else HTTPStatus.SERVICE_UNAVAILABLE
    return _response(status, body, ("Content-Type: application/json",))


def _response(status: HTTPStatus, body: bytes = b"", headers: tuple[str, ...] = ()) -> bytes:
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        *headers,
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode() + body
