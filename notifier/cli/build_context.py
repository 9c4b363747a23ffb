"""Put the parts together that a command needs, and take them apart again."""

from __future__ import annotations

import os
import resource
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime

import click

from notifier.domain.reading import Source
from notifier.domain.reading_plan import HintReader
from notifier.domain.settings import Account, FileAccess, MarketplaceAccess, Settings
from notifier.errors import RefusedError, StoreError
from notifier.http import HttpClient
from notifier.mail.render import Renderer
from notifier.monitoring.ping import Ping
from notifier.services.context import Context
from notifier.shutdown import Stop
from notifier.smtp.connection import MailConnection
from notifier.sources.file import OrderFile
from notifier.sources.mall import Marketplace
from notifier.store import AccountState, Store, open_store

FEWEST_FILES = 64
"""Open at once: connections to the marketplace, the store with its journal, the mail server."""


@asynccontextmanager
async def open_context(
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    read_only: bool,
    progress: Callable[[int, int], None] | None = None,
    stop: Stop | None = None,
) -> AsyncIterator[Context]:
    """Open the store and the HTTP client; `read_only` never writes to the store.

    `progress` is called with the orders read so far and how many there are to read.
    """
    _refuse_few_files()
    stop = stop or Stop()
    async with HttpClient() as http:
        monitor = Ping(settings.ping_url, http) if settings.ping_url else None
        watched = nullcontext() if read_only else _store_trouble_reported(monitor)
        async with watched, open_store(settings.store, read_only=read_only) as store:
            neighbours = _Neighbours(settings, http, store, clock, stop, progress, read_only)
            yield Context(
                settings=settings,
                store=store,
                renderer=Renderer(settings.templates_dir),
                clock=clock,
                holder=_holder(),
                source=neighbours.source,
                mail=neighbours.mail,
                hint_reader=neighbours.hint_reader,
                monitor=monitor,
                stop=stop,
            )


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """Makes the adapter for each neighbour when a service asks for it."""

    settings: Settings
    http: HttpClient
    store: Store
    clock: Callable[[], datetime]
    stop: Stop
    progress: Callable[[int, int], None] | None
    read_only: bool

    def source(self, account: Account) -> Source:
        """Where the orders of this account come from."""
        if isinstance(account.access, FileAccess):
            return OrderFile(account.access, self.http, clock=self.clock)
        return self._marketplace(account, account.access)

    def hint_reader(self, account: Account) -> HintReader | None:
        """None for an account that reads a file: no webhook tells of its orders."""
        if isinstance(account.access, FileAccess):
            return None
        return self._marketplace(account, account.access)

    def mail(self) -> MailConnection:
        """A connection to the mail server, not opened yet."""
        return MailConnection(self.settings.smtp, stop=self.stop)

    def _marketplace(self, account: Account, access: MarketplaceAccess) -> Marketplace:
        states = self.store.order_states
        memory = AccountState(states, self.store.meta, account.id, writable=not self.read_only)
        return Marketplace(
            access, self.http, clock=self.clock, state_store=memory, progress=self.progress
        )


@asynccontextmanager
async def _store_trouble_reported(monitor: Ping | None) -> AsyncIterator[None]:
    """A store that cannot be used holds no alarms either: the monitor hears of it each time."""
    try:
        yield
    except StoreError as error:
        if monitor and not error.temporary:
            await monitor.report_failure("store; `notifier doctor` tells more")
        raise


def choose_accounts(settings: Settings, ids: Iterable[str]) -> tuple[Account, ...]:
    """The accounts of these ids, all without any; an unknown one is the command line's fault."""
    chosen = []
    for id_ in dict.fromkeys(ids):
        if id_ not in settings.accounts:
            known = ", ".join(settings.accounts)
            raise click.BadParameter(
                f'no account "{id_}"; there is: {known}', param_hint="--account"
            )
        chosen.append(settings.accounts[id_])
    return tuple(chosen) or tuple(settings.accounts.values())


def _refuse_few_files() -> None:
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= allowed < FEWEST_FILES:
        raise RefusedError(
            f"only {allowed} files may be open at once, and {FEWEST_FILES} are needed; raise "
            "LimitNOFILE= of the unit, or `ulimit -n`"
        )


def _holder() -> str:
    """Names this process in leases: unique, and readable to somebody who wonders who holds one."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
