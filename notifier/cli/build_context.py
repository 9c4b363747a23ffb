"""Open what a command works with: store, HTTP client, the accounts' sources and the mail server."""

from __future__ import annotations

import asyncio
import os
import resource
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
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

# Enough for connections to the marketplace and the mail server, and the store with its journal.
MIN_OPEN_FILES = 64


@asynccontextmanager
async def open_context(
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    read_only: bool,
    progress: Callable[[int, int], None] | None = None,
    stop: Stop | None = None,
) -> AsyncIterator[Context]:
    """Open the store and the HTTP client; with `read_only`, nothing is written to the store.

    `progress` is called with the number of orders read, and of those to read.
    """
    # First: a process that runs out of descriptors half-way could no longer record what it sent.
    _check_open_files_limit()
    stop = stop or Stop()
    # The HTTP client is opened first: the ping that reports a broken store needs it.
    async with HttpClient() as http:
        monitor = Ping(settings.ping_url, http) if settings.ping_url else None
        # A person who only looks must not change what the monitor shows.
        watched = nullcontext() if read_only else _store_errors_reported(monitor)
        async with watched, open_store(settings.store, read_only=read_only) as store:
            adapters = _Adapters(settings, http, store, clock, stop, progress, read_only)
            yield Context(
                settings=settings,
                store=store,
                renderer=Renderer(settings.templates_dir),
                clock=clock,
                holder=_holder(),
                source=adapters.source,
                mail=adapters.mail,
                hint_reader=adapters.hint_reader,
                monitor=monitor,
                stop=stop,
            )


@dataclass(frozen=True, slots=True)
class _Adapters:
    """Makes the adapter to an account's source or to the mail server when a service needs it."""

    settings: Settings
    http: HttpClient
    store: Store
    clock: Callable[[], datetime]
    stop: Stop
    progress: Callable[[int, int], None] | None
    read_only: bool

    def source(self, account: Account) -> Source:
        if isinstance(account.access, FileAccess):
            return OrderFile(account.access, self.http, clock=self.clock)
        return self._marketplace(account, account.access)

    def hint_reader(self, account: Account) -> HintReader | None:
        """Return None for an account that reads a file: webhooks report marketplace orders only."""
        if isinstance(account.access, FileAccess):
            return None
        return self._marketplace(account, account.access)

    def mail(self) -> MailConnection:
        """Return a connection to the mail server that is not open yet."""
        return MailConnection(self.settings.smtp, stop=self.stop)

    def _marketplace(self, account: Account, access: MarketplaceAccess) -> Marketplace:
        states = self.store.order_states
        state_store = AccountState(states, self.store.meta, account.id, writable=not self.read_only)
        return Marketplace(
            access, self.http, clock=self.clock, state_store=state_store, progress=self.progress
        )


@asynccontextmanager
async def _store_errors_reported(monitor: Ping | None) -> AsyncIterator[None]:
    """Report each permanent error of the store to the monitor."""
    try:
        yield
    except StoreError as error:
        # Alarms are kept in the store, so that this one cannot become an alarm.
        if monitor and not error.temporary:
            await monitor.report_failure("store; run `notifier doctor` for details")
        raise


@contextmanager
def stopping(stop: Stop, *, hangup: Callable[[], None] | None = None) -> Iterator[None]:
    """Let SIGTERM and SIGINT ask for a stop while the block runs; a second SIGINT interrupts.

    SIGHUP calls `hangup`, if given.
    """
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        stop.request()
        # The next one raises KeyboardInterrupt: a person who presses Ctrl-C twice does not want to
        # wait.
        loop.remove_signal_handler(signal.SIGINT)

    handlers = {signal.SIGTERM: stop.request, signal.SIGINT: interrupt}
    if hangup is not None:
        handlers[signal.SIGHUP] = hangup
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


accounts_option = click.option(
    "--account", "accounts", multiple=True, metavar="ID", help="Only this account; repeatable."
)


def choose_accounts(settings: Settings, ids: Iterable[str]) -> tuple[Account, ...]:
    """Return the accounts with these ids, or all if no id is given.

    Raises click.BadParameter for an unknown id.
    """
    chosen = []
    # An account named twice must not be run twice.
    for id_ in dict.fromkeys(ids):
        if id_ not in settings.accounts:
            known = ", ".join(settings.accounts)
            raise click.BadParameter(
                f'unknown account "{id_}"; configured: {known}', param_hint="--account"
            )
        chosen.append(settings.accounts[id_])
    return tuple(chosen) or tuple(settings.accounts.values())


def _check_open_files_limit() -> None:
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Below zero it is unlimited.
    if 0 <= allowed < MIN_OPEN_FILES:
        raise RefusedError(
            f"the limit of open files is {allowed}, but {MIN_OPEN_FILES} are needed; raise "
            "LimitNOFILE= in the unit, or `ulimit -n`"
        )


def _holder() -> str:
    """Return a unique name of this process for leases, in which a person can find its PID."""
    # With a random part, because PIDs are reused, and each container has a process 1.
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
