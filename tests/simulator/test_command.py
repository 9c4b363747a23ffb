"""The command `notifier simulator`: its options, its documentation, and its server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from notifier.cli.commands import simulator
from notifier.cli.context import Invocation
from notifier.simulator import SCENARIOS

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def notifier_simulator(*arguments: str) -> Result:
    return CliRunner().invoke(simulator.command, arguments, obj=Invocation(None))


def test_the_list_names_and_describes_every_scenario() -> None:
    output = notifier_simulator("--list").output

    assert [line.split()[0] for line in output.splitlines()] == list(SCENARIOS)
    assert all(scenario.about in output for scenario in SCENARIOS.values())


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_documented(name: str) -> None:
    assert f"\n| `{name}` | " in PAGE


def test_every_option_is_documented() -> None:
    options = [option for parameter in simulator.command.params for option in parameter.opts]

    assert len(options) > 10
    assert [option for option in options if f"`{option}" not in PAGE] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scenario", "sesaon"), 'unknown scenario "sesaon"; available: quiet_day'),
        (("--in-transit", "5"), "--in-transit works only with --scenario season"),
        (("--webhook-loss", "10"), "10.0 is not in the range 0<=x<=1"),
        (("--webhook", "there"), "is not an http or https URL"),
    ],
)
def test_invalid_options_are_refused_before_anything_is_served(
    arguments: tuple[str, ...], message: str
) -> None:
    refused = notifier_simulator(*arguments)

    assert refused.exit_code == 2
    assert message in refused.output


QUERY = {"client_id": "demo-client-id"}


@asynccontextmanager
async def served(*options: str) -> AsyncIterator[str]:
    """Run the command during the block, and yield its base URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "notifier", "simulator", "--port", "0", *options),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        yield next(word.rstrip(";") for word in line.split() if word.startswith("http://"))
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 60)


@pytest.mark.parametrize(("options", "waits"), [((), False), (("--latency", "3600"), True)])
async def test_an_answer_waits_for_the_latency_option(
    options: tuple[str, ...], *, waits: bool
) -> None:
    async with served(*options) as base_url, httpx.AsyncClient(base_url=base_url) as client:
        call = asyncio.create_task(client.get("/v1/orders", params=QUERY))
        received = 0
        while not received:
            received = (await client.get("/simulator/state")).json()["requests"]
        for _ in range(20):  # far more turns than an answer without latency needs
            await client.get("/simulator/state")

        assert call.done() is not waits
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
