"""The pages: the marketplace's own under `/v1/orders`, and ours to move a world by hand.

GET  /simulator/state               what is in the world, and what was asked of it; with several
                                    accounts ?client_id= chooses one
POST /simulator/advance?days=1      let days pass
POST /simulator/fail?status=503     let every call fail; with &count=3, the next three
POST /simulator/recover             let calls succeed again
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.utils import format_datetime
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from notifier.simulator.answers import Json, Paging, detail, envelope, failure, row
from notifier.simulator.faults import Fault
from notifier.simulator.filters import QueryError, parse
from notifier.simulator.lifecycle import DAY, Status
from notifier.simulator.orders import Seen
from notifier.simulator.world import Call, World

Page = Callable[[World, Request], Response]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
MOST_DAYS = 366


def create_app(world: World, others: Sequence[World] = ()) -> Starlette:
    """The marketplace with one seller account, or several that differ in their client_id."""
    accounts = {each.client_id: each for each in (world, *others)}
    pages: Mapping[str, Page] = {
        "/v1/orders": order_list,
        "/v1/orders/stats": stats,
        "/v1/orders/{order_id:int}": order_detail,
        "/v1/orders/{order_id:int}/consignments": consignments,
        "/v1/orders/{rest:path}": nothing_here,
    }
    return Starlette(
        routes=[
            *(Route(path, _door(accounts, page), methods=METHODS) for path, page in pages.items()),
            *_controls(accounts),
        ],
        exception_handlers={HTTPException: _refused},
    )


# The marketplace's pages


def order_list(world: World, request: Request) -> Response:
    """A page of rows, or of ids."""
    try:
        query = parse(request.query_params.multi_items())
    except QueryError as error:
        return _failure(400, "Bad request", [("INVALID_QUERY", str(error))])
    found = world.book.find(query.selection)
    paging = Paging(len(found), query.page, min(query.page_size, world.page_size_cap))
    with_total = world.scenario.total_on_even_pages or query.page % 2 == 1
    orders = paging.of(found)
    data = [row(seen) if query.basic else seen.order.id for seen in orders]
    return _answer(200, envelope(data, paging.json(with_total=with_total)))


def order_detail(world: World, request: Request) -> Response:
    """One order in full."""
    order_id = request.path_params["order_id"]
    if fault := world.faults.of_detail(order_id):
        return _faulty(fault)
    seen = world.book.seen(order_id)
    return _no_such_order(order_id) if seen is None else _answer(200, envelope(detail(seen)))


def consignments(world: World, request: Request) -> Response:
    """How many parcels an order is."""
    order_id = request.path_params["order_id"]
    seen = world.book.seen(order_id)
    if seen is None:
        return _no_such_order(order_id)
    return _answer(200, envelope({"parcel_count": len(seen.contents.parcels)}))


def stats(world: World, request: Request) -> Response:
    """Orders per status, of those opened in the last days; test orders are not counted."""
    days = request.query_params.get("days", "30")
    if not _is_in(days, range(1, MOST_DAYS + 1)):
        return _failure(
            400, "Bad request", [("INVALID_QUERY", f"days: {days[:20]} is not 1 to 366")]
        )
    counts = {status.value: 0 for status in Status}
    for seen in world.book:
        if _counts_for_stats(seen, int(days)):
            counts[seen.status] = counts.get(seen.status, 0) + 1
    return _answer(200, envelope(counts))


def nothing_here(_: World, request: Request) -> Response:
    """An address the marketplace does not know."""
    return _failure(404, f"{request.url.path} not found")


def _counts_for_stats(seen: Seen, days: int) -> bool:
    return not seen.order.test and seen.at - seen.order.opened_at <= days * DAY


def _no_such_order(order_id: int) -> Response:
    return _failure(404, "Order not found", [("ORDER_NOT_FOUND", f"Order {order_id} not found")])


# The door every one of those calls goes through


def _door(accounts: Mapping[str, World], page: Page) -> Callable[[Request], Awaitable[Response]]:
    first = next(iter(accounts.values()))

    async def enter(request: Request) -> Response:
        # The official client sends a body even with GET: it is read, and means nothing.
        async for _ in request.stream():
            pass
        account = accounts.get(_client_id(request))
        world = account or first
        world.request_log.append(_call(request))
        await asyncio.sleep(world.latency_seconds)
        response = _serve(world, request, page, known=account is not None)
        response.headers.update(_stamps(world))
        return response

    return enter


def _serve(world: World, request: Request, page: Page, *, known: bool) -> Response:
    if fault := world.faults.take():
        return _faulty(fault)
    if not known:
        return _failure(401, "Unauthorized", [("UNAUTHORIZED", "Unknown client_id")])
    if not world.rate.take(world.now):
        wait = world.rate.reset_seconds(world.now)
        return _failure(429, "Too many requests", headers={"Retry-After": str(wait)})
    if request.method != "GET":
        return _failure(405, "Method not allowed", headers={"Allow": "GET"})
    return page(world, request)


def _client_id(request: Request) -> str:
    return request.query_params.get("client_id", "")


def _call(request: Request) -> Call:
    pairs = request.query_params.multi_items()
    query = urlencode([(name, value) for name, value in pairs if name != "client_id"], safe=":,")
    return Call(request.method, request.url.path, query)


def _stamps(world: World) -> dict[str, str]:
    told = world.date_header() if world.date_header else world.now
    date = format_datetime(told.replace(microsecond=0), usegmt=True)
    return {"Date": date, **world.rate.headers(world.now)}


# Ours


def _controls(accounts: Mapping[str, World]) -> list[Route]:
    worlds = tuple(accounts.values())

    async def state(request: Request) -> Response:
        return _answer(200, _state(accounts.get(_client_id(request), worlds[0])))

    async def advance(request: Request) -> Response:
        days = _number(request, "days", 1, range(MOST_DAYS + 1))
        for world in worlds:
            world.advance(days)
        return await state(request)

    async def fail(request: Request) -> Response:
        status = _number(request, "status", 503, range(200, 600))
        count = _number(request, "count", 0, range(1_000))
        for world in worlds:
            if count:
                world.fail_next(count, status)
            else:
                world.fail_always(status)
        return await state(request)

    async def recover(request: Request) -> Response:
        for world in worlds:
            world.stop_failing()
        return await state(request)

    return [
        Route("/simulator/state", state, methods=["GET"]),
        Route("/simulator/advance", advance, methods=["POST"]),
        Route("/simulator/fail", fail, methods=["POST"]),
        Route("/simulator/recover", recover, methods=["POST"]),
    ]


def _state(world: World) -> Json:
    ready = world.ready_ids()
    return {
        "scenario": world.scenario.name,
        "now": world.now.isoformat(timespec="seconds"),
        "shipped": len(world.shipped_ids()),
        "ready": len(ready),
        "ready_ids": ready,
        "requests": world.requests,
        "calls_left": world.rate.remaining(world.now),
    }


def _number(request: Request, name: str, default: int, allowed: range) -> int:
    text = request.query_params.get(name, str(default))
    if not _is_in(text, allowed):
        raise HTTPException(400, f"{name}: {text[:20]} is not {allowed[0]} to {allowed[-1]}")
    return int(text)


def _is_in(text: str, allowed: range) -> bool:
    return text.isdecimal() and len(text) <= 4 and int(text) in allowed


# Responses


def _answer(code: int, content: Json, headers: Mapping[str, str] | None = None) -> Response:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, code, dict(headers or {}), "application/json")


def _failure(
    code: int,
    message: str,
    error_codes: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    return _answer(code, failure(code, message, error_codes), headers)


def _faulty(fault: Fault) -> Response:
    if fault.body is None:
        return _failure(fault.status, "Planned failure", headers=fault.headers)
    return Response(fault.body, fault.status, dict(fault.headers), "application/json")


async def _refused(_: Request, error: Exception) -> Response:
    """What Starlette itself refuses: an unknown address, a wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    return _failure(error.status_code, error.detail, headers=error.headers)
