"""Factories of domain values for tests: valid by default, each field changed by keyword."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from notifier.domain.digest import Digest, KnownOrder, Snapshot, compose
from notifier.domain.orders import Item, Order, OrderStatus
from notifier.domain.reading import Complete
from notifier.domain.recipients import Mailbox, Recipient
from notifier.domain.schedule import Schedule
from notifier.domain.settings import (
    Account,
    FileAccess,
    FileFormat,
    MailOptions,
    MarketplaceAccess,
    PlaceOfReturn,
    Secret,
    Sender,
    Settings,
    SmtpServer,
    StoreLocation,
    Tls,
)
from notifier.i18n.language import Money
from notifier.mail.render import Renderer
from notifier.services.context import Context
from notifier.store import Store

DAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def order(id_: int = 4500001, **more: Any) -> Order:
    """Return an order that waits for the seller."""
    fields: dict[str, Any] = {
        "status": OrderStatus.SHIPPED,
        "ready_to_return": True,
        "external_id": f"EXT-{id_}",
        "tracking_numbers": (f"MD{id_}",),
        "tracking_url": f"https://tracking.example/{id_}",
        "items": (Item("Kettle", 1, sku="K-1", price=Money(Decimal("19.90"), "EUR")),),
        "currency": "EUR",
        "shipped_at": datetime(2026, 11, 10, 9, tzinfo=UTC),
    }
    return Order(id_, **(fields | more))


def schedule(**more: Any) -> Schedule:
    """Return a schedule of six in the morning in Ljubljana."""
    fields: dict[str, Any] = {"send_at": time(6), "timezone": "Europe/Ljubljana"}
    return Schedule(**(fields | more))


def account(**more: Any) -> Account:
    """Return the account of a Slovenian shop with two recipients."""
    fields: dict[str, Any] = {
        "id": "ljubljana",
        "name": "Mimovrste",
        "access": MarketplaceAccess(
            "https://marketplace.example", Secret("client-id-1"), "Europe/Prague"
        ),
        "schedule": schedule(),
        "recipients": (
            Recipient(Mailbox("office@example.com", "Office"), "en"),
            Recipient(Mailbox("jana@example.com", "Jana"), "sl", "warehouse"),
        ),
        "language": "en",
        "place": PlaceOfReturn("Branch Center", "Example street 1", "Mon–Fri 8–18"),
        "order_url": "https://portal.example/orders/{id}",
    }
    return Account(**(fields | more))


def mail_options(
    of: Account | None = None, language: str = "en", group: str | None = None
) -> MailOptions:
    """Return the mail options of a reader with this account, language and contact group."""
    reader = Recipient(Mailbox("reader@example.com"), language, group)
    return (of or account()).mail_options(reader)


def account_with_password(code: str = "4711-0815") -> Account:
    """Return an account with a pickup password that the group "warehouse" may see."""
    place = PlaceOfReturn("Branch Center", "Example street 1", "Mon–Fri 8–18", Secret(code))
    return account(place=place, password_groups=frozenset({"warehouse"}))


def file_account(**more: Any) -> Account:
    """Return an account whose orders another program writes into a file."""
    access = FileAccess(Path("orders.csv"), FileFormat.CSV, {"id": "Order"}, "Europe/Prague")
    return account(access=access, order_url=None, **more)


def sender() -> Sender:
    """Return a sender in the shop's own domain."""
    box = Mailbox("parcels@example.com", "Ready to return")
    admin = Mailbox("admin@example.com", "Admin")
    return Sender(mailbox=box, reply_to=admin, envelope=box, admin=admin)


def settings(*accounts: Account, **more: Any) -> Settings:
    """Return settings of these accounts, with an unreachable mail server and a store in memory."""
    fields: dict[str, Any] = {
        "accounts": {account.id: account for account in accounts},
        "smtp": SmtpServer("127.0.0.1", 1, Tls.NONE),
        "sender": sender(),
        "store": StoreLocation("sqlite://"),
    }
    return Settings(**(fields | more))


def context(
    store: Store, *accounts: Account, at: Callable[[], datetime] = lambda: NOON, **more: Any
) -> Context:
    """Return a context with a real store; any use of source or mail server fails the test."""

    def unexpected(*_: object) -> NoReturn:
        raise AssertionError("unexpected use of the source or the mail server")

    fields: dict[str, Any] = {
        "settings": settings(*accounts),
        "renderer": Renderer(None),
        "holder": "a test",
        "source": unexpected,
        "mail": unexpected,
        "hint_reader": lambda _: None,
    }
    return Context(store=store, clock=at, **(fields | more))


def snapshot(*orders: Order, day: date = date(2026, 11, 21), **first_seen: date) -> Snapshot:
    """Return the snapshot of an earlier day; `o<id>=day` changes when an order was first seen."""
    known = {o.id: KnownOrder(first_seen.get(f"o{o.id}", day), o) for o in orders}
    since = min([day, *first_seen.values()])
    return Snapshot(day, since, known)


def digest(*orders: Order, previous: Snapshot | None = None, **more: Any) -> Digest:
    """Return a digest of these orders; orders that are not in `previous` are new."""
    reading = Complete(NOON, orders, candidates=len(orders))
    base = compose(account(), reading, previous or snapshot(), DAY)
    return replace(base, **more) if more else base
