"""Whatever a network does to the marketplace's answers: in time, and never "nothing to collect".

`python -m tests.faults.cuts` cuts after every single byte.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from notifier.http import HttpClient
from notifier.reading import Complete, Failed, Incomplete, Reading
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


async def test_a_name_that_nobody_knows_is_a_failure_that_names_it() -> None:
    async with HttpClient() as http:
        reading = await read("https://marketplace.invalid", http)

    assert isinstance(reading, Failed)
    assert "marketplace.invalid:443" in reading.why
