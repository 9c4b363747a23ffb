"""Signals as the wishes they stand for."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from notifier.shutdown import Stop


@contextmanager
def stopping(stop: Stop, *, hangup: Callable[[], None] | None = None) -> Iterator[None]:
    """SIGTERM and SIGINT ask for a stop while the block runs, a second SIGINT ends it at once.

    SIGHUP does `hangup`, if there is one.
    """
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        stop.request()
        loop.remove_signal_handler(signal.SIGINT)

    handlers = {signal.SIGTERM: stop.request, signal.SIGINT: interrupted}
    if hangup is not None:
        handlers[signal.SIGHUP] = hangup
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
