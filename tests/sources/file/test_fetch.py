"""A file on a web server is fetched with few calls, and its address is never shown."""

from __future__ import annotations

import asyncio
import base64
import logging
from datetime import UTC, datetime, timedelta

import pytest

from notifier.domain.reading import Complete, Failed, Reading
from notifier.domain.settings import FileAccess, FileFormat
from notifier.errors import FileRefused, FileUnavailable
from notifier.http import HttpClient
from notifier.sources.file import OrderFile
from notifier.sources.file.fetch import MOST_TRIES
from tests.loopback import Behaviour, answer, behaving, hangs, says, says_and_resets
from tests.sources.file.shop import HEADER, NOW, access, no_wait, row

TOKEN = "canary-token"
CSV = f"{HEADER}\n{row(1)}\n".encode()
DATE = "Date: Mon, 23 Nov 2026 05:00:10 GMT"


def at(port: int, **more: object) -> FileAccess:
    return access(f"http://127.0.0.1:{port}/{TOKEN}/orders.csv?key={TOKEN}", **more)


async def read_from(behaviour: Behaviour, **more: object) -> tuple[Reading, OrderFile]:
    async with behaving(behaviour) as port, HttpClient() as http:
        file = OrderFile(at(port, **more), http, clock=lambda: NOW, sleep=no_wait)
        return await file.read(()), file


async def test_the_list_and_the_clock_of_a_web_server_are_read() -> None:
    reading, file = await read_from(says(answer(CSV, headers=[DATE])))

    assert isinstance(reading, Complete)
    assert [order.id for order in reading.orders] == [1]
    assert reading.calls == 1
    assert file.server_time == datetime(2026, 11, 23, 5, 0, 10, tzinfo=UTC)


async def test_the_server_is_asked_for_its_clock() -> None:
    async with behaving(says(answer(CSV, headers=[DATE]))) as port, HttpClient() as http:
        file = OrderFile(at(port), http, clock=lambda: NOW, sleep=no_wait)

        assert await file.ask_time() == datetime(2026, 11, 23, 5, 0, 10, tzinfo=UTC)


async def test_json_is_read_from_the_web_as_well() -> None:
    reading, _ = await read_from(
        says(answer(b'[{"no": 7}]')), format=FileFormat.JSON, columns={"id": "no"}
    )

    assert isinstance(reading, Complete)
    assert [order.id for order in reading.orders] == [7]


@pytest.mark.parametrize(
    ("status", "kind", "why"),
    [
        ("401 Unauthorized", FileRefused, "is denied (401); check the address"),
        ("403 Forbidden", FileRefused, "is denied (403)"),
        ("404 Not Found", FileRefused, "does not exist (404); check the address"),
        ("418 I'm a teapot", FileRefused, "is rejected (418)"),
        ("204 No Content", FileUnavailable, "cannot be fetched now (204)"),
        ("302 Found", FileRefused, "answers with a redirect"),
        ("429 Too Many", FileUnavailable, "cannot be fetched now (429)"),
        ("503 Unavailable", FileUnavailable, "cannot be fetched now (503); it is tried again"),
    ],
)
async def test_no_answer_but_200_is_a_list(status: str, kind: type, why: str) -> None:
    body = b"" if status.startswith("204") else CSV
    reading, _ = await read_from(says(answer(body, status)))

    assert isinstance(reading, Failed)
    assert isinstance(reading.error, kind)
    assert why in reading.why


async def test_a_server_in_trouble_is_asked_some_times() -> None:
    asked = 0

    async def recovers(_head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.write(answer(CSV, "200 OK" if asked == MOST_TRIES else "503 Unavailable"))

    reading, _ = await read_from(recovers)

    assert isinstance(reading, Complete)
    assert (reading.calls, asked) == (MOST_TRIES, MOST_TRIES)


async def test_an_answer_that_breaks_off_or_never_comes_is_no_list() -> None:
    cut, _ = await read_from(says_and_resets(answer(CSV)[:-20]))
    slow, _ = await read_from(hangs, request_timeout=timedelta(seconds=0.05))
    endless, _ = await read_from(hangs, run_timeout=timedelta(seconds=0.05))

    for reading in (cut, slow, endless):
        assert isinstance(reading, Failed)
        assert isinstance(reading.error, FileUnavailable)


async def test_an_export_that_stopped_is_told_by_the_servers_clock() -> None:
    old = "Last-Modified: Sat, 21 Nov 2026 05:00:00 GMT"
    reading, _ = await read_from(says(answer(CSV, headers=[DATE, old])))

    assert isinstance(reading, Failed)
    assert "was written 48 hours ago, and max_age_hours allows 36" in reading.why


async def test_a_login_in_the_address_is_used_and_never_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard = b""

    async def listens(head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        heard = head
        writer.write(answer(CSV))

    async with behaving(listens) as port, HttpClient() as http:
        url = f"http://me:{TOKEN}@127.0.0.1:{port}/orders.csv"
        reading = await OrderFile(access(url), http, clock=lambda: NOW, sleep=no_wait).read(())

    assert isinstance(reading, Complete)
    assert base64.b64encode(f"me:{TOKEN}".encode()) in heard
    assert TOKEN not in caplog.text + repr(access(url))


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "404 Not Found", "503 Unavailable"])
async def test_of_an_address_only_the_host_is_told(
    caplog: pytest.LogCaptureFixture, status: str
) -> None:
    caplog.set_level(logging.DEBUG)
    body = f"{HEADER}\n{row('')}\n{TOKEN}".encode() if status == "200 OK" else b""
    reading, file = await read_from(says(answer(body.replace(TOKEN.encode(), b"x"), status)))

    assert isinstance(reading, Failed)
    assert "the file at 127.0.0.1" in reading.why
    assert TOKEN not in caplog.text + reading.why + repr(reading) + file.name
