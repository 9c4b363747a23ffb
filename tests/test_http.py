"""The HTTP client keeps its deadlines, its limits and its secrets."""

from __future__ import annotations

import asyncio
import gzip
import logging
import ssl
import traceback
import zlib
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
import trustme

from notifier.errors import ConfigError, UnavailableError
from notifier.http import HttpAnswer, HttpClient, NoAnswer, http_date
from tests.loopback import Behaviour, answer, behaving, drips, hangs, says, says_and_resets

SECRET = "s3cr3t-client-id"
OPTION = "marketplace.base_url"
SOON = timedelta(seconds=5)


async def ask(
    url: str, client: HttpClient | None = None, *, seconds: float = 5, most_bytes: int = 10_000
) -> HttpAnswer:
    async with client or HttpClient() as http:
        return await http.get(
            url,
            query={"client_id": SECRET},
            timeout=timedelta(seconds=seconds),
            most_bytes=most_bytes,
            option=OPTION,
        )


async def failure(asking: Awaitable[HttpAnswer]) -> NoAnswer:
    with pytest.raises(NoAnswer) as caught:
        await asking
    # With its causes: a log would show them, too.
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SECRET not in shown
    return caught.value


async def test_an_answer_has_status_headers_in_lower_case_and_the_body() -> None:
    async with behaving(says(answer(b"hello", "418 Teapot", ["X-Kind: Oolong"]))) as port:
        got = await ask(f"http://127.0.0.1:{port}/tea")

    assert (got.status, got.headers["x-kind"], got.body) == (418, "Oolong", b"hello")


async def test_it_names_the_program_and_asks_for_no_compression() -> None:
    heads: list[bytes] = []

    async def notes(head: bytes, writer: StreamWriter) -> None:
        heads.append(head.lower())
        writer.write(answer(b""))

    async with behaving(notes) as port:
        await ask(f"http://127.0.0.1:{port}/")

    assert b"accept-encoding: identity\r\n" in heads[0]
    assert b"user-agent: notifier/" in heads[0]


async def test_calls_in_a_row_share_a_connection() -> None:
    connections: set[int] = set()

    async def notes(_head: bytes, writer: StreamWriter) -> None:
        connections.add(id(writer))
        writer.write(answer(b""))

    async with behaving(notes) as port, HttpClient() as http:
        for _ in range(3):
            await http.get(f"http://127.0.0.1:{port}/", timeout=SOON, most_bytes=10, option=OPTION)

    assert len(connections) == 1


async def ask_together(port: int, http: HttpClient, times: int) -> None:
    address = f"http://127.0.0.1:{port}/"
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for _ in range(times):
            group.create_task(http.get(address, timeout=SOON, most_bytes=10, option=OPTION))


def answers_together(calls: int, writers: list[StreamWriter]) -> Behaviour:
    """Answer once this number of calls is in progress, and collect their connections."""
    # Without the gate, an early answer could free its connection for a call that begins later.
    gate = asyncio.Barrier(calls)

    async def notes(_head: bytes, writer: StreamWriter) -> None:
        writers.append(writer)
        await gate.wait()
        writer.write(answer(b""))

    return notes


async def test_calls_at_the_same_time_have_a_connection_each_and_the_next_use_it_again() -> None:
    writers: list[StreamWriter] = []

    async with behaving(answers_together(30, writers)) as port, HttpClient() as http:
        for _ in range(3):
            await ask_together(port, http, 30)

    assert (len(writers), len(set(writers))) == (90, 30)


async def test_idle_connections_are_closed_by_a_later_call() -> None:
    writers: list[StreamWriter] = []
    client = HttpClient(kept=timedelta(0))

    async with behaving(answers_together(2, writers)) as port, client as http:
        await ask_together(port, http, 2)
        closed = [asyncio.create_task(writer.wait_closed()) for writer in writers]
        async with behaving(says(answer(b""))) as elsewhere:
            await ask_together(elsewhere, http, 1)

        await asyncio.wait(closed, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        assert [task.done() for task in closed].count(True) == 1
    await asyncio.gather(*closed)


async def test_neither_body_nor_headers_of_an_answer_are_shown() -> None:
    got = HttpAnswer(200, {"set-cookie": "canary"}, b"canary")

    assert "canary" not in f"{got!r} {got}"


async def test_a_server_that_drips_bytes_is_left_at_the_deadline() -> None:
    async with behaving(drips(answer(b"x" * 1000))) as port:
        error = await failure(ask(f"http://127.0.0.1:{port}/", seconds=0.1))

    assert f"127.0.0.1:{port} did not answer within 0.1 seconds; check {OPTION} and" in str(error)
    assert error.retryable


async def test_a_silent_server_is_left_at_the_deadline() -> None:
    async with behaving(hangs) as port:
        error = await failure(ask(f"http://127.0.0.1:{port}/", seconds=0.05))

    assert "did not answer within" in str(error)


async def test_a_closed_port_is_reported_with_host_port_and_option() -> None:
    # A port that was open a moment ago is closed for certain.
    async with behaving(hangs) as port:
        pass

    error = await failure(ask(f"http://127.0.0.1:{port}/"))

    assert f"127.0.0.1:{port} cannot be reached; check {OPTION} and the network" in str(error)


async def test_an_answer_cut_off_at_any_byte_is_refused() -> None:
    whole = answer(b'{"result": {"status": "OK"}, "data": []}')
    ends = count()

    async def cuts(head: bytes, writer: StreamWriter) -> None:
        await says_and_resets(whole[: next(ends)])(head, writer)

    async with behaving(cuts) as port, HttpClient() as http:
        for _ in whole:
            with pytest.raises(NoAnswer):
                await http.get(
                    f"http://127.0.0.1:{port}/", timeout=SOON, most_bytes=999, option=OPTION
                )


async def test_a_body_beyond_the_cap_is_not_read_to_its_end() -> None:
    async def pours(_head: bytes, writer: StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 65536)
            await writer.drain()

    async with behaving(pours) as port:
        error = await failure(ask(f"http://127.0.0.1:{port}/"))

    assert "more than 10000 bytes" in str(error)


def _packed_zeros(megabytes: int) -> bytes:
    packer = zlib.compressobj(wbits=31)
    chunk = bytes(2**20)
    return b"".join([*(packer.compress(chunk) for _ in range(megabytes)), packer.flush()])


async def test_a_gzip_bomb_is_stopped_at_the_cap() -> None:
    # About 64 kB on the wire, 64 MiB when decompressed.
    bomb = answer(_packed_zeros(64), headers=["Content-Encoding: gzip"])

    async with behaving(says(bomb)) as port:
        error = await failure(ask(f"http://127.0.0.1:{port}/"))

    assert "more than 10000 bytes" in str(error)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes), ("", bytes)],
)
async def test_an_answer_compressed_without_request_is_decompressed(
    encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    packed = answer(pack(b"hello"), headers=[f"Content-Encoding: {encoding}"])

    async with behaving(says(packed)) as port:
        assert (await ask(f"http://127.0.0.1:{port}/")).body == b"hello"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(b"hello" * 99)[:-9]), ("gzip", b"hello"), ("br", b"hello")],
    ids=["cut", "not compressed", "brotli"],
)
async def test_an_answer_with_broken_compression_is_refused(encoding: str, body: bytes) -> None:
    async with behaving(says(answer(body, headers=[f"Content-Encoding: {encoding}"]))) as port:
        await failure(ask(f"http://127.0.0.1:{port}/"))


@pytest.mark.parametrize(
    "target",
    [
        *(
            "https://elsewhere.example/",
            "http://169.254.169.254/latest",
            "file:///etc/passwd",
            "/v2",
        ),
        *("https://xn--a.example/", "https://[::1", "javascript:x", "http://a:b:c/"),
    ],
)
async def test_redirects_are_not_followed(target: str) -> None:
    heads: list[bytes] = []

    async def sends_away(head: bytes, writer: StreamWriter) -> None:
        heads.append(head)
        away = answer(b"", "302 Found", [f"Location: {target}?client_id={SECRET}"])
        writer.write(away)

    async with behaving(sends_away) as port:
        error = await failure(ask(f"http://127.0.0.1:{port}/"))

    assert "redirect (302)" in str(error)
    assert not error.retryable
    assert len(heads) == 1


@pytest.mark.parametrize(
    "noise", [b"hello\r\n\r\n", b"HTTP/1.1 9999 What\r\n\r\n", b"\x16\x03\x01\x00\x00", b"\r\n" * 9]
)
async def test_an_answer_that_is_not_http_is_refused(noise: bytes) -> None:
    async with behaving(says_and_resets(noise)) as port:
        await failure(ask(f"http://127.0.0.1:{port}/"))


async def test_endless_headers_are_refused() -> None:
    async with behaving(says(b"HTTP/1.1 200 OK\r\n", b"X-More: y\r\n" * 100_000)) as port:
        await failure(ask(f"http://127.0.0.1:{port}/"))


@pytest.mark.parametrize(
    "url", ["http://shop.example/v1", "ftp://127.0.0.1/", "http://127.0.0.1.example/", "shop"]
)
async def test_only_loopback_is_asked_without_https(url: str) -> None:
    with pytest.raises(ConfigError, match="https only"):
        await ask(url)


async def test_no_cookie_is_kept_nor_sent_back() -> None:
    heads: list[bytes] = []

    async def bakes(head: bytes, writer: StreamWriter) -> None:
        heads.append(head.lower())
        writer.write(answer(b"", headers=["Set-Cookie: a=b", "Set-Cookie: c=\xff\xfe; Path=/"]))

    async with behaving(bakes) as port, HttpClient() as http:
        for _ in range(2):
            await http.get(f"http://127.0.0.1:{port}/", timeout=SOON, most_bytes=10, option=OPTION)

    assert [head for head in heads if b"cookie" in head] == []


@pytest.mark.parametrize("url", ["https://127.0.0.1:99999/", "https://127.0.0.1:-1/"])
async def test_an_invalid_port_is_a_mistake_in_the_configuration(url: str) -> None:
    with pytest.raises(ConfigError, match="for a port; write"):
        await ask(url)


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "https://exa\x00mple/", "https://a:b:c/", "https://xn--a.example/"],
)
async def test_an_invalid_url_is_a_mistake_in_the_configuration(url: str) -> None:
    with pytest.raises(ConfigError, match="is not a URL") as caught:
        await ask(url)

    assert url not in str(caught.value)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def _tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_ca_file_makes_a_private_authority_trusted(
    authority: trustme.CA, ca_file: Path
) -> None:
    async with behaving(says(answer(b"hello")), _tls(authority, "127.0.0.1")) as port:
        got = await ask(f"https://127.0.0.1:{port}/", HttpClient(ca_file=ca_file))

    assert got.body == b"hello"


async def test_an_unknown_certificate_is_refused_even_on_loopback(authority: trustme.CA) -> None:
    async with behaving(says(answer(b"hello")), _tls(authority, "127.0.0.1")) as port:
        error = await failure(ask(f"https://127.0.0.1:{port}/"))

    assert "certificate of 127.0.0.1 is not accepted" in str(error)
    assert "SSL_CERT_FILE" in str(error)


async def test_a_certificate_of_another_host_is_refused(
    authority: trustme.CA, ca_file: Path
) -> None:
    async with behaving(says(answer(b"hello")), _tls(authority, "other.example")) as port:
        error = await failure(ask(f"https://127.0.0.1:{port}/", HttpClient(ca_file=ca_file)))

    assert "certificate of 127.0.0.1 is not accepted" in str(error)


async def test_a_server_without_tls_is_reported_as_such() -> None:
    async def speaks_plainly(_reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(answer(b"hello"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speaks_plainly, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(ask(f"https://127.0.0.1:{port}/"))

    assert "127.0.0.1 does not speak TLS correctly" in str(error)


async def test_an_endless_handshake_is_left_before_the_deadline() -> None:
    async with behaving(hangs) as port:
        error = await failure(ask(f"https://127.0.0.1:{port}/", seconds=0.1))

    assert f"127.0.0.1:{port} cannot be reached" in str(error)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["none", "empty", "text"])
def test_an_unusable_ca_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "roots.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"roots\.pem"):
        HttpClient(ca_file=path)


def test_an_unusable_ssl_cert_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))

    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        HttpClient()


async def test_loopback_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    async with behaving(says(answer(b"hello"))) as port:
        assert (await ask(f"http://127.0.0.1:{port}/")).body == b"hello"


async def test_a_configured_proxy_sees_the_host_name_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heads: list[bytes] = []

    async def refuses(head: bytes, writer: StreamWriter) -> None:
        heads.append(head)
        writer.write(answer(b"", "403 No"))

    async with behaving(refuses) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        error = await failure(ask("https://shop.example/v1/orders"))

    assert heads[0].startswith(b"CONNECT shop.example:443 ")
    assert SECRET.encode() not in heads[0]
    assert "HTTPS_PROXY" in str(error)


def test_an_invalid_proxy_is_a_mistake_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://user:s3cr3t@proxy.example")

    with pytest.raises(ConfigError, match="HTTPS_PROXY") as caught:
        HttpClient()

    assert "s3cr3t" not in str(caught.value)


async def test_nothing_is_logged_that_contains_the_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async with behaving(says(answer(b"hello"))) as port:
        await ask(f"http://127.0.0.1:{port}/")

    assert SECRET not in caplog.text


def test_a_missing_answer_is_a_temporary_error() -> None:
    assert issubclass(NoAnswer, UnavailableError)
    assert NoAnswer("…").temporary


@pytest.mark.parametrize("value", ["tomorrow", "٣", "Mon, 02 Mar 2026 99:00:30 GMT"])
def test_an_invalid_date_is_none(value: str) -> None:
    assert http_date(value) is None
