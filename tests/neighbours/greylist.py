"""A greylisting policy service for Postfix, after its SMTPD_POLICY_README.

::

    async with Greylist({"jana@example.com": 1}) as greylist:
        async with postfix(greylist.setting): ...
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from typing import Self

from tests.loopback import Connections


class Greylist:
    """The service as an async context manager; `requests` counts sender and recipient pairs."""

    def __init__(self, times: Mapping[str, int]) -> None:
        """`times` maps a recipient to the number of deferrals for each of its senders."""
        self.requests: Counter[tuple[str, str]] = Counter()
        self._times = times
        self._connections = Connections()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        await self._connections.end(self._server)

    @property
    def setting(self) -> str:
        """The line of main.cf that makes Postfix use this service."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return f"smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:{port}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.begin(self._answer(reader, writer), writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):  # Postfix disconnected
            while True:
                request = (await reader.readuntil(b"\n\n")).decode()
                writer.write(f"action={self._verdict(request)}\n\n".encode())

    def _verdict(self, request: str) -> str:
        attributes = dict(line.split("=", 1) for line in request.splitlines() if line)
        pair = attributes["sender"], attributes["recipient"]
        self.requests[pair] += 1
        deferred = self.requests[pair] <= self._times.get(attributes["recipient"], 0)
        return "DEFER_IF_PERMIT 4.7.1 greylisted" if deferred else "OK"
