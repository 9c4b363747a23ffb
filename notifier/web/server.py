"""An ASGI app on a socket of the running loop, for visitors who may be strangers.

One visit, one question: no connection is kept, so that one deadline bounds all of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

HEAD_SECONDS = 5.0
"""In which a question must have come up to its body."""
VISIT_SECONDS = 30.0
"""That a whole visit may take, its answer included."""
MOST_VISITORS = 64
LARGEST_BUFFER = 16 * 1024
"""Of what came and is no whole head yet."""

_GROUP_MAY_ASK = 0o660


class Visit(H11Protocol):
    """One connection. uvicorn reads HTTP; here is what it leaves out: to be impatient."""

    head_seconds = HEAD_SECONDS
    visit_seconds = VISIT_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadlines = [
            self.loop.call_later(self.head_seconds, self._expect_head),
            self.loop.call_later(self.visit_seconds, transport.abort),
        ]
        if len(self.connections) > MOST_VISITORS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for deadline in self._deadlines:
            deadline.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the text is for nobody
        too_long = len(self.conn.trailing_data[0]) > LARGEST_BUFFER
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE if too_long else HTTPStatus.BAD_REQUEST
        self._refuse(status)

    def on_response_complete(self) -> None:
        self.transport.close()  # before it looks for a second question
        super().on_response_complete()

    def _expect_head(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer without the app, unless it has begun to; nothing more is read."""
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or not cycle.response_started:
            self.transport.write(
                f"HTTP/1.1 {status.value} {status.phrase}\r\n"
                "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
        self.transport.close()


@asynccontextmanager
async def serving(app: ASGIApp, listen: str, *, visit: type[Visit] = Visit) -> AsyncIterator[str]:
    """Serve at `host:port`, or at a socket by its whole path, while the block runs.

    Gives the address, with the port that was taken. Raises OSError where it cannot be had.
    """
    config = uvicorn.Config(
        app,
        http=visit,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        access_log=False,  # the path holds the token
        log_config=None,
        log_level="critical",  # strangers may write nothing into our log
        h11_max_incomplete_event_size=LARGEST_BUFFER,
    )
    config.load()
    state = ServerState()
    # Said, so that nobody asks a second question of a connection that is about to close.
    state.default_headers = [(b"connection", b"close")]
    server, address = await _listen(listen, lambda: visit(config, state, {}))
    try:
        yield address
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEAD_SECONDS):
                await asyncio.gather(*state.tasks, return_exceptions=True)
        if listen.startswith("/"):
            Path(listen).unlink(missing_ok=True)  # noqa: ASYNC240 - a moment, at the very end


async def _listen(listen: str, make: Callable[[], asyncio.Protocol]) -> tuple[asyncio.Server, str]:
    loop = asyncio.get_running_loop()
    if listen.startswith("/"):
        server = await loop.create_unix_server(make, listen)
        Path(listen).chmod(_GROUP_MAY_ASK)  # noqa: ASYNC240 - a moment, at the beginning
        return server, listen
    host, _, port = listen.rpartition(":")
    server = await loop.create_server(make, host.strip("[]"), int(port))
    return server, f"{host}:{server.sockets[0].getsockname()[1]}"
