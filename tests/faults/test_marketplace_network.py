"""Whatever a network does to the marketplace's answers: in time, and never "nothing to collect".

`python -m tests.faults.cuts` cuts after every single byte.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest

from notifier.domain.reading import Complete, Failed, Incomplete, Reading
from notifier.http import HttpClient
from notifier.simulator import serve
from tests.faults.cuts import BYTES, Cuts, a_shop, fault_of, read
from tests.faults.proxy import BlackHole, Latency, Slices, Trouble, through

SHORT = timedelta(seconds=0.15)
WHOLE = timedelta(seconds=0.6)


async def read_through(trouble: Trouble, **limits: timedelta) -> tuple[Reading, float]:
    """What a reading through this trouble gave, and how many seconds it took."""
    async with (
        serve(a_shop()) as base_url,
        through(base_url, trouble) as troubled,
        HttpClient() as http,
    ):
        began = asyncio.get_running_loop().time()
        reading = await read(troubled, http, **limits)
        return reading, asyncio.get_running_loop().time() - began


@pytest.mark.parametrize("hard", [False, True], ids=["FIN", "RST"])
async def test_an_answer_cut_after_any_byte_hides_nothing(hard: bool) -> None:
    cuts = Cuts()

    await cuts.at(range(0, BYTES, 101), hard=hard)

    assert cuts.wrong == []
    assert set(cuts.ends) == {"Complete", "Failed", "Incomplete"}


async def test_a_line_that_is_slow_is_read_to_its_end() -> None:
    reading, _ = await read_through(Latency(0.02))

    assert isinstance(reading, Complete)
    assert fault_of(reading) is None


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Slices(1, 0.02), id="a byte each 20 ms"),
        pytest.param(BlackHole(), id="silence"),
        pytest.param(BlackHole(300), id="silence in the middle"),
        pytest.param(Latency(60), id="a minute later"),
    ],
)
async def test_a_line_that_says_too_little_is_left_at_the_deadline(trouble: Trouble) -> None:
    reading, seconds = await read_through(trouble, request_timeout=SHORT, run_timeout=WHOLE)

    assert isinstance(reading, Failed)
    assert "did not answer within" in reading.why or "too slow" in reading.why
    assert seconds < 5


async def test_a_line_that_falls_silent_behind_the_list_keeps_what_was_read() -> None:
    reading, _ = await read_through(BlackHole(6000), request_timeout=SHORT, run_timeout=WHOLE)

    assert isinstance(reading, Incomplete | Failed)
    assert fault_of(reading) is None


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("marketplace.invalid", id="no such name"),
        pytest.param("a" * 64 + ".example", id="too long for a label"),
        pytest.param(".".join(["a" * 60] * 5), id="too long for a name"),
        pytest.param("shop..example", id="an empty label"),
    ],
)
async def test_a_name_that_cannot_be_resolved_is_a_failure_that_names_it(host: str) -> None:
    async with HttpClient() as http:
        reading = await read(f"https://{host}", http, request_timeout=SHORT, run_timeout=WHOLE)

    assert isinstance(reading, Failed)
    assert f"{host}:443" in reading.why


async def test_a_door_at_which_nobody_answers_is_left_before_the_deadline() -> None:
    with queue_that_is_full() as port:
        async with HttpClient() as http:
            reading = await read(
                f"http://127.0.0.1:{port}", http, request_timeout=SHORT, run_timeout=WHOLE
            )

    assert isinstance(reading, Failed)
    assert f"127.0.0.1:{port} cannot be reached" in reading.why


@contextmanager
def queue_that_is_full() -> Iterator[int]:
    """A port that listens, and where Linux drops who wants to connect: listen(2), `backlog`."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
