"""What all services share: settings, store, clock, and access to marketplace and mail server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from notifier.domain.reading import Source
from notifier.domain.reading_plan import HintReader
from notifier.domain.settings import Account, Settings
from notifier.mail.render import Renderer
from notifier.monitoring.ping import Ping
from notifier.shutdown import Stop
from notifier.smtp.connection import MailConnection
from notifier.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """Built once per process and configuration; building it contacts no server."""

    # Functions instead of open connections: a mail server that is down must not stop the reading.

    settings: Settings
    store: Store
    renderer: Renderer
    clock: Callable[[], datetime]
    """The time, aware and in UTC."""
    holder: str
    """The name of this process in leases: unique, and readable for a person."""
    source: Callable[[Account], Source]
    mail: Callable[[], MailConnection]
    """A connection to the mail server, not opened yet."""
    hint_reader: Callable[[Account], HintReader | None]
    """None for an account whose source takes no hints."""
    monitor: Ping | None = None
    stop: Stop = field(default_factory=Stop)
