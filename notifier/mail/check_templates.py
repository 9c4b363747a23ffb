"""Check the operator's own templates with example days before a digest depends on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from notifier.domain.digest import Digest, KnownOrder, Snapshot, compose
from notifier.domain.orders import Item, Order, OrderStatus
from notifier.domain.reading import Complete, Departure, Incomplete
from notifier.domain.recipients import Recipient
from notifier.domain.settings import Account, MailOptions, Sender
from notifier.i18n.language import Money
from notifier.mail.lint import LintFinding, expected_of, lint, unusable_templates
from notifier.mail.render import Renderer

FIRST_ID = 7_400_001


def check_templates(
    renderer: Renderer, account: Account, sender: Sender, now: datetime, *, language: str
) -> tuple[LintFinding, ...]:
    """List the findings in the mails of the example days, each once, with its first day.

    The templates run as they do for a real digest; an error in them becomes a finding.
    """
    options = account.mail_options(Recipient(sender.admin, language))
    # Most mistakes occur on all four days; four times the same finding would hide the others.
    first: dict[tuple[str, str], LintFinding] = {}
    for name, digest in example_days(account, now).items():
        for finding in _check(renderer, digest, options, sender):
            with_day = replace(finding, where=f"{name}, {finding.where}")
            first.setdefault((finding.what, finding.remedy), with_day)
    return tuple(first.values())


def _check(
    renderer: Renderer, digest: Digest, options: MailOptions, sender: Sender
) -> tuple[LintFinding, ...]:
    try:
        mail = renderer.own_digest(digest, options, sender)
    except Exception as error:  # noqa: BLE001 - a template can fail in any way
        return (unusable_templates(str(error) or type(error).__name__),)
    return lint(mail, expected_of(digest, options, sender))


def example_days(account: Account, now: datetime) -> Mapping[str, Digest]:
    """Build the digests of four days that use different parts of a template, by name."""
    day = account.schedule.local_day(now)
    orders = tuple(_orders(now))
    before = _snapshot(orders[1:], day)  # without the first order, so that one is new
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
    # A template that forgets an optional value, or that assumes one, fails with one of them.
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
