"""Neither the credential nor a buyer gets into a message, a log or a traceback."""

from __future__ import annotations

import logging
import traceback

import pytest

from notifier.domain.reading import Failed
from notifier.errors import NotifierError
from notifier.simulator import World, serve
from notifier.simulator.catalogue import CANARIES
from tests.loopback import answer, behaving, says, says_and_resets
from tests.sources.mall.neighbour import START, access
from tests.sources.mall.test_session import read_over

SECRET = "c4nary-client-id"
ECHO = f"<html>GET /v1/orders?client_id={SECRET}</html>".encode()


def shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


@pytest.mark.slow
@pytest.mark.parametrize(
    "whole",
    [
        answer(ECHO),
        answer(ECHO, "401 No"),
        answer(ECHO, "404 No"),
        answer(ECHO, "429 No", [f"Retry-After: {SECRET}"]),
        answer(ECHO, "500 No"),
        answer(b"", "302 Away", [f"Location: https://elsewhere.example/?client_id={SECRET}"]),
        answer(ECHO)[:-5],
        b"HTTP/1.1 " + ECHO,
        ECHO,
    ],
)
async def test_a_failure_tells_no_secret(whole: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async with behaving(says_and_resets(whole)) as port:
        reading = await read_over(f"http://127.0.0.1:{port}", client_id=SECRET)

    assert isinstance(reading, Failed)
    assert SECRET not in caplog.text
    assert SECRET not in reading.why
    assert SECRET not in repr(reading)
    assert SECRET not in shown(reading.error)


async def test_a_reading_over_a_socket_logs_neither_the_query_nor_a_buyer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    world = World.from_scenario("quiet_day", start=START, client_id=SECRET)

    async with serve(world) as base_url:
        await read_over(base_url, client_id=SECRET)

    assert "page 1 of the list read" in caplog.text
    assert [word for word in (*CANARIES, SECRET) if word in caplog.text] == []


def test_the_settings_do_not_show_the_credential() -> None:
    assert SECRET not in f"{access(client_id=SECRET)!r}"


async def test_a_login_in_the_address_is_not_shown() -> None:
    async with behaving(says(answer(b"", "500 No"))) as port:
        reading = await read_over(f"http://user:{SECRET}@127.0.0.1:{port}")

    assert isinstance(reading, Failed)
    assert isinstance(reading.error, NotifierError)
    assert SECRET not in shown(reading.error)
