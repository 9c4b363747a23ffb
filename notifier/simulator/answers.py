"""The marketplace's JSON: rows of a list, the detail of an order, envelopes.

Shapes as in the marketplace's published document and recorded answers; what an order has not got
is a missing key. The official client insists on every key that is not marked as optional there,
so none of those is ever left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from notifier.simulator.contents import COD_FEE, COUNTRY, CURRENCY, SimulatedLine
from notifier.simulator.lifecycle import DAY, SimulatedStatus, carrier_events
from notifier.simulator.orders import ABSENT, SimulatedDelivery, VisibleState

Json = dict[str, object]


def _moment(status: SimulatedStatus) -> Callable[[VisibleState], object]:
    def since(seen: VisibleState) -> object:
        instant = seen.moments.get(status)
        return None if instant is None else seen.stamps.moment(instant)

    return since


def _delivered_at(seen: VisibleState) -> str | None:
    delivered = seen.moments.get(SimulatedStatus.DELIVERED)
    return None if delivered is None else seen.stamps.moment(delivered)


def _tracking_url(seen: VisibleState) -> str | None:
    if not seen.was_shipped:
        return None
    return f"https://tracking.example.com/?parcel={seen.contents.parcels[0]}&lang=sl"


ROW: Mapping[str, Callable[[VisibleState], object]] = {
    "id": lambda seen: seen.order.id,
    "source": lambda _: None,
    "external_id": lambda seen: seen.contents.external_id,
    "purchase_id": lambda seen: seen.order.id // 100,
    "customer_id": lambda seen: seen.contents.buyer.customer_id,
    "customer": lambda seen: seen.contents.buyer.name,
    "cod": lambda seen: seen.contents.cod,
    "payment_type": lambda seen: "A" if seen.contents.prepaid else "D",
    "ship_date": lambda seen: seen.stamps.day(seen.order.shipped_at),
    "tracking_number": lambda seen: seen.contents.parcels[0] if seen.was_shipped else None,
    "tracking_url": _tracking_url,
    "delivered_at": _delivered_at,
    "status": lambda seen: seen.status,
    "confirmed": lambda seen: seen.contents.confirmed,
    "test": lambda seen: seen.order.test,
    "mdp": lambda seen: seen.order.mall_delivery,
    "mdp_classic": lambda seen: seen.order.delivery is SimulatedDelivery.CLASSIC,
    "mdp_spectrum": lambda seen: seen.order.delivery is SimulatedDelivery.SPECTRUM,
    **{status.value: _moment(status) for status in SimulatedStatus},
}
"""Every field of a list row, which are also the fields a list can be filtered and sorted by."""

ROW_ONLY = frozenset({"source", "customer_id", "customer"})


def row_value(seen: VisibleState, name: str) -> object:
    """One field of a list row; None when it is not there."""
    if name in seen.order.fields:
        value = seen.order.fields[name]
        return None if value is ABSENT else value
    return ROW[name](seen)


def row(seen: VisibleState) -> Json:
    """One row of a list with `filter=basic`."""
    values = {name: ROW[name](seen) for name in ROW}
    set_by_hand = {name: value for name, value in seen.order.fields.items() if name in ROW}
    return _present(seen, values | set_by_hand)


def detail(seen: VisibleState) -> Json:
    """One order in full."""
    values = _head(seen) | _delivery(seen) | _tail(seen)
    set_by_hand = {name: value for name, value in seen.order.fields.items() if name not in ROW_ONLY}
    return _present(seen, values | set_by_hand)


def _head(seen: VisibleState) -> Json:
    contents = seen.contents
    return {
        "id": seen.order.id,
        "external_id": contents.external_id,
        "purchase_id": seen.order.id // 100,
        "external_order_id": 0,
        "currency": CURRENCY,
        "delivery_price": contents.delivery_price,
        "cod_price": 0 if contents.prepaid else COD_FEE,
        "cod": contents.cod,
        "discount": contents.discount,
        "payment_type": ROW["payment_type"](seen),
    }


def _delivery(seen: VisibleState) -> Json:
    branch_id = seen.contents.branch_id
    method = 1 if branch_id is None else 12
    attempted = seen.order.journey.attempted_after
    return {
        "delivery_method": str(method),
        "delivery_method_id": method if seen.order.id // 100 % 2 else str(method),
        "branch_id": branch_id,
        "branches": _present(seen, {"branch_id": branch_id, "overridden": False}),
        "tracking_number": ROW["tracking_number"](seen),
        "tracking_url": ROW["tracking_url"](seen),
        "ship_date": ROW["ship_date"](seen),
        "delivery_date": seen.stamps.day(seen.order.shipped_at + DAY),
        "delivered_at": ROW["delivered_at"](seen),
        "first_delivery_attempt": None if attempted is None else _if_past(seen, attempted * DAY),
        "address": _address(seen),
    }


def _address(seen: VisibleState) -> Json:
    buyer = seen.contents.buyer
    return _present(
        seen,
        {
            "customer_id": buyer.customer_id,
            "name": buyer.name,
            "company": buyer.company,
            "phone": buyer.phone,
            "email": buyer.email,
            "street": buyer.street,
            "city": buyer.city,
            "zip": buyer.zip,
            "country": COUNTRY,
        },
    )


def _tail(seen: VisibleState) -> Json:
    names = ("confirmed", "status", "test", "mdp", "mdp_classic", "mdp_spectrum")
    flags = {name: ROW[name](seen) for name in names}
    return {
        "confirmed": flags.pop("confirmed"),
        "status": flags.pop("status"),
        "items": [_item(seen, line) for line in seen.contents.lines],
        **flags,
        "ready_to_return": seen.ready,
        **{status.value: ROW[status.value](seen) for status in SimulatedStatus},
        "ulozenka_status_history": _ulozenka_history(seen),
        "consignment_status_history": _consignment_history(seen),
    }


def _item(seen: VisibleState, line: SimulatedLine) -> Json:
    sold_by_number = line.product.article_id % 2 == 0
    return _present(
        seen,
        {
            "id": line.product.sku,
            "article_id": line.product.article_id,
            "quantity": line.quantity,
            "price": line.product.price,
            "purchase_price": None,
            "vat": 22,
            "commission": None if line.product.article_id % 5 == 0 else 12,
            "title": line.product.title,
            "serial_numbers": [f"SN-{seen.order.id}"] if sold_by_number else [],
        },
    )


def _consignment_history(seen: VisibleState) -> list[Json]:
    """What the carrier told of each parcel, oldest first unless the order is written otherwise."""
    if not (seen.was_shipped and seen.order.mall_delivery):
        return []
    history: list[Json] = [
        {
            **dict.fromkeys(seen.order.carrier_keys, event.code.value),
            "date": seen.stamps.moment(seen.order.shipped_at + event.after),
            "flags": list(event.flags),
            "tracking_number": parcel,
        }
        for event in carrier_events(seen.order.journey)
        if seen.order.shipped_at + event.after <= seen.at
        for parcel in seen.contents.parcels
    ]
    return history[::-1] if seen.order.newest_first else history


ULOZENKA_NAMES = {2: "Paket je prevzet", 5: "Pripravljeno za prevzem", 22: "Rok hrambe je potekel"}


def _ulozenka_history(seen: VisibleState) -> list[Json]:
    """The older history, kept for classic deliveries only. 22 is "expired" (the official list)."""
    if seen.order.delivery is not SimulatedDelivery.CLASSIC or not seen.was_shipped:
        return []
    journey = seen.order.journey
    days = {2: 0, 5: journey.at_pickup_point_after, 22: journey.returning_after}
    history: list[Json] = [
        {"id": id_, "name": ULOZENKA_NAMES[id_], "date": date}
        for id_, after in days.items()
        if after is not None and (date := _if_past(seen, after * DAY)) is not None
    ]
    return history[::-1] if seen.order.newest_first else history


def _if_past(seen: VisibleState, after: timedelta) -> str | None:
    instant = seen.order.shipped_at + after
    return seen.stamps.moment(instant) if instant <= seen.at else None


def _present(seen: VisibleState, values: Mapping[str, object]) -> Json:
    """Without what is absent; or with nulls instead, for an order that is written that way."""
    kept = {name: value for name, value in values.items() if value is not ABSENT}
    if seen.order.nulls:
        return kept
    set_by_hand = seen.order.fields
    return {name: value for name, value in kept.items() if value is not None or name in set_by_hand}


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a page lies in its list; pages count from 1."""

    total: int
    page: int
    size: int

    @property
    def pages(self) -> int:
        """At least one, also of an empty list."""
        return max(1, -(-self.total // self.size))

    def of(self, orders: Sequence[object]) -> Sequence[object]:
        """The orders of this page."""
        begin = (self.page - 1) * self.size
        return orders[begin : begin + self.size]

    def json(self, *, with_total: bool) -> Json:
        """As it stands beside the data. A list shorter than a page tells its own length as size."""
        told: Json = {"pages": self.pages, "size": min(self.size, self.total), "page": self.page}
        return {"total": self.total, **told} if with_total else told


def envelope(data: object, paging: Json | None = None) -> Json:
    """A good answer."""
    result: Json = {"result": {"code": 200, "status": "OK"}}
    if paging is not None:
        result["paging"] = paging
    return result | {"data": data}


def failure(code: int, message: str, error_codes: Iterable[tuple[str, str]] = ()) -> Json:
    """A refusal. `error_codes` are pairs of a code and its message."""
    status = "LIMITED" if code == 429 else "ERROR"
    result: Json = {"result": {"code": code, "status": status, "message": message}}
    codes = [
        {"message": text, "errorCode": error_code, "errorAttributes": []}
        for error_code, text in error_codes
    ]
    return result | {"errorCodes": codes} if codes else result
