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
from notifier.domain.settings import Account, FileAccess, MarketplaceAccess, Settings
from notifier.errors import RefusedError, StoreError
from notifier.http import HttpClient
from notifier.mail.render import Renderer
from notifier.monitoring.ping import Ping
from notifier.services.run import Workshop
from notifier.services.tick import Neighbours
from notifier.shutdown import Stop
from notifier.smtp.connection import MailConnection
from notifier.sources.file import OrderFile
from notifier.sources.mall import Marketplace
from notifier.store import AccountState, open_store

FEWEST_FILES = 64
"""Open at once: connections to the marketplace, the store with its journal, the mail server."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """What a command works with."""

    settings: Settings
    shop: Workshop
    http: HttpClient
    monitor: Ping | None = None
    progress: Callable[[int, int], None] | None = None
    read_only: bool = False

    def source(self, account: Account) -> Source:
        """Where the orders of this account come from."""
        if isinstance(account.reads, FileAccess):
            return OrderFile(account.reads, self.http, clock=self.shop.clock)
        return self._marketplace(account, account.reads)

    def hint_reader(self, account: Account) -> Marketplace | None:
        """Who looks at what was hinted at: nobody hints at what is in a file."""
        if isinstance(account.reads, FileAccess):
            return None
        return self._marketplace(account, account.reads)

    def _marketplace(self, account: Account, access: MarketplaceAccess) -> Marketplace:
        store = self.shop.store
        memory = AccountState(store.order_states, store.meta, account.id, keeps=not self.read_only)
        return Marketplace(
            access,
            self.http,
            clock=self.shop.clock,
            memory=memory,
            progress=self.progress,
        )

    @property
    def neighbours(self) -> Neighbours:
        """The way to all of them."""
        smtp = self.settings.smtp
        return Neighbours(self.source, self.mail, self.hint_reader, smtp.on_unknown, self.monitor)

    def mail(self) -> MailConnection:
        """A connection to the mail server, not opened yet."""
        return MailConnection(self.settings.smtp, stop=self.shop.stop)


@asynccontextmanager
async def assemble(
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    read_only: bool,
    progress: Callable[[int, int], None] | None = None,
    stop: Stop | None = None,
) -> AsyncIterator[Assembly]:
    """Open the store and the HTTP client; `read_only` never writes to the store."""
    _refuse_few_files()
    async with HttpClient() as http:
        monitor = Ping(settings.ping_url, http) if settings.ping_url else None
        heard = nullcontext() if read_only else _store_troubles_told(monitor)
        async with heard, open_store(settings.store, read_only=read_only) as store:
            renderer = Renderer(settings.templates_dir)
            shop = Workshop(store, renderer, settings.sender, clock, _holder(), stop or Stop())
            yield Assembly(settings, shop, http, monitor, progress, read_only)


@asynccontextmanager
async def _store_troubles_told(monitor: Ping | None) -> AsyncIterator[None]:
    """A store that cannot be used holds no alarms either: the monitor hears of it each time."""
    try:
        yield
    except StoreError as error:
        if monitor and not error.temporary:
            await monitor.bad("store; `notifier doctor` tells more")
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
