"""Targets that take orders of any shape from foreign input to the frozen mail."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from notifier.domain.digest import Digest, KnownOrder, Snapshot, compose
from notifier.domain.orders import Order
from notifier.domain.reading import Complete
from notifier.errors import FileRefused
from notifier.http import HttpAnswer
from notifier.mail.attachments.csv import orders_csv
from notifier.mail.freeze import freeze
from notifier.mail.render import Renderer
from notifier.sources.file.parsing import parse_records
from notifier.sources.file.summary import RowCollector
from notifier.sources.mall.answers import open_answer
from notifier.sources.mall.listing import parse_page
from notifier.sources.mall.payloads import UnreadableOrder, comes_back, parse_order
from notifier.sources.values import LONGEST_TEXT
from notifier.store.snapshots import dump_order, load_order
from tests import factories
from tests.factories import mail_options
from tests.fuzz.shapes import DETAIL, JSON_ACCESS, PAGING, Draws, drawn_detail, drawn_record

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
PRAGUE = ZoneInfo("Europe/Prague")
ZONES = ("Europe/Prague", "Europe/Athens", "America/New_York", "Pacific/Kiritimati")
LANGUAGES = ("en", "sl")
RENDERER = Renderer()


def details(data: bytes) -> None:
    """Check that a detail becomes a valid order or is unreadable, and that a page becomes rows."""
    draws = Draws(data)
    page = _envelope(draws.several(DETAIL), paging=draws.filled(PAGING))
    rows = parse_page(page, 1, PRAGUE).rows
    assert all(0 < row.id < 10**15 for row in rows)
    detail = _envelope(drawn_detail(draws)).data
    assert comes_back(detail) in (True, False)
    try:
        order = parse_order(detail, PRAGUE)
    except UnreadableOrder:
        return
    check_order(order)


def digests(data: bytes) -> None:
    """Check that any orders of a day become a valid mail with a correct CSV."""
    draws = Draws(data)
    account = factories.account(schedule=factories.schedule(timezone=draws.one_of(ZONES)))
    language = draws.one_of(LANGUAGES)
    orders = {order.id: order for order in _orders(draws)}
    for order in orders.values():
        check_order(order)
    digest = compose(
        account, Complete(NOW, tuple(orders.values()), candidates=len(orders)),
        _known(draws, orders), factories.DAY,
    )  # fmt: skip
    sender, to = factories.sender(), replace(account.recipients[0], language=language)
    options = mail_options(account, language)
    mail = RENDERER.digest(digest, options, sender)
    file = orders_csv(digest, options)
    _check_cells(file.content.decode("utf-8-sig"), digest)
    # Freezing verifies the finished mail.
    freeze(
        mail, (file,), recipient=to, account=account, sender=sender, day=digest.day, edition=1,
        at=NOW,
    )  # fmt: skip


def check_order(order: Order) -> None:
    """Check that each text is one line of limited length, and that the store keeps the order."""
    for text in _texts(order):
        assert len(text) <= LONGEST_TEXT
        assert len(text.splitlines()) == 1, text
        text.encode()
    assert order.value is None or order.value.amount.is_finite()
    assert load_order(dump_order(order)) == order
    for zone in ZONES:
        order.in_zone(ZoneInfo(zone))


def _texts(order: Order) -> Iterator[str]:
    item_texts = (text for item in order.items for text in (item.title, item.sku, item.article_id))
    texts = (
        order.number, order.external_id, order.purchase_id, order.tracking_url,
        *order.tracking_numbers, *item_texts,
    )  # fmt: skip
    return (text for text in texts if text is not None)


def _envelope(data: Any, **more: Any) -> Any:
    body = json.dumps({"result": {"code": 200, "status": "OK"}, "data": data} | more).encode()
    return open_answer(HttpAnswer(200, {}, body), "host", NOW)


def _orders(draws: Draws) -> Iterator[Order]:
    """Yield orders of the marketplace, then orders of a file."""
    for _ in range(draws.below(4)):
        try:
            yield parse_order(_envelope(drawn_detail(draws)).data, PRAGUE)
        except UnreadableOrder:
            continue
    records = [drawn_record(draws) for _ in range(draws.below(4))]
    collector = RowCollector(JSON_ACCESS, "orders")
    try:
        content = json.dumps({"data": {"orders": records}}).encode()
        collector.collect(parse_records(content, JSON_ACCESS, "orders"))
    except FileRefused:
        return
    yield from collector.conclude((), NOW, 0).orders


def _known(draws: Draws, orders: dict[int, Order]) -> Snapshot:
    """Return a snapshot of the day before with some of the orders."""
    before = factories.snapshot()
    known = {id_: KnownOrder(before.day, order) for id_, order in orders.items() if draws.below(2)}
    return replace(before, known=known)


def _check_cells(content: str, digest: Digest) -> None:
    delimiter = max(";,", key=content.partition("\r\n")[0].count)
    rows = list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))
    assert len(rows) == 1 + len(digest.present)
    assert len({len(row) for row in rows}) == 1
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
