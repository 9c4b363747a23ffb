"""A policy service for Postfix that greylists, by the protocol of its SMTPD_POLICY_README.

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
    """The service, as an async context; `asked` counts each pair of sender and recipient."""

    def __init__(self, times: Mapping[str, int]) -> None:
        """`times` is how often a recipient is put off, for each of its senders; else never."""
        self.asked: Counter[tuple[str, str]] = Counter()
        self._times = times
        self._visits = Connections()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        await self._visits.end(self._server)

    @property
    def setting(self) -> str:
        """What makes a Postfix ask it."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return f"smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:{port}"

    def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._visits.begin(self._answer(reader, writer), writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):  # Postfix went away
            while True:
                question = (await reader.readuntil(b"\n\n")).decode()
                writer.write(f"action={self._verdict(question)}\n\n".encode())

    def _verdict(self, question: str) -> str:
        named = dict(line.split("=", 1) for line in question.splitlines() if line)
        pair = named["sender"], named["recipient"]
        self.asked[pair] += 1
        put_off = self.asked[pair] <= self._times.get(named["recipient"], 0)
        return "DEFER_IF_PERMIT 4.7.1 greylisted" if put_off else "OK"
