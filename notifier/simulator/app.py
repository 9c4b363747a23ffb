"""The marketplace's pages under `/v1/orders`; those of `controls.py` move a world by hand."""

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

from notifier.simulator.answers import Paging, detail, envelope, row
from notifier.simulator.calls import Call
from notifier.simulator.controls import MOST_DAYS, controls, is_in
from notifier.simulator.filters import ListQuery, QueryError, parse
from notifier.simulator.lifecycle import DAY, SimulatedStatus
from notifier.simulator.orders import VisibleState
from notifier.simulator.replies import answer, dripping, faulty, refusal
from notifier.simulator.world import World

Page = Callable[[World, Request], Response]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


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
            *controls(accounts),
        ],
        exception_handlers={HTTPException: _refused},
    )


# The marketplace's pages


def order_list(world: World, request: Request) -> Response:
    """A page of rows, or of ids."""
    try:
        query = parse(request.query_params.multi_items())
    except QueryError as error:
        return refusal(400, "Bad request", [("INVALID_QUERY", str(error))])
    found = _with_strays(world, query)
    paging = Paging(len(found), query.page, min(query.page_size, world.page_size_cap))
    with_total = world.scenario.total_on_even_pages or query.page % 2 == 1
    page = paging.of(found)
    data = [_listed(item, basic=query.basic) for item in page]
    if paging.page < paging.pages:
        world.page_was_read(item for item in page if isinstance(item, VisibleState))
    return answer(200, envelope(data, paging.json(with_total=with_total)))


def order_detail(world: World, request: Request) -> Response:
    """One order in full."""
    order_id = request.path_params["order_id"]
    if fault := world.faults.of_detail(order_id):
        return faulty(fault)
    seen = world.book.seen(order_id)
    return _no_such_order(order_id) if seen is None else answer(200, envelope(detail(seen)))


def consignments(world: World, request: Request) -> Response:
    """How many parcels an order is."""
    order_id = request.path_params["order_id"]
    seen = world.book.seen(order_id)
    if seen is None:
        return _no_such_order(order_id)
    return answer(200, envelope({"parcel_count": len(seen.contents.parcels)}))


def stats(world: World, request: Request) -> Response:
    """Orders per status, of those opened in the last days; test orders are not counted."""
    days = request.query_params.get("days", "30")
    if not is_in(days, range(1, MOST_DAYS + 1)):
        return refusal(
            400, "Bad request", [("INVALID_QUERY", f"days: {days[:20]} is not 1 to 366")]
        )
    counts = {status.value: 0 for status in SimulatedStatus}
    for seen in world.book:
        if _counts_for_stats(seen, int(days)):
            counts[seen.status] = counts.get(seen.status, 0) + 1
    return answer(200, envelope(counts))


def nothing_here(_: World, request: Request) -> Response:
    """An address the marketplace does not know."""
    return refusal(404, f"{request.url.path} not found")


def _with_strays(world: World, query: ListQuery) -> Sequence[object]:
    """The orders of a list, and among them what is none."""
    found = world.book.find(query.selection)
    if not (query.basic and world.scenario.stray_rows):
        return found
    listed: list[object] = list(found)
    for number, stray in enumerate(world.scenario.stray_rows):
        listed.insert(2 * number + 1, stray)
    return listed


def _listed(item: object, *, basic: bool) -> object:
    if not isinstance(item, VisibleState):
        return item
    return row(item) if basic else item.order.id


def _counts_for_stats(seen: VisibleState, days: int) -> bool:
    return not seen.order.test and seen.at - seen.order.opened_at <= days * DAY


def _no_such_order(order_id: int) -> Response:
    return refusal(404, "Order not found", [("ORDER_NOT_FOUND", f"Order {order_id} not found")])


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
        world.call_log.note(world.clock.reached)
        await asyncio.sleep(world.pace.latency_seconds)
        drips = world.pace.drips_every and world.requests % world.pace.drips_every == 0
        response = _serve(world, request, page, known=account is not None)
        response.headers.update(_stamps(world))
        return dripping(response, world.pace.drip_seconds) if drips else response

    return enter


def _serve(world: World, request: Request, page: Page, *, known: bool) -> Response:
    if fault := world.faults.take():
        return faulty(fault)
    if not known:
        return refusal(401, "Unauthorized", [("UNAUTHORIZED", "Unknown client_id")])
    if not world.take_call():
        wait = world.rate.reset_seconds(world.clock.reached)
        return refusal(429, "Too many requests", headers={"Retry-After": str(wait)})
    if request.method != "GET":
        return refusal(405, "Method not allowed", headers={"Allow": "GET"})
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
    return {"Date": date, **world.rate.headers(world.clock.reached)}


async def _refused(_: Request, error: Exception) -> Response:
    """What Starlette itself refuses: an unknown address, a wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    return refusal(error.status_code, error.detail, headers=error.headers)
