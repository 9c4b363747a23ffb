"""The webhook on a socket, used by honest senders and by strangers."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from notifier.domain.settings import Secret
from notifier.errors import StoreBusy
from notifier.services.daemon import Health
from notifier.sources.mall.webhook import MOST_BYTES, MOST_IDS
from notifier.web import health, webhook
from notifier.web.app import create_app, only
from notifier.web.server import CONNECTIONS_LIMIT, HEADER_BYTES_LIMIT, SHUTDOWN_SECONDS, serving
from notifier.web.webhook import CAPACITY, SECONDS_PER_TOKEN

LJUBLJANA = "canary-webhook-token-of-ljubljana-1"
RENEWED = "canary-webhook-token-of-ljubljana-2"
CELJE = "canary-webhook-token-of-celje-00001"
TOKENS = {"ljubljana": (Secret(LJUBLJANA), Secret(RENEWED)), "celje": (Secret(CELJE),)}
PATIENCE_SECONDS = 5


@dataclass
class HookServer:
    """A running webhook."""

    address: str = ""
    stored: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    seconds: float = 0.0
    broken: Exception | None = None
    """The error of storing a hint, if it is to fail."""

    async def store_hints(self, account_id: str, ids: Sequence[int]) -> None:
        if self.broken:
            raise self.broken
        self.stored.append((account_id, tuple(ids)))

    async def ask(self, question: bytes, *, then_end: bool = False) -> bytes:
        """Send some bytes, and return the answer until the connection is closed."""
        async with self.connect() as (reader, writer):
            writer.write(question)
            if then_end:
                writer.write_eof()
            return await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        if self.address.startswith("/"):
            reader, writer = await asyncio.open_unix_connection(self.address)
        else:
            host, _, port = self.address.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
        try:
            yield reader, writer
        finally:
            writer.close()

    async def posted(self, body: bytes, token: str = LJUBLJANA, **headers: str) -> int:
        """Post a body, and return the status."""
        return status_of(await self.ask(post(body, token, **headers)))


def post(body: bytes, token: str = LJUBLJANA, *, method: str = "POST", **headers: str) -> bytes:
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    fields = {"host": "example.com", "content-length": str(len(body)), **own}
    lines = [f"{name}: {value}" for name, value in fields.items() if value]
    head = "\r\n".join([f"{method} /hooks/{token} HTTP/1.1", *lines, "", ""])
    return head.encode("latin-1") + body


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.fixture
async def hook() -> AsyncIterator[HookServer]:
    async with opened("127.0.0.1:0") as hook:
        yield hook


@asynccontextmanager
async def opened(listen: str) -> AsyncIterator[HookServer]:
    hook = HookServer()
    route = webhook.webhook_route(
        TOKENS, hook.store_hints, body_seconds=0.2, monotonic=lambda: hook.seconds
    )
    app = create_app(health.health_route(no_health), route)
    async with serving(only(webhook.PATH, app), listen) as hook.address:
        yield hook


async def no_health() -> Health:
    raise AssertionError("nobody asks here")


async def test_a_post_is_stored_for_the_account_of_its_token(hook: HookServer) -> None:
    assert await hook.posted(b"[123456, 1234567]") == 202
    assert await hook.posted(b'[{"order_id": 5}]', CELJE) == 202

    assert hook.stored == [("ljubljana", (123456, 1234567)), ("celje", (5,))]


async def test_the_old_and_the_new_token_are_valid_during_a_change(hook: HookServer) -> None:
    assert [await hook.posted(b"[1]", token) for token in (LJUBLJANA, RENEWED)] == [202, 202]


async def test_a_body_in_chunks_is_read_as_well(hook: HookServer) -> None:
    question = post(b"3\r\n[1]\r\n0\r\n\r\n", content_length="", transfer_encoding="chunked")

    assert status_of(await hook.ask(question)) == 202
    assert hook.stored == [("ljubljana", (1,))]


async def test_a_socket_serves_its_group(tmp_path: Path) -> None:
    async with opened(f"{tmp_path}/hook") as hook:
        assert await hook.posted(b"[1]") == 202
        assert (tmp_path / "hook").stat().st_mode & 0o777 == 0o660
    assert not (tmp_path / "hook").exists()


async def test_the_answer_does_not_reveal_whether_an_order_exists(hook: HookServer) -> None:
    bodies = (b"[1]", b"[]", b'["nonsense", null]', json.dumps([*range(1, 900)]).encode())

    # Byte for byte the same, so that a thief of a token cannot find out which orders exist.
    assert len({await hook.ask(post(body)) for body in bodies}) == 1


WRONG_TOKENS = [
    post(b"[1]", token)
    for token in ("", "x", LJUBLJANA[:-1], f"{LJUBLJANA}x", LJUBLJANA.upper(), f"{CELJE}/", "%00")
]


async def test_every_answer_announces_that_the_connection_closes(hook: HookServer) -> None:
    questions = (post(b"[1]"), post(b"x"), post(b"", "x"), b"nonsense\r\n\r\n")

    for question in questions:
        assert b"connection: close" in (await hook.ask(question)).lower()


async def test_a_wrong_token_is_answered_byte_for_byte_as_any_path(hook: HookServer) -> None:
    elsewhere = await hook.ask(post(b"[1]").replace(b"/hooks/", b"/elsewhere/"))
    answers = [await hook.ask(question) for question in WRONG_TOKENS]
    asked = await hook.ask(post(b"", "x", method="GET"))

    assert status_of(elsewhere) == 404
    assert {asked, *answers} == {elsewhere}
    assert hook.stored == []


async def test_the_webhook_socket_does_not_serve_health(hook: HookServer) -> None:
    answer = await hook.ask(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")

    assert status_of(answer) == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "PATCH"])
async def test_every_method_except_post_is_refused(hook: HookServer, method: str) -> None:
    answer = await hook.ask(post(b"[1]", method=method))

    assert status_of(answer) == 405
    assert b"allow: POST" in answer
    assert b"access-control" not in answer.lower()


@pytest.mark.parametrize(
    ("question", "status"),
    [
        pytest.param(post(b"not json"), 400, id="no JSON"),
        pytest.param(post(b'{"order_id": 1}'), 400, id="an object"),
        pytest.param(post(b"[" * 60_000), 400, id="a deep nest"),
        pytest.param(post(gzip.compress(b"[1]"), content_encoding="gzip"), 400, id="compressed"),
        pytest.param(post(json.dumps([1] * (MOST_IDS + 1)).encode()), 413, id="too many ids"),
        pytest.param(post(b" " * (MOST_BYTES + 1)), 413, id="too long"),
        pytest.param(post(b"", content_length="9999999999"), 413, id="says that it is long"),
        pytest.param(post(b"", content_length="-1"), 400, id="a negative length"),
        pytest.param(post(b"", content_length="1" * 5000), 400, id="an absurd length"),
        pytest.param(post(b"", content_length=""), 411, id="no length"),
        pytest.param(post(b"0\r\n\r\n", transfer_encoding="chunked"), 400, id="two lengths"),
        pytest.param(post(b"")[:-4] + b"a" * HEADER_BYTES_LIMIT, 400, id="an endless head"),
        pytest.param(b"\x16\x03\x01\x00", 400, id="TLS"),
        pytest.param(b"hello\r\n\r\n", 400, id="no HTTP"),
        pytest.param(post(b"[1", content_length="3"), 408, id="half a body"),
    ],
)
async def test_each_kind_of_invalid_post_has_its_status(
    hook: HookServer, question: bytes, status: int
) -> None:
    assert status_of(await hook.ask(question)) == status
    assert hook.stored == []
    assert await hook.posted(b"[2]") == 202


async def test_an_endless_body_is_refused(hook: HookServer) -> None:
    endless = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    question = post(endless * 5, content_length="", transfer_encoding="chunked")

    assert status_of(await hook.ask(question)) == 413


async def test_a_sender_that_disconnects_changes_nothing(hook: HookServer) -> None:
    await hook.ask(post(b"[1", content_length="3"), then_end=True)

    assert hook.stored == []
    assert await hook.posted(b"[2]") == 202


async def test_a_second_request_on_the_same_connection_is_ignored(hook: HookServer) -> None:
    answer = await hook.ask(post(b"[1]") + post(b"[2]"))

    assert answer.count(b"HTTP/1.1") == 1
    assert hook.stored == [("ljubljana", (1,))]


async def test_a_flood_is_limited_and_does_not_affect_other_accounts(hook: HookServer) -> None:
    statuses = [await hook.posted(b"[1]") for _ in range(CAPACITY + 1)]
    answer = await hook.ask(post(b"[1]"))
    other = await hook.posted(b"[1]", CELJE)
    hook.seconds += SECONDS_PER_TOKEN
    later = await hook.posted(b"[1]")

    assert statuses == [202] * CAPACITY + [429]
    assert b"retry-after: 60" in answer
    assert (other, later) == (202, 202)


async def test_strangers_cannot_use_up_the_posts_of_an_account(hook: HookServer) -> None:
    for _ in range(CAPACITY + 1):
        await hook.posted(b"[1]", "x")

    assert await hook.posted(b"[1]") == 202


async def test_with_too_many_connections_open_a_post_is_to_be_repeated(hook: HookServer) -> None:
    async with AsyncExitStack() as connections:
        for _ in range(CONNECTIONS_LIMIT):
            await connections.enter_async_context(hook.connect())

        assert await hook.posted(b"[1]") == 503


async def test_a_post_in_progress_is_finished_before_the_server_closes() -> None:
    async with AsyncExitStack() as stack:
        async with opened("127.0.0.1:0") as hook:
            reader, writer = await stack.enter_async_context(hook.connect())
            writer.write(post(b"[1", content_length="3"))
            await asyncio.sleep(0.05)
            asyncio.get_running_loop().call_later(0.1, writer.write, b"]")

        assert status_of(await reader.read()) == 202
    assert hook.stored == [("ljubljana", (1,))]


@pytest.mark.slow
async def test_a_request_that_does_not_end_cannot_keep_the_server_open() -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    route = webhook.webhook_route(TOKENS, never)
    async with asyncio.timeout(SHUTDOWN_SECONDS + 2):
        async with serving(create_app(route), "127.0.0.1:0") as address:
            hook = HookServer(address)
            async with hook.connect() as (_, writer):
                writer.write(post(b"[1]"))
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("broken", [StoreBusy("busy"), RuntimeError("closed")])
async def test_a_post_that_cannot_be_stored_is_answered_503(
    hook: HookServer, broken: Exception
) -> None:
    hook.broken = broken

    answer = await hook.ask(post(b"[1]"))

    assert status_of(answer) == 503
    assert b"retry-after: 60" in answer


async def test_only_counts_of_a_request_are_logged(
    hook: HookServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await hook.posted(b'[1, "\\u001b[31mred\\n"]')
        await hook.posted(b"[1]", "x\x1b[31m")
        await hook.ask(b"GET \xff\xff HTTP/1.1\r\nA: \x1b[31m\r\n\r\n")
        for token in ("x", LJUBLJANA):  # an invalid chunk at once, and one after a valid chunk
            await hook.ask(
                post(b"nonsense\r\n", token, content_length="", transfer_encoding="chunked")
            )
            async with hook.connect() as (reader, writer):
                writer.write(
                    post(b"1\r\n[\r\n", token, content_length="", transfer_encoding="chunked")
                )
                await asyncio.sleep(0.05)
                writer.write(b"nonsense\r\n")
                await reader.read()

    logged = [one.getMessage() for one in caplog.records if one.levelno >= logging.INFO]
    assert logged == ["ljubljana: 1 orders hinted at"]
    assert "canary" not in caplog.text
