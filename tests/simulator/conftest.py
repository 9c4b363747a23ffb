"""A client of a world in the same process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from notifier.simulator import World, create_app

START = datetime(2026, 3, 29, 7, 0, tzinfo=UTC)
SHIPPED = {
    "filter": "basic",
    "status": "eq:shipped",
    "mdp": "true",
    "_sort": "id:asc",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A client that sends the account's client_id."""

    client: httpx.AsyncClient
    client_id: str

    async def get(self, path: str, **query: object) -> httpx.Response:
        params = {"client_id": self.client_id, **{key: str(query[key]) for key in query}}
        return await self.client.get(path, params=params)

    async def data(self, path: str, **query: object) -> Any:
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def detail(self, order_id: int) -> Any:
        return await self.data(f"/v1/orders/{order_id}")

    async def ids(self, **query: object) -> list[int]:
        ids: list[int] = await self.data("/v1/orders", page_size=1000, **query)
        return ids


Opens = Callable[[World], Caller]


@pytest.fixture
async def caller() -> AsyncIterator[Opens]:
    async with AsyncExitStack() as stack:
        clients: list[httpx.AsyncClient] = []

        def opens(world: World) -> Caller:
            transport = httpx.ASGITransport(create_app(world))
            clients.append(httpx.AsyncClient(transport=transport, base_url="http://simulator"))
            stack.push_async_callback(clients[-1].aclose)
            return Caller(clients[-1], world.client_id)

        yield opens


def a_world(name: str = "quiet_day", **options: Any) -> World:
    return World.from_scenario(name, start=options.pop("start", START), **options)
