"""`GET /health` over real sockets, and what else may come in at that door."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from notifier.web.health import MOST_VISITORS, HealthReport, open_door

WELL = HealthReport(well=True, fields={"status": "ok"})
ILL = HealthReport(well=False, fields={"status": "the store does not answer"})


@asynccontextmanager
async def door(answer: HealthReport = WELL, *, seconds: float = 5.0) -> AsyncIterator[int]:
    async def ask() -> HealthReport:
        return answer

    async with open_door("127.0.0.1:0", ask, seconds=seconds) as address:
        yield int(address.rpartition(":")[2])


async def said(port: int, *pieces: bytes) -> bytes:
    """What comes back until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.writelines(pieces)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


def get(target: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    return f"{method} {target} {version}\r\nHost: localhost\r\n\r\n".encode()


async def test_who_is_well_says_so_in_json() -> None:
    async with door() as port:
        head, _, body = (await said(port, get("/health"))).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: application/json" in head
    assert json.loads(body) == {"status": "ok"}


async def test_who_is_not_well_says_503_and_why() -> None:
    async with door(ILL) as port:
        head, _, body = (await said(port, get("/health?full"))).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 503 ")
    assert json.loads(body) == {"status": "the store does not answer"}


OTHERS = [
    pytest.param(get("/"), 404, id="another page"),
    pytest.param(get("/health/"), 404, id="nearly"),
    pytest.param(get("/health", "POST"), 405, id="another method"),
    pytest.param(get("/health", version="HTTP/9"), 400, id="another protocol"),
    pytest.param(b"EHLO localhost\r\n\r\n", 400, id="not HTTP"),
    pytest.param(b"\x16\x03\x01\x02\r\n\r\n", 400, id="TLS"),
    pytest.param(get("/health")[:-2] + b"X: " + b"x" * 9000 + b"\r\n\r\n", 431, id="endless"),
]


@pytest.mark.parametrize(("question", "status"), OTHERS)
async def test_anything_else_is_refused(question: bytes, status: int) -> None:
    async with door() as port:
        answer = await said(port, question)

    assert answer.split()[1] == str(status).encode()


async def test_who_says_nothing_is_shown_out() -> None:
    async with door(seconds=0.1) as port:
        answer = await said(port, b"GET /hea")

    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_who_goes_away_half_way_leaves_nothing_behind() -> None:
    async with door() as port:
        for _ in range(5):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health")
            writer.close()
        assert (await said(port, get("/health"))).startswith(b"HTTP/1.1 200 ")


async def test_a_crowd_is_kept_out() -> None:
    async with door() as port:
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_VISITORS)]
        assert await _heard(port) == b""
        for _, writer in crowd:
            writer.close()


async def _heard(port: int) -> bytes:
    try:
        return await said(port, get("/health"))
    except ConnectionError:
        return b""


async def test_a_socket_is_for_its_group_and_is_gone_at_the_end(tmp_path: Path) -> None:
    async def ask() -> HealthReport:
        return WELL

    path = tmp_path / "health"
    for _ in range(2):
        async with open_door(str(path), ask) as address:
            assert address == str(path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(get("/health"))
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
            writer.close()
        assert not path.exists()


@pytest.mark.parametrize("turns", range(8))
async def test_who_comes_as_the_door_closes_leaves_nothing_behind(turns: int) -> None:
    async with door() as port:
        visitor = socket.create_connection(("127.0.0.1", port))
        for _ in range(turns):  # of the loop, in one of which the visit begins
            await asyncio.sleep(0)
    visitor.close()
    await asyncio.sleep(0)

    gc.collect()  # a socket that was not closed is a warning, and so a failure
