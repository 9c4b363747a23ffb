"""The marketplace's API under `/v1/orders`, and pages of our own to move a world by hand.

GET  /simulator/state               counts, ids of ready orders, calls received; with several
                                    accounts, ?client_id= chooses one
POST /simulator/advance?days=1      let days pass
POST /simulator/fail?status=503     let every call fail; with &count=3, the next three
POST /simulator/recover             let calls succeed again
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.utils import format_datetime
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from notifier.simulator.answers import (
    Paging,
    answer,
    detail,
    dripping,
    faulty,
    refusal,
    row,
    success,
)
from notifier.simulator.calls import Call
from notifier.simulator.filters import ListQuery, QueryError, parse
from notifier.simulator.orders import DAY, OrderView, SimulatedStatus
from notifier.simulator.world import World

Page = Callable[[World, Request], Response]
# Every method is routed, so that an attempt to write is logged before it is refused.
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
MAX_DAYS = 366


def create_app(world: World, others: Sequence[World] = ()) -> Starlette:
    """Return the marketplace with one seller account, or several that differ in their client_id."""
    accounts = {each.client_id: each for each in (world, *others)}
    pages: Mapping[str, Page] = {
        "/v1/orders": order_list,
        "/v1/orders/stats": stats,
        "/v1/orders/{order_id:int}": order_detail,
        "/v1/orders/{order_id:int}/consignments": consignments,
        "/v1/orders/{rest:path}": unknown_path,
    }
    routes = [
        Route(path, _handler(accounts, page), methods=METHODS) for path, page in pages.items()
    ]
    return Starlette(
        routes=routes + _controls(accounts),
        exception_handlers={HTTPException: _refused, QueryError: _bad_number},
    )


# The marketplace's pages


def order_list(world: World, request: Request) -> Response:
    """Answer a page of rows, or of ids."""
    query = parse(request.query_params.multi_items())
    found = _with_stray_rows(world, query)
    paging = Paging(len(found), query.page, min(query.page_size, world.page_size_cap))
    with_total = world.scenario.total_on_even_pages or query.page % 2 == 1
    page = paging.of(found)
    data = [_listed(item, basic=query.basic) for item in page]
    # A list of one page cannot lose an order between two pages.
    if paging.page < paging.pages:
        world.shift_list(item for item in page if isinstance(item, OrderView))
    return success(data, paging.json(with_total=with_total))


def order_detail(world: World, request: Request) -> Response:
    """Answer one order in full."""
    if fault := world.faults.details.get(request.path_params["order_id"]):
        return faulty(fault)
    view = _order(world, request)
    return _order_not_found(request) if view is None else success(detail(view))


def consignments(world: World, request: Request) -> Response:
    """Answer the number of parcels of an order."""
    view = _order(world, request)
    if view is None:
        return _order_not_found(request)
    return success({"parcel_count": len(view.contents.parcels)})


def stats(world: World, request: Request) -> Response:
    """Answer the number of orders per status, opened in the last days, without test orders."""
    days = _number(request, "days", 30, range(1, MAX_DAYS + 1))
    counts = {status.value: 0 for status in SimulatedStatus}
    for view in world.book:
        if not view.order.test and view.at - view.order.opened_at <= days * DAY:
            counts[view.status] = counts.get(view.status, 0) + 1
    return success(counts)


def unknown_path(_: World, request: Request) -> Response:
    """Refuse a path below `/v1/orders` that does not exist."""
    return refusal(404, f"{request.url.path} not found")


def _with_stray_rows(world: World, query: ListQuery) -> Sequence[object]:
    found = world.book.find(query.selection)
    if not (query.basic and world.scenario.stray_rows):
        return found
    rows: list[object] = list(found)
    for number, stray in enumerate(world.scenario.stray_rows):
        rows.insert(2 * number + 1, stray)
    return rows


def _listed(item: object, *, basic: bool) -> object:
    if not isinstance(item, OrderView):
        return item
    return row(item) if basic else item.order.id


def _order(world: World, request: Request) -> OrderView | None:
    return world.book.view(request.path_params["order_id"])


def _order_not_found(request: Request) -> Response:
    message = f"Order {request.path_params['order_id']} not found"
    return refusal(404, "Order not found", ("ORDER_NOT_FOUND", message))


# What every call to the marketplace goes through


def _handler(accounts: Mapping[str, World], page: Page) -> Callable[[Request], Awaitable[Response]]:
    first = next(iter(accounts.values()))

    async def handle(request: Request) -> Response:
        # The official client sends a body even with GET. Read it, so that the connection can be
        # reused, and ignore it.
        async for _ in request.stream():
            pass
        account = accounts.get(request.query_params.get("client_id", ""))
        # A call with an unknown client_id is logged too, in the first world.
        world = account or first
        world.count_call(_call(request))
        await asyncio.sleep(world.pace.latency_seconds)
        drips = world.pace.drips_every and world.requests % world.pace.drips_every == 0
        response = _respond(world, request, page, known=account is not None)
        shown = world.date_header() if world.date_header else world.now
        response.headers["Date"] = format_datetime(shown.replace(microsecond=0), usegmt=True)
        response.headers.update(world.rate.headers(world.clock.order_time))
        return dripping(response, world.pace.drip_seconds) if drips else response

    return handle


def _respond(world: World, request: Request, page: Page, *, known: bool) -> Response:
    # An outage comes before the checks: it hits strangers too, and takes no call from the limit.
    if fault := world.faults.take():
        return faulty(fault)
    if not known:
        return refusal(401, "Unauthorized", ("UNAUTHORIZED", "Unknown client_id"))
    if not world.take_call():
        wait = world.rate.reset_seconds(world.clock.order_time)
        return refusal(429, "Too many requests", headers={"Retry-After": str(wait)})
    if request.method != "GET":
        return refusal(405, "Method not allowed", headers={"Allow": "GET"})
    try:
        return page(world, request)
    except QueryError as error:
        return refusal(400, "Bad request", ("INVALID_QUERY", str(error)))


def _call(request: Request) -> Call:
    pairs = request.query_params.multi_items()
    query = urlencode([(name, value) for name, value in pairs if name != "client_id"], safe=":,")
    return Call(request.method, request.url.path, query)


async def _refused(_: Request, error: Exception) -> Response:
    """Answer what Starlette itself refuses, such as an unknown path, in the marketplace's words."""
    if not isinstance(error, HTTPException):
        raise error
    return refusal(error.status_code, error.detail, headers=error.headers)


# The simulator's own pages


def _controls(accounts: Mapping[str, World]) -> list[Route]:
    """Return the routes that show one world and change all of them."""
    worlds = tuple(accounts.values())

    async def state(request: Request) -> Response:
        world = accounts.get(request.query_params.get("client_id", ""), worlds[0])
        ready = world.ready_ids()
        content: dict[str, object] = {
            "scenario": world.scenario.name,
            "now": world.now.isoformat(timespec="seconds"),
            "shipped": len(world.shipped_ids()),
            "ready": len(ready),
            "ready_ids": ready,
            "requests": world.requests,
            "calls_left": world.rate.remaining(world.clock.order_time),
        }
        return answer(200, content)

    async def advance(request: Request) -> Response:
        days = _number(request, "days", 1, range(MAX_DAYS + 1))
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


async def _bad_number(_: Request, error: Exception) -> Response:
    return refusal(400, str(error))


def _number(request: Request, name: str, default: int, allowed: range) -> int:
    text = request.query_params.get(name, str(default))
    # At most four digits, because int() of a very long number is slow or raises.
    if not (text.isdecimal() and len(text) <= 4 and int(text) in allowed):
        raise QueryError(f"{name}: {text[:20]} is not {allowed[0]} to {allowed[-1]}")
    return int(text)
