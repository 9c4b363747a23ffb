"""The services' context in benchmarks: a real store, with source and mail server by choice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NoReturn

from notifier.domain.reading import Source
from notifier.domain.recipients import Mailbox
from notifier.domain.settings import Account, Sender, Settings, SmtpServer, StoreLocation, Tls
from notifier.mail.render import Renderer
from notifier.services.context import Context
from notifier.smtp.connection import MailConnection
from notifier.store import Store

BOX = Mailbox("parcels@example.com")


def _unexpected(*_: object) -> NoReturn:
    raise RuntimeError("unexpected use of the source or the mail server")


def make_context(
    store: Store,
    *,
    source: Callable[[Account], Source] = _unexpected,
    mail: Callable[[], MailConnection] = _unexpected,
) -> Context:
    """Build a context that uses the wall clock."""
    unreachable = SmtpServer("127.0.0.1", 1, Tls.NONE)
    return Context(
        settings=Settings({}, unreachable, Sender(BOX, BOX, BOX, BOX), StoreLocation("sqlite://")),
        store=store,
        renderer=Renderer(None),
        clock=lambda: datetime.now(UTC),
        holder="benchmark",
        source=source,
        mail=mail,
        hint_reader=lambda _: None,
    )
