"""Pings to a monitor, which can do no harm whatever it does."""

from __future__ import annotations

import logging
from asyncio import StreamWriter
from datetime import timedelta

import pytest

from notifier.http import HttpClient
from notifier.monitoring.ping import MAX_BYTES, Ping
from tests.loopback import Behaviour, answer, behaving, hangs, says, says_and_resets

SECRET = "5f1c-canary"
GARBAGE = bytes(range(256)) * 4


async def ping(port: int, *, url: str = "http://127.0.0.1:{port}/{secret}") -> None:
    """Send all three pings."""
    async with HttpClient() as http:
        url = url.format(port=port, secret=SECRET)
        monitor = Ping(url, http, timeout=timedelta(seconds=0.2))
        await monitor.report_start()
        await monitor.report_success()
        await monitor.report_failure("no-digest; `notifier status` shows more")


@pytest.mark.parametrize("slash", ["", "/"])
async def test_pings_are_those_of_healthchecks(slash: str) -> None:
    requests: list[bytes] = []

    async def notes(head: bytes, writer: StreamWriter) -> None:
        requests.append(head.split(b" HTTP")[0])
        writer.write(answer(b"OK", headers=["Connection: close"]))
        await writer.drain()
        writer.close()

    async with behaving(notes) as port:
        await ping(port, url="http://127.0.0.1:{port}/{secret}" + slash)

    assert requests == [
        f"GET /{SECRET}/start".encode(),
        f"GET /{SECRET}{slash}".encode(),
        f"POST /{SECRET}/fail".encode(),
    ]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (hangs, "did not answer within"),
        (says_and_resets(b""), "broke off"),
        (says_and_resets(b"HTTP/1.1 200 OK\r\nContent-Len"), "broke off"),
        (says_and_resets(GARBAGE), "broke off"),
        (says(answer(b"x" * (MAX_BYTES + 1))), "more than"),
        (says(answer(b"", "500 Oops", ["Connection: close"])), "it answered 500"),
        (says(answer(b"", "404 Not Found", ["Connection: close"])), "it answered 404"),
        (says(answer(b"", "302 Found", ["Location: /elsewhere"])), "redirect"),
    ],
    ids=["hangs", "resets", "cut", "garbage", "flood", "500", "404", "redirect"],
)
async def test_a_failing_monitor_is_logged_without_its_url(
    behaviour: Behaviour, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with behaving(behaviour) as port:
        await ping(port)

    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    assert all(reason in record.getMessage() for record in caplog.records)
    assert SECRET not in caplog.text


async def test_an_invalid_url_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await ping(1, url="http://monitor.example:{port}/{secret}")

    assert len(caplog.records) == 3
    assert SECRET not in caplog.text


async def test_an_unreachable_monitor_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with behaving(hangs) as port:
        pass
    await ping(port)

    reason = f"127.0.0.1:{port} cannot be reached; check alarms.ping_url and the network"
    assert all(reason in record.getMessage() for record in caplog.records)


def test_a_monitor_does_not_show_its_url() -> None:
    assert SECRET not in repr(Ping(f"https://monitor.example/{SECRET}", HttpClient()))
