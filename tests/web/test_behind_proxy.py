"""The webhook behind nginx and Caddy, each configured as docs/webhook.md shows."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest
import trustme

from notifier.domain.settings import Secret
from notifier.sources.mall.webhook import MOST_BYTES
from notifier.web import webhook
from notifier.web.app import create_app, only
from notifier.web.server import serving

PAGE = Path(__file__).parents[2] / "docs" / "webhook.md"
CRLF = "\r\n"
HOST = "hooks.example.com"
TOKEN = "canary-webhook-token-behind-a-proxy"
PATIENCE_SECONDS = 10
HEADER_SECONDS = 5
"""As the page configures it."""


def example(language: str) -> str:
    """Return the block of the page in a language."""
    page = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return str(block)


def adapted(text: str, *changes: tuple[str, str]) -> str:
    """Replace ports, paths and certificate in the example by those of this test."""
    # Each exactly once: otherwise the page has changed, and the test might check something else.
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


Command = list[str]


def nginx(folder: Path, port: int) -> Command:
    site = adapted(
        example("nginx"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("/etc/letsencrypt/live/hooks.example.com/fullchain.pem", f"{folder}/cert.pem"),
        ("/etc/letsencrypt/live/hooks.example.com/privkey.pem", f"{folder}/key.pem"),
        ("/run/notifier/hook", f"{folder}/hook"),
    )
    # The necessary parts of Debian's /etc/nginx/nginx.conf. Temporary files go here, since an
    # ordinary user cannot write to nginx's usual folders.
    kept = "\n".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid;\n"
        f"events {{}}\nhttp {{\naccess_log {folder}/access.log;\n{kept}\n{site}}}\n"
    )
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    return [str(program), "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"]


def caddy(folder: Path, port: int) -> Command:
    site = adapted(
        example("caddy"),
        ("{\n    servers {", "{\n    admin off\n    auto_https off\n    servers {"),
        (
            f"{HOST} {{",
            f"https://{HOST}:{port} {{\n    tls {folder}/cert.pem {folder}/key.pem",
        ),
        ("/run/notifier/hook", f"{folder}/hook"),
    )
    (folder / "Caddyfile").write_text(site)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", f"{folder}/Caddyfile"]


@dataclass
class Proxy:
    """A running web server in front of the webhook."""

    port: int
    tls: ssl.SSLContext
    heard: list[tuple[int, ...]] = field(default_factory=list)

    async def store_hints(self, _: str, ids: Sequence[int]) -> None:
        self.heard.append(tuple(ids))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.tls, server_hostname=HOST
        )
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def answers(self, *pieces: bytes) -> bytes:
        """Send the pieces, and return the answer until the connection is closed."""
        async with self.connection() as (reader, writer), asyncio.timeout(PATIENCE_SECONDS):
            writer.writelines(pieces)
            return await reader.read()

    async def status(self, request: bytes) -> int:
        return int((await self.answers(request)).split()[1])

    async def refusal(self, request: bytes) -> int:
        """Return the status of a refused post; a 502 is asked about again, twice at most.

        A proxy reports 502 if the connection closes while it still sends the body.
        """
        for _ in range(2):
            if (status := await self.status(request)) != HTTPStatus.BAD_GATEWAY:
                return status
        return await self.status(request)


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = (f"Host: {HOST}", "Connection: close", f"Content-Length: {len(body)}", *headers)
    return f"POST {path} HTTP/1.1\r\n{CRLF.join(lines)}\r\n\r\n".encode() + body


@asynccontextmanager
async def running(arrange: Callable[[Path, int], Command], folder: Path) -> AsyncIterator[Proxy]:
    """Run the web server; the webhook behind it does not listen yet."""
    authority = trustme.CA()
    issued = authority.issue_cert(HOST)
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "output").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *arrange(folder, port), stdout=output, stderr=output, env={"HOME": str(folder)}
        )
    try:
        await listening(port, process)
        yield Proxy(port, trusting)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def listening(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while process.returncode is None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)
    raise AssertionError("it ended at once")


SERVERS = [
    pytest.param(
        arrange,
        id=arrange.__name__,
        marks=pytest.mark.skipif(
            shutil.which(arrange.__name__, path="/usr/sbin:/usr/bin") is None,
            reason=f"NOT CHECKED: the webhook behind {arrange.__name__}, which is not installed",
        ),
    )
    for arrange in (nginx, caddy)
]


@pytest.mark.slow
@pytest.mark.parametrize("arrange", SERVERS)
async def test_the_example_passes_posts_and_refuses_slow_or_large_requests(
    arrange: Callable[[Path, int], Command], tmp_path: Path
) -> None:
    async with running(arrange, tmp_path) as proxy:
        tokens = {"ljubljana": (Secret(TOKEN),)}
        app = create_app(webhook.webhook_route(tokens, proxy.store_hints))
        async with serving(only(webhook.PATH, app), f"{tmp_path}/hook"):
            hook = f"/hooks/{TOKEN}"
            assert await proxy.status(post(hook, b"[1, 2]")) == 202
            assert await proxy.refusal(post("/hooks/wrong", b"[1]")) == 404
            assert await proxy.status(post("/health", b"")) == 404
            assert await proxy.status(post(hook, b" " * (MOST_BYTES - 3) + b"[3]")) == 202
            assert await proxy.status(post(hook, b" " * (MOST_BYTES + 1))) == 413
            assert await proxy.status(post(hook, b"[4]", f"X-Large: {'x' * 60_000}")) in (400, 431)

            began = time.monotonic()
            slow = await proxy.answers(f"POST {hook} HTTP/1.1\r\nHost: {HOST}\r\n".encode())
            assert slow == b"" or slow.split()[1] == b"408"
            assert HEADER_SECONDS - 1 < time.monotonic() - began < HEADER_SECONDS + 3
        # Without the daemon, the proxy logs an error, which must not contain the token.
        assert await proxy.status(post(hook, b"[5]")) == 502

    assert proxy.heard == [(1, 2), (3,)]
    logs = [path for path in tmp_path.iterdir() if path.is_file()]
    assert [path.name for path in logs if TOKEN.encode() in path.read_bytes()] == []
