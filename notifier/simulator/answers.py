"""What the marketplace answers: rows of a list, the detail of an order, envelopes, refusals.

Shapes are those of the marketplace's published document and of recorded answers: a value that an
order lacks is a missing key. The official client requires every key not marked as optional there,
so none of those is left out.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from starlette.responses import Response, StreamingResponse

from notifier.simulator.calls import Fault
from notifier.simulator.catalogue import COD_FEE, COUNTRY, CURRENCY, OrderedItem
from notifier.simulator.orders import (
    ABSENT,
    DAY,
    PACKING,
    DeliveryKind,
    Journey,
    OrderView,
    SimulatedStatus,
)

Json = dict[str, object]
DRIP_PIECES = 20


def _timestamp(view: OrderView, instant: datetime) -> str:
    # Local time of one zone without an offset, as the marketplace writes it.
    return view.local(instant).isoformat(sep=" ")[:19]


def _date(view: OrderView, instant: datetime) -> str:
    return view.local(instant).date().isoformat()


def _entered(status: SimulatedStatus) -> Callable[[OrderView], object]:
    def timestamp(view: OrderView) -> object:
        instant = view.entered(status)
        return None if instant is None else _timestamp(view, instant)

    return timestamp


def _tracking_url(view: OrderView) -> str | None:
    url = f"https://tracking.example.com/?parcel={view.contents.parcels[0]}&lang=sl"
    return url if view.was_shipped else None


ROW: Mapping[str, Callable[[OrderView], object]] = {
    "id": lambda view: view.order.id,
    "source": lambda _: None,
    "external_id": lambda view: view.contents.external_id,
    "purchase_id": lambda view: view.order.id // 100,
    "customer_id": lambda view: view.contents.buyer.customer_id,
    "customer": lambda view: view.contents.buyer.name,
    "cod": lambda view: view.contents.cod,
    "payment_type": lambda view: "A" if view.contents.prepaid else "D",
    "ship_date": lambda view: _date(view, view.order.shipped_at),
    "tracking_number": lambda view: view.contents.parcels[0] if view.was_shipped else None,
    "tracking_url": _tracking_url,
    "delivered_at": _entered(SimulatedStatus.DELIVERED),
    "status": lambda view: view.status,
    "confirmed": lambda view: view.contents.confirmed,
    "test": lambda view: view.order.test,
    "mdp": lambda view: view.order.mall_delivery,
    "mdp_classic": lambda view: view.order.delivery is DeliveryKind.CLASSIC,
    "mdp_spectrum": lambda view: view.order.delivery is DeliveryKind.SPECTRUM,
    **{status.value: _entered(status) for status in SimulatedStatus},
}
"""Every field of a list row; a list can be filtered and sorted by these."""

ROW_ONLY = frozenset({"source", "customer_id", "customer"})


def row_value(view: OrderView, name: str) -> object:
    """Return one field of a list row; None when it is absent."""
    if name in view.order.fields:
        value = view.order.fields[name]
        return None if value is ABSENT else value
    return ROW[name](view)


def row(view: OrderView) -> Json:
    """Return one row of a list with `filter=basic`."""
    set_by_hand = {name: value for name, value in view.order.fields.items() if name in ROW}
    return _without_absent(view, _row_fields(view, *ROW) | set_by_hand)


def detail(view: OrderView) -> Json:
    """Return one order in full."""
    order, contents = view.order, view.contents
    method = 1 if contents.branch_id is None else 12
    attempted = order.journey.attempted_after
    values: Json = {
        **_row_fields(view, "id", "external_id", "purchase_id"),
        "external_order_id": 0,
        "currency": CURRENCY,
        "delivery_price": contents.delivery_price,
        "cod_price": 0 if contents.prepaid else COD_FEE,
        "cod": contents.cod,
        "discount": contents.discount,
        **_row_fields(view, "payment_type"),
        "delivery_method": str(method),
        # A client must accept this id as a number and as a text.
        "delivery_method_id": method if order.id // 100 % 2 else str(method),
        "branch_id": contents.branch_id,
        "branches": _without_absent(view, {"branch_id": contents.branch_id, "overridden": False}),
        **_row_fields(view, "tracking_number", "tracking_url", "ship_date"),
        "delivery_date": _date(view, order.shipped_at + DAY),
        **_row_fields(view, "delivered_at"),
        "first_delivery_attempt": None if attempted is None else _past(view, attempted * DAY),
        "address": _address(view),
        **_row_fields(view, "confirmed", "status"),
        "items": [_item(view, item) for item in contents.items],
        **_row_fields(view, "test", "mdp", "mdp_classic", "mdp_spectrum"),
        "ready_to_return": view.ready,
        **_row_fields(view, *SimulatedStatus),
        "ulozenka_status_history": _ulozenka_history(view),
        "consignment_status_history": _consignment_history(view),
    }
    set_by_hand = {name: value for name, value in order.fields.items() if name not in ROW_ONLY}
    return _without_absent(view, values | set_by_hand)


def _row_fields(view: OrderView, *names: str) -> Json:
    return {str(name): ROW[name](view) for name in names}


def _address(view: OrderView) -> Json:
    names = ("customer_id", "name", "company", "phone", "email", "street", "city", "zip")
    buyer = {name: getattr(view.contents.buyer, name) for name in names}
    return _without_absent(view, {**buyer, "country": COUNTRY})


def _item(view: OrderView, item: OrderedItem) -> Json:
    product = item.product
    has_serial_numbers = product.article_id % 2 == 0
    return _without_absent(
        view,
        {
            "id": product.sku,
            "article_id": product.article_id,
            "quantity": item.quantity,
            "price": product.price,
            "purchase_price": None,
            "vat": 22,
            "commission": None if product.article_id % 5 == 0 else 12,
            "title": product.title,
            "serial_numbers": [f"SN-{view.order.id}"] if has_serial_numbers else [],
        },
    )


class CarrierEvent(NamedTuple):
    """One entry of the carrier's history, at a time after (or before) shipping."""

    code: str
    after: timedelta
    flags: tuple[str, ...] = ()


def carrier_events(journey: Journey) -> list[CarrierEvent]:
    """Return the carrier's whole history of a parcel, oldest first, including future events."""
    return sorted(_carrier_events(journey), key=lambda event: event.after)


def _carrier_events(journey: Journey) -> Iterator[CarrierEvent]:
    yield CarrierEvent("CREATED", -PACKING)
    yield CarrierEvent("RECEIVED", timedelta(hours=4))
    yield CarrierEvent("DELIVERING", timedelta(hours=16))
    if journey.at_pickup_point_after is not None:
        yield CarrierEvent("READY_FOR_PICKUP", journey.at_pickup_point_after * DAY)
    if journey.returning_after is not None:
        yield CarrierEvent("RETURNING", journey.returning_after * DAY)
    flags = ("lost",) if journey.ends_as is SimulatedStatus.LOST else ()
    yield CarrierEvent(journey.ends_as.upper(), journey.ends_after * DAY, flags)


def _consignment_history(view: OrderView) -> list[Json]:
    """Return the carrier's events of each parcel up to now."""
    order = view.order
    if not (view.was_shipped and order.mall_delivery):
        return []
    history: list[Json] = [
        {
            **dict.fromkeys(order.carrier_keys, event.code),
            "date": date,
            "flags": list(event.flags),
            "tracking_number": parcel,
        }
        for event in carrier_events(order.journey)
        if (date := _past(view, event.after))
        for parcel in view.contents.parcels
    ]
    return history[::-1] if order.newest_first else history


ULOZENKA_NAMES = {2: "Paket je prevzet", 5: "Pripravljeno za prevzem", 22: "Rok hrambe je potekel"}


def _ulozenka_history(view: OrderView) -> list[Json]:
    """Return the older history, which exists for classic deliveries only."""
    if view.order.delivery is not DeliveryKind.CLASSIC or not view.was_shipped:
        return []
    journey = view.order.journey
    # 22 is "expired" in the official list of states.
    days = {2: 0, 5: journey.at_pickup_point_after, 22: journey.returning_after}
    history: list[Json] = [
        {"id": id_, "name": ULOZENKA_NAMES[id_], "date": date}
        for id_, after in days.items()
        if after is not None and (date := _past(view, after * DAY))
    ]
    return history[::-1] if view.order.newest_first else history


def _past(view: OrderView, after: timedelta) -> str | None:
    """Return the timestamp of an instant after shipping; None when it is in the future."""
    instant = view.order.shipped_at + after
    return _timestamp(view, instant) if instant <= view.at else None


def _without_absent(view: OrderView, values: Mapping[str, object]) -> Json:
    """Leave out `ABSENT` keys and, unless the order is written with nulls, keys without a value."""
    return {
        name: value
        for name, value in values.items()
        if value is not ABSENT
        and (value is not None or view.order.nulls or name in view.order.fields)
    }


@dataclass(frozen=True, slots=True)
class Paging:
    """Position of a page in its list; pages count from 1."""

    total: int
    page: int
    size: int

    @property
    def pages(self) -> int:
        """Number of pages; an empty list has one."""
        return max(1, -(-self.total // self.size))

    def of(self, orders: Sequence[object]) -> Sequence[object]:
        """Return the orders of this page."""
        begin = (self.page - 1) * self.size
        return orders[begin : begin + self.size]

    def json(self, *, with_total: bool) -> Json:
        """Return the `paging` object. A list shorter than a page has its own length as size."""
        values: Json = {"pages": self.pages, "size": min(self.size, self.total), "page": self.page}
        return {"total": self.total, **values} if with_total else values


def answer(code: int, content: Json, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, code, dict(headers or {}), "application/json")


def success(data: object, paging: Json | None = None) -> Response:
    """Return the envelope of a successful call."""
    envelope: Json = {"result": {"code": 200, "status": "OK"}}
    return answer(200, envelope | ({} if paging is None else {"paging": paging}) | {"data": data})


def refusal(
    code: int,
    message: str,
    error: tuple[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the envelope of a failed call; `error` is an error code and its message."""
    status = "LIMITED" if code == 429 else "ERROR"
    envelope: Json = {"result": {"code": code, "status": status, "message": message}}
    if error is not None:
        entry = {"message": error[1], "errorCode": error[0], "errorAttributes": []}
        envelope["errorCodes"] = [entry]
    return answer(code, envelope, headers)


def faulty(fault: Fault) -> Response:
    """Return the response of a planned failure."""
    if fault.body is None:
        return refusal(fault.status, "Planned failure", headers=fault.headers)
    return Response(fault.body, fault.status, dict(fault.headers), "application/json")


def dripping(response: Response, seconds: float) -> Response:
    """Return the same response in small pieces, spread over a number of seconds."""
    body = bytes(response.body)
    size = max(1, -(-len(body) // DRIP_PIECES))

    async def pieces() -> AsyncIterator[bytes]:
        for begin in range(0, len(body), size):
            if begin:
                await asyncio.sleep(seconds / (DRIP_PIECES - 1))
            yield body[begin : begin + size]

    return StreamingResponse(pieces(), response.status_code, dict(response.headers))
