"""A monitor is told how we are, and can do no harm whatever it does."""

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


async def tell(port: int, *, url: str = "http://127.0.0.1:{port}/{secret}") -> None:
    """Everything that can be told."""
    async with HttpClient() as http:
        url = url.format(port=port, secret=SECRET)
        monitor = Ping(url, http, timeout=timedelta(seconds=0.2))
        await monitor.report_start()
        await monitor.report_success()
        await monitor.report_failure("no-digest; `notifier status` tells more")


@pytest.mark.parametrize("slash", ["", "/"])
async def test_it_tells_the_way_healthchecks_does(slash: str) -> None:
    asked: list[bytes] = []

    async def notes(head: bytes, writer: StreamWriter) -> None:
        asked.append(head.split(b" HTTP")[0])
        writer.write(answer(b"OK", headers=["Connection: close"]))
        await writer.drain()
        writer.close()

    async with behaving(notes) as port:
        await tell(port, url="http://127.0.0.1:{port}/{secret}" + slash)

    assert asked == [
        f"GET /{SECRET}/start".encode(),
        f"GET /{SECRET}{slash}".encode(),
        f"POST /{SECRET}/fail".encode(),
    ]


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (hangs, "did not answer within"),
        (says_and_resets(b""), "broke off"),
        (says_and_resets(b"HTTP/1.1 200 OK\r\nContent-Len"), "broke off"),
        (says_and_resets(GARBAGE), "broke off"),
        (says(answer(b"x" * (MAX_BYTES + 1))), "more than"),
        (says(answer(b"", "500 Oops", ["Connection: close"])), "it answers 500"),
        (says(answer(b"", "404 Not Found", ["Connection: close"])), "it answers 404"),
        (says(answer(b"", "302 Found", ["Location: /elsewhere"])), "redirect"),
    ],
    ids=["hangs", "resets", "cut", "garbage", "flood", "500", "404", "redirect"],
)
async def test_a_bad_monitor_is_a_line_in_the_log_without_the_url(
    behaviour: Behaviour, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with behaving(behaviour) as port:
        await tell(port)

    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    assert all(told in record.getMessage() for record in caplog.records)
    assert SECRET not in caplog.text


async def test_an_address_that_is_none_is_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await tell(1, url="http://monitor.example:{port}/{secret}")

    assert len(caplog.records) == 3
    assert SECRET not in caplog.text


async def test_a_monitor_that_is_not_there_is_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with behaving(hangs) as port:
        pass
    await tell(port)

    told = f"127.0.0.1:{port} cannot be reached; check alarms.ping_url and the network"
    assert all(told in record.getMessage() for record in caplog.records)


def test_a_monitor_does_not_show_its_url() -> None:
    assert SECRET not in repr(Ping(f"https://monitor.example/{SECRET}", HttpClient()))
