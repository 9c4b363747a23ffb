"""systemd as a neighbour: READY, RELOADING, STOPPING, WATCHDOG and STATUS (sd_notify(3))."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping
from datetime import timedelta

logger = logging.getLogger(__name__)


class Systemd:
    """Tells systemd how we are; without `$NOTIFY_SOCKET` nobody is told, and nothing is lost."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self.watchdog = _watchdog(environ)
        """How long we may be silent; None where nobody watches."""

    def ready(self, status: str) -> None:
        """We work; or, after `reloading`, we work again."""
        self._say("READY=1", f"STATUS={_line(status)}")

    def status(self, status: str) -> None:
        """What we are at, for `systemctl status`."""
        self._say(f"STATUS={_line(status)}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._say("WATCHDOG=1")

    def reloading(self) -> None:
        """We look at the configuration; `ready` ends that."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """We come to an end."""
        self._say("STOPPING=1", "STATUS=Stopping")

    def _say(self, *lines: str) -> None:
        """One datagram, without waiting: a supervisor that does not listen must not hold us up."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            logger.debug("systemd was not told %s: %s", lines[0], error)


def _watchdog(environ: Mapping[str, str]) -> timedelta | None:
    """What `WatchdogSec=` says, if it is said to this process (sd_watchdog_enabled(3))."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not mine or not microseconds.isdecimal() or not int(microseconds):
        return None
    return timedelta(microseconds=int(microseconds))


def _line(text: str) -> str:
    return " ".join(text.split())
