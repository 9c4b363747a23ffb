"""`GET /health` over real sockets, and whatever else may be sent to that socket."""

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

from notifier.services.daemon import Health
from notifier.web import health, webhook
from notifier.web.app import create_app, only
from notifier.web.server import CONNECTIONS_LIMIT, HEADER_BYTES_LIMIT, serving

WELL = Health(well=True, fields={"status": "ok"})
ILL = Health(well=False, fields={"status": "the store does not answer"})


@asynccontextmanager
async def health_socket(answer: Health = WELL, listen: str = "127.0.0.1:0") -> AsyncIterator[int]:
    """Serve the health socket of the whole app; yield its port."""

    async def collect() -> Health:
        return answer

    async def store_hints(*_: object) -> None:
        raise AssertionError("nobody posts here")

    app = create_app(health.health_route(collect), webhook.webhook_route({}, store_hints))
    async with serving(only(health.PATH, app), listen) as address:
        yield 0 if address == listen else int(address.rpartition(":")[2])


async def ask(port: int, *pieces: bytes) -> bytes:
    """Send the pieces, and return the answer until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.writelines(pieces)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


def get(target: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    return f"{method} {target} {version}\r\nHost: localhost\r\n\r\n".encode()


async def test_a_well_daemon_answers_200_in_json() -> None:
    async with health_socket() as port:
        head, _, body = (await ask(port, get("/health"))).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-type: application/json" in head.lower()
    assert b"cache-control: no-store" in head.lower()
    assert json.loads(body) == {"status": "ok"}


async def test_an_ill_daemon_answers_503_with_the_reason() -> None:
    async with health_socket(ILL) as port:
        head, _, body = (await ask(port, get("/health?full"))).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 503 ")
    assert json.loads(body) == {"status": "the store does not answer"}


OTHERS = [
    pytest.param(get("/"), 404, id="another page"),
    pytest.param(get("/health/"), 404, id="nearly"),
    pytest.param(get("/healthy"), 404, id="longer"),
    pytest.param(get("/hooks/x", "POST"), 404, id="the webhook"),
    pytest.param(get("/health", "POST"), 405, id="another method"),
    pytest.param(get("/health", version="HTTP/9"), 400, id="another protocol"),
    pytest.param(b"EHLO localhost\r\n\r\n", 400, id="not HTTP"),
    pytest.param(b"\x16\x03\x01\x02\r\n\r\n", 400, id="TLS"),
    pytest.param(get("/health")[:-2] + b"X: " + b"x" * HEADER_BYTES_LIMIT, 400, id="endless"),
]


@pytest.mark.parametrize(("question", "status"), OTHERS)
async def test_anything_else_is_refused(question: bytes, status: int) -> None:
    async with health_socket() as port:
        answer = await ask(port, question)

    assert answer.split()[1] == str(status).encode()


async def test_a_client_that_disconnects_half_way_leaves_nothing_behind() -> None:
    async with health_socket() as port:
        for _ in range(5):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /health")
            writer.close()
        assert (await ask(port, get("/health"))).startswith(b"HTTP/1.1 200 ")


async def test_a_crowd_is_kept_out() -> None:
    async with health_socket() as port:
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS_LIMIT)]
        assert (await ask(port, get("/health"))).startswith(b"HTTP/1.1 503 ")
        for _, writer in crowd:
            writer.close()


async def test_a_socket_is_for_its_group_and_is_gone_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "health"
    for _ in range(2):
        async with health_socket(listen=str(path)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(get("/health"))
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
            writer.close()
        assert not path.exists()


async def test_a_socket_that_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "health"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    async with health_socket(listen=str(path)):
        _, writer = await asyncio.open_unix_connection(path)
        writer.close()


async def test_a_file_that_is_not_a_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "health"
    path.write_text("mine")

    with pytest.raises(OSError, match="Address already in use"):
        async with health_socket(listen=str(path)):
            pass

    assert path.read_text() == "mine"


async def test_every_address_of_a_name_is_served() -> None:
    addresses = {
        str(one[4][0]) for one in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)
    }
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async with health_socket(listen=f"localhost:{port}"):
        for address in addresses:
            _, writer = await asyncio.open_connection(address, port)
            writer.close()


async def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_behind() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(OSError, match="Address already in use"),
    ):
        async with health_socket(listen=f"127.0.0.1:{taken.getsockname()[1]}"):
            pass

    gc.collect()  # an unclosed socket causes a warning, which fails the test


@pytest.mark.parametrize("steps", range(8))
async def test_a_client_that_connects_during_the_shutdown_leaves_nothing_behind(steps: int) -> None:
    async with health_socket() as port:
        client = socket.create_connection(("127.0.0.1", port))
        for _ in range(steps):  # in one of them, asyncio accepts the connection
            await asyncio.sleep(0)
    client.close()
    await asyncio.sleep(0)

    gc.collect()  # an unclosed socket causes a warning, which fails the test
