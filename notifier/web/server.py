"""Serve an ASGI app on a socket of the running event loop.

uvicorn has no time limit for a request's header. The operator's web server in front of it closes
slow connections and refuses large headers (see docs/webhook.md).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

# Far more than a monitor and a marketplace need. Each open connection takes a file descriptor.
CONNECTIONS_LIMIT = 64
"""Open connections; requests on further ones are answered 503."""
# As in the examples for the web server in front, so that it and uvicorn refuse the same headers.
HEADER_BYTES_LIMIT = 16 * 1024
"""A longer header is answered 400."""
# A short time: the daemon has 60 seconds to end, and a message after its dot needs most of them.
SHUTDOWN_SECONDS = 3
"""Time for requests in progress to finish when the server closes."""

_OWNER_AND_GROUP = 0o660
_STEPS_TO_ACCEPT = 5


@asynccontextmanager
async def serving(app: ASGIApp, listen: str) -> AsyncIterator[str]:
    """Serve at `host:port`, or at the absolute path of a Unix socket, while the block runs.

    Yields the address with the actual port. Raises OSError if it cannot listen.
    """
    sockets = _bind(listen)
    server = _server(app)
    try:
        # The steps of uvicorn's `Server.serve`, which would also handle signals.
        await server.on_tick(0)  # copies the configured headers to the server's state
        await server.startup(sockets)
        yield _address(listen, sockets)
    finally:
        await _stop_accepting(sockets)
        await server.shutdown(sockets)
        # asyncio unlinks the path of a Unix socket only since Python 3.13.
        if listen.startswith("/"):
            Path(listen).unlink(missing_ok=True)  # noqa: ASYNC240 - too short to block


def _server(app: ASGIApp) -> uvicorn.Server:
    """Return a server that is configured but not started."""
    config = uvicorn.Config(
        app,
        http="h11",  # the only one whose header size can be limited
        ws="none",
        lifespan="off",
        proxy_headers=False,  # nothing depends on a visitor's address, and anybody can forge one
        server_header=False,
        date_header=False,
        # One request per connection: after a refusal, the rest of the body is not to be read.
        headers=[("connection", "close")],
        access_log=False,  # paths contain the token
        log_config=None,
        log_level="critical",  # strangers must not be able to fill our log
        limit_concurrency=CONNECTIONS_LIMIT,
        h11_max_incomplete_event_size=HEADER_BYTES_LIMIT,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    return server


async def _stop_accepting(sockets: list[socket.socket]) -> None:
    """Stop accepting, and let uvicorn notice connections that were accepted just before."""
    # If a server closes while asyncio accepts a connection, that connection is never closed
    # (python/cpython#109564).
    for listening in sockets:
        asyncio.get_running_loop().remove_reader(listening.fileno())
    for _ in range(_STEPS_TO_ACCEPT):
        await asyncio.sleep(0)


def _bind(listen: str) -> list[socket.socket]:
    """Bind the Unix socket, or each address of the host, as "localhost" may have two."""
    with ExitStack() as opened:
        if listen.startswith("/"):
            bound = [opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))]
            _bind_path(bound[0], Path(listen))
        else:
            host, _, port = listen.rpartition(":")
            found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
            bound = []
            for family, kind, protocol, _, address in found:
                bound.append(opened.enter_context(socket.socket(family, kind, protocol)))
                _bind_address(bound[-1], address)
        opened.pop_all()  # all are bound: keep them open
    return bound


def _bind_path(unix: socket.socket, path: Path) -> None:
    if path.is_socket():  # left by a process that was killed
        path.unlink()
    unix.bind(str(path))
    # The web server in front is a member of the group.
    path.chmod(_OWNER_AND_GROUP)


def _bind_address(tcp: socket.socket, address: tuple[Any, ...]) -> None:
    # Otherwise a restart fails while connections of the last process are in TIME_WAIT.
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if tcp.family == socket.AF_INET6:  # the IPv4 address has its own socket
        tcp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    tcp.bind(address)


def _address(listen: str, bound: list[socket.socket]) -> str:
    if listen.startswith("/"):
        return listen
    return f"{listen.rpartition(':')[0]}:{bound[0].getsockname()[1]}"
