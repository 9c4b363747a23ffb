"""Check the operator's own templates with example days before a digest depends on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from notifier.domain.digest import Digest, KnownOrder, Snapshot, compose
from notifier.domain.orders import Item, Order, OrderStatus
from notifier.domain.reading import Complete, Departure, Incomplete
from notifier.domain.settings import Account, Sender
from notifier.i18n.language import Money
from notifier.mail.lint import LintFinding, expected_of, lint
from notifier.mail.lint.content import unusable_templates
from notifier.mail.render import Renderer

FIRST_ID = 7_400_001


def check_templates(
    renderer: Renderer, account: Account, sender: Sender, now: datetime, *, language: str
) -> tuple[LintFinding, ...]:
    """List what is wrong with the mails of the example days, each thing once, with its first day.

    The templates run as they do for a real digest; what they raise becomes a finding.
    """
    first: dict[tuple[str, str], LintFinding] = {}
    for name, digest in example_days(account, now).items():
        for finding in _check(renderer, digest, account, sender, language):
            with_day = replace(finding, where=f"{name}, {finding.where}")
            first.setdefault((finding.what, finding.remedy), with_day)
    return tuple(first.values())


def _check(
    renderer: Renderer, digest: Digest, account: Account, sender: Sender, language: str
) -> tuple[LintFinding, ...]:
    try:
        parts = renderer.own_digest(digest, account, sender, language=language, group=None)
    except Exception as error:  # noqa: BLE001 - a template can fail in any way
        return (unusable_templates(str(error) or type(error).__name__),)
    return lint(parts, expected_of(digest, account, sender, language))


def example_days(account: Account, now: datetime) -> Mapping[str, Digest]:
    """Build the digests of four days that use different parts of a template, by name."""
    day = account.schedule.local_day(now)
    orders = tuple(_orders(now))
    before = _snapshot(orders[1:], day)
    trend = [(day - timedelta(days=ago), ago % 5 or None) for ago in range(13, 0, -1)]
    gone = {orders[-1].id: Departure.RETURNED, orders[-2].id: Departure.LOST}
    ordinary = Complete(now, orders[:-2], gone, candidates=40)
    part = Incomplete(now, orders[:2], "2 of 40 orders could not be read", (FIRST_ID + 9,))
    return {
        "an ordinary day": compose(account, ordinary, before, day, trend=trend),
        "a day without parcels": compose(account, Complete(now, ()), _snapshot((), day), day),
        "an incomplete list": compose(account, part, before, day, skipped_days=[day]),
        "the first day": compose(account, Complete(now, orders), None, day),
    }


def _snapshot(orders: tuple[Order, ...], day: date) -> Snapshot:
    """Build the previous snapshot, in which each order has waited three days longer."""
    seen = {order.id: day - timedelta(days=1 + 3 * n) for n, order in enumerate(orders)}
    known = {order.id: KnownOrder(seen[order.id], order) for order in orders}
    return Snapshot(day - timedelta(days=1), day - timedelta(days=30), known)


def _orders(now: datetime) -> Iterator[Order]:
    """Yield orders with many and with few details, and with characters special in HTML."""
    titles = ("Kettle", 'Bracket 32" <VESA 400×400> & screws', "Rug, " + "very soft, " * 15)
    for n in range(6):
        price = Money(Decimal("19.90") * (n + 1), "EUR")
        yield Order(
            FIRST_ID + n,
            OrderStatus.SHIPPED,
            ready_to_return=True,
            external_id=f"EXT-{n}" if n % 2 else None,
            tracking_numbers=(f"PARCEL-{n}",) * (n % 3),
            items=tuple(Item(title, n + 1, f"SKU-{n}", None, price) for title in titles[: n % 4]),
            currency="EUR",
            cod=price if n % 2 else None,
            shipped_at=now - timedelta(days=20) if n else None,
        )
