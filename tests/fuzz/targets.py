"""The fuzz targets: each takes any bytes and checks what must hold for all inputs.

They do not depend on the fuzzer. An exception fails a target; expected errors are caught.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from notifier import config
from notifier.config.file import decoded
from notifier.domain.recipients import Mailbox, Recipient
from notifier.errors import (
    ConfigError,
    FileRefused,
    MarketplaceRefused,
    MarketplaceUnavailable,
    Problem,
)
from notifier.http import HttpAnswer, http_date
from notifier.mail.freeze import freeze
from notifier.mail.render import RenderedMail
from notifier.sources.file.parsing import parse_records
from notifier.sources.file.summary import RowCollector
from notifier.sources.mall.answers import (
    LONGEST_ASKED,
    calls_allowed,
    calls_left,
    open_answer,
    retry_after,
    window_left,
)
from notifier.sources.mall.listing import parse_page
from notifier.sources.mall.payloads import UnreadableOrder, comes_back, parse_order
from notifier.sources.mall.webhook import MOST_IDS, NotHints, parse_hints
from tests import factories
from tests.config.sample import SAMPLE
from tests.fuzz.orders import NOW, PRAGUE, check_order, details, digests
from tests.fuzz.shapes import CSV_ACCESS, JSON_ACCESS

# A count beyond SQLite's largest integer could not be stored.
COUNT_LIMIT = 2**63


@dataclass(frozen=True, slots=True)
class Target:
    """A function to fuzz, and the inputs to start from."""

    one_input: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def payloads(data: bytes) -> None:
    """Check that any response body becomes data or a marketplace error."""
    for status in (200, 404, 429):
        try:
            envelope = open_answer(HttpAnswer(status, {}, data), "host", NOW)
        except (MarketplaceRefused, MarketplaceUnavailable):
            continue
        if isinstance(envelope.data, list):
            page = parse_page(envelope, 1, PRAGUE)
            assert all(0 < row.id < 10**15 for row in page.rows)
        assert comes_back(envelope.data) in (True, False)
        with contextlib.suppress(UnreadableOrder):
            check_order(parse_order(envelope.data, PRAGUE))


def webhook(data: bytes) -> None:
    """Check that any webhook body becomes valid ids or is refused."""
    try:
        hints = parse_hints(data)
    except NotHints:
        return
    assert all(0 < id_ < 10**15 for id_ in hints.ids)
    assert len(set(hints.ids)) == len(hints.ids) <= MOST_IDS
    assert hints.skipped >= 0


def waits(data: bytes) -> None:
    """Check that rate limit headers become a wait of limited length, or none."""
    value = data.decode("latin-1")
    headers = dict.fromkeys(
        ("retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "x-ratelimit-limit"), value
    )
    for wait in (retry_after(headers, NOW), window_left(headers)):
        assert wait is None or timedelta(0) <= wait <= LONGEST_ASKED
    for count in (calls_left(headers), calls_allowed(headers)):
        assert count is None or 0 <= count < COUNT_LIMIT
    date = http_date(value)
    assert date is None or date.tzinfo is not None


def headers(data: bytes) -> None:
    """Check that neither subject nor names can add a header (header injection)."""
    text = data.decode("utf-8", "surrogateescape")
    subject, _, name = text.partition("|")
    mail = RenderedMail("en", subject, "", "Hello\n", "<p>Hello</p>\n")
    account = replace(factories.account(), name=name or "Shop")
    to = Recipient(Mailbox("jana@example.com", name), "en", subject[:60] or None)
    message = freeze(
        mail, (), recipient=to, account=account, sender=factories.sender(), day=NOW.date(),
        edition=1, at=NOW,
    )  # fmt: skip
    head = message.content.partition(b"\r\n\r\n")[0].decode("ascii")
    names = [line.partition(":")[0] for line in head.split("\r\n") if line[0] not in " \t"]
    assert names == EXPECTED_HEADERS, names


EXPECTED_HEADERS = [
    "From", "To", "Reply-To", "Date", "Message-ID", "Subject", "Auto-Submitted",
    "X-Auto-Response-Suppress", "List-Id", "List-Unsubscribe", "Content-Language", "X-Mailer",
    "MIME-Version", "Content-Type",
]  # fmt: skip


def configuration(data: bytes) -> None:
    """Check that any file becomes settings or a list of problems, one line each."""
    file = Path("/nowhere/config.toml")
    problems: tuple[Problem, ...] | None = None
    try:
        config.parse(decoded(data, str(file)), file, environ={})
    except ConfigError as error:
        problems = error.problems
    assert problems is None or problems
    assert all(len(str(problem).splitlines()) == 1 for problem in problems or ())


def order_file(data: bytes) -> None:
    """Check that any order file becomes valid orders or is refused as a whole."""
    for access in (CSV_ACCESS, JSON_ACCESS):
        collector = RowCollector(access, "orders")
        try:
            collector.collect(parse_records(data, access, "orders"))
        except FileRefused:
            continue
        reading = collector.conclude((), NOW, 0)
        for order in reading.orders:
            assert order.id > 0
            check_order(order)


def _dumped(data: object) -> bytes:
    return json.dumps({"result": {"code": 200, "status": "OK"}, "data": data}).encode()


_DETAIL = {
    "id": 4500001, "status": "shipped", "ready_to_return": True, "mdp": True, "currency": "EUR",
    "cod": 12.5, "tracking_number": "MD1", "tracking_url": "https://t.example.com/1",
    "shipped": "2026-11-10 09:00:00", "external_id": "A-1",
    "items": [{"id": "K-1", "title": "Kettle", "quantity": 2, "price": "19.90"}],
    "consignment_status_history": [{"code": "RETURNING", "tracking_number": "MD2"}],
    "ulozenka_status_history": [{"id": 22, "name": "expired"}],
}  # fmt: skip

SHAPED = (b"", bytes(range(256)), b"\5" * 200)

TARGETS: Mapping[str, Target] = {
    "payloads": Target(
        payloads,
        (
            _dumped(_DETAIL),
            _dumped([{"id": 1, "status": "shipped", "mdp": True}, 2, "3", None]),
            b'{"result": {"code": 429, "status": "LIMITED"}, "data": null}',
            b'{"result":{"status":"OK"},"paging":{"pages":2,"page":1,"total":3},"data":[]}',
        ),
    ),
    "details": Target(details, SHAPED),
    "digests": Target(digests, SHAPED),
    "webhook": Target(
        webhook, (b"[123456, 1234567]", b'[{"order_id": 5}, {"order": {"id": "6"}}]', b"[1e9]")
    ),
    "waits": Target(
        waits, (b"120", b"-5", b"Sun, 22 Nov 2026 06:10:00 GMT", b"nan", b"99999999999")
    ),
    "headers": Target(
        headers, (b"3 parcels|Jana", b"=?utf-8?q?=0d=0aBcc:a@b?=|x", "\u202eŠ\r\nBcc: a|ž".encode())
    ),
    "configuration": Target(configuration, (SAMPLE.encode(), b'admin = "a@b.example"\n[smtp]\n')),
    "order_file": Target(
        order_file,
        (
            b"sep=,\n\n",
            b"[9E999999999999999999999999]",
            b'Order,State,Item,Price,Sent\n17,back,"Cup, large",1.50,2026-11-10\nX-1,done,,,\n',
            json.dumps(
                {"data": {"orders": [{"Order": 1, "State": "back", "lines": [{"name": "Cup"}]}]}}
            ).encode(),
        ),
    ),
}
