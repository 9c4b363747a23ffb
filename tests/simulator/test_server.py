"""The simulator on a socket, and its imports."""

from __future__ import annotations

import ast
import signal
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

import notifier.simulator
from notifier.simulator import serve
from tests.simulator.conftest import SHIPPED, START, a_world

PACKAGE = Path(notifier.simulator.__file__).parent


async def test_it_answers_on_a_loopback_port_by_its_own_clock() -> None:
    world = a_world("busy_day")
    query = {"client_id": world.client_id, **SHIPPED}
    async with serve(world) as base_url, httpx.AsyncClient(base_url=base_url) as client:
        world.advance()
        answer = await client.get("/v1/orders", params=query)

    assert base_url.startswith("http://127.0.0.1:")
    assert len(answer.json()["data"]) == 100
    dates = answer.headers.get_list("Date")
    assert [parsedate_to_datetime(date) for date in dates] == [START + timedelta(days=1)]
    assert "Server" not in answer.headers


async def test_it_keeps_signal_handlers_and_closes_its_socket() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with serve(a_world()) as base_url:
        during = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    assert during == before
    async with httpx.AsyncClient(base_url=base_url) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/simulator/state")


async def test_an_error_inside_the_block_is_not_swallowed() -> None:
    with pytest.raises(RuntimeError, match="of the block"):
        async with serve(a_world()):
            raise RuntimeError("of the block")


def test_it_imports_nothing_of_the_notifier() -> None:
    for path in PACKAGE.glob("*.py"):
        ours = {name for name in imported(path) if name.split(".")[0] == "notifier"}
        assert all(name.startswith("notifier.simulator") for name in ours), path


def imported(path: Path) -> list[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
