"""A marketplace in process, with scripted answers, and a client that does not sleep."""

from __future__ import annotations

import asyncio
import json
import selectors
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response

from notifier.domain.reading import Reading
from notifier.domain.reading_plan import Frequency, Policy, StateStore
from notifier.domain.settings import MarketplaceAccess, Secret
from notifier.http import HttpClient
from notifier.simulator import World, create_app
from notifier.sources.mall import Marketplace

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
CLIENT_ID = "demo-client-id"

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]
"""An ASGI app."""

Said = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body of an answer."""


def access(
    base_url: str = "http://127.0.0.1",
    *,
    client_id: str = CLIENT_ID,
    page_size: int = 100,
    concurrency: int = 4,
    request_timeout: timedelta = timedelta(seconds=5),
    run_timeout: timedelta = timedelta(minutes=15),
    test_orders: bool = False,
    policy: Policy = Policy(Frequency.ALL),  # noqa: B008 - a value
) -> MarketplaceAccess:
    return MarketplaceAccess(
        base_url=base_url,
        client_id=Secret(client_id),
        timezone="Europe/Prague",
        page_size=page_size,
        concurrency=concurrency,
        request_timeout=request_timeout,
        run_timeout=run_timeout,
        test_orders=test_orders,
        policy=policy,
    )


class Naps:
    """Replaces sleeping: records the seconds and returns at once.

    Its time is the loop's, plus the seconds slept.
    """

    def __init__(self) -> None:
        self.taken: list[float] = []
        self._ahead = 0.0

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        wakes_at = self.time() + seconds
        await asyncio.sleep(0)
        self._ahead = max(self._ahead, wakes_at - asyncio.get_running_loop().time())

    def time(self) -> float:
        """Seconds."""
        return asyncio.get_running_loop().time() + self._ahead


class _NoWait(selectors.DefaultSelector):
    """A selector that does not wait, but counts the seconds it should have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.seconds += max(timeout or 0.0, 0.0)
        return super().select(0)


class Hurry(asyncio.SelectorEventLoop):
    """A loop in virtual time: when all tasks sleep, its time jumps to the first that wakes.

    Only for tests within one process, because no other process could keep up.
    """

    def __init__(self) -> None:
        self._skipped = _NoWait()
        super().__init__(self._skipped)

    def time(self) -> float:
        """Return the loop's time in seconds, skipped ones included."""
        return super().time() + self._skipped.seconds


def scripted(script: Callable[[str, Mapping[str, str]], Said], latency: float = 0.0) -> App:
    """Return a marketplace that answers a path and query by `script`, after `latency` seconds."""

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        request = Request(scope)
        await asyncio.sleep(latency)
        status, headers, body = script(request.url.path, dict(request.query_params))
        await Response(body, status, dict(headers))(scope, receive, send)

    return app


def said(data: object, *, paging: object = None, status: int = 200, **headers: str) -> Said:
    """Return data in the marketplace's envelope."""
    content: dict[str, object] = {"result": {"code": status, "status": "OK"}, "data": data}
    if paging is not None:
        content["paging"] = paging
    return status, headers, json.dumps(content).encode()


def page(rows: list[Any], *, number: int = 1, pages: int = 1, total: int | None = None) -> Said:
    """Return a page of the list."""
    paging = {"pages": pages, "page": number, "size": len(rows)}
    return said(rows, paging=paging if total is None else {**paging, "total": total})


def row(id_: int, **fields: object) -> dict[str, object]:
    """Return a row of the list."""
    return {"id": id_, "status": "shipped", "mdp": True, "test": False, **fields}


def detail(id_: int, **fields: object) -> dict[str, object]:
    """Return the detail of an order that waits for the seller."""
    return {
        "id": id_,
        "status": "shipped",
        "mdp": True,
        "test": False,
        "ready_to_return": True,
        **fields,
    }


def a_shop(
    *orders: int, details: Mapping[int, Said] | None = None, first_page: Said | None = None
) -> App:
    """Return a marketplace where these orders wait, on one page; `details` replace answers."""
    odd = dict(details or {})

    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return first_page or page([row(id_) for id_ in [*orders, *odd]])
        id_ = int(path.rpartition("/")[2])
        return odd.get(id_) or said(detail(id_))

    return scripted(script)


class Visit:
    """A client of a marketplace in process; it does not sleep."""

    def __init__(
        self,
        app: App | World,
        settings: MarketplaceAccess | None = None,
        *,
        memory: StateStore | None = None,
    ) -> None:
        its_app: Any = create_app(app) if isinstance(app, World) else app
        self.naps = Naps()
        self.progress: list[tuple[int, int]] = []
        self.http = HttpClient(transport=httpx.ASGITransport(its_app))
        self.marketplace = Marketplace(
            settings or access(),
            self.http,
            clock=lambda: START,
            state_store=memory,
            progress=lambda done, all_: self.progress.append((done, all_)),
            sleep=self.naps,
            jitter=lambda: 1.0,
            time=self.naps.time,
        )

    async def read(self, known: Collection[int] = ()) -> Reading:
        return await self.marketplace.read(known)


async def read(
    app: App | World, known: Collection[int] = (), settings: MarketplaceAccess | None = None
) -> Reading:
    """Make one reading."""
    return await Visit(app, settings).read(known)
