"""The simulator on a socket of the running event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence

import uvicorn

from notifier.simulator.app import create_app
from notifier.simulator.world import World


class _Server(uvicorn.Server):
    """Says when it listens, and leaves the process's signals to whoever runs it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextlib.asynccontextmanager
async def serve(
    world: World, host: str = "127.0.0.1", port: int = 0, *, others: Sequence[World] = ()
) -> AsyncIterator[str]:
    """Serve while the block runs; gives the base URL. Port 0 takes any free one.

    OSError when the address is taken.
    """
    listener = socket.create_server((host, port))
    # asyncio does this for sockets of its own making; without, each answer waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = _Server(_config(world, others))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.listening.wait()
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


def _config(world: World, others: Sequence[World]) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(world, others),
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="warning",
        date_header=False,  # the world has a clock of its own
        server_header=False,
        timeout_graceful_shutdown=1,
    )
