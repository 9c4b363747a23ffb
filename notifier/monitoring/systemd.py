"""Notifications to systemd: READY, RELOADING, STOPPING, WATCHDOG and STATUS (sd_notify(3))."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping
from datetime import timedelta

logger = logging.getLogger(__name__)


class Systemd:
    """Notifies systemd; without `$NOTIFY_SOCKET` it does nothing."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self.watchdog = _watchdog(environ)
        """The longest time between two calls of `feed_watchdog`; None if systemd does not watch."""

    def ready(self, status: str) -> None:
        """Report that the daemon has started, or has finished `reloading`."""
        self._notify("READY=1", f"STATUS={_line(status)}")

    def status(self, status: str) -> None:
        """Set the text that `systemctl status` shows."""
        self._notify(f"STATUS={_line(status)}")

    def feed_watchdog(self) -> None:
        """Report that the daemon is alive."""
        self._notify("WATCHDOG=1")

    def reloading(self) -> None:
        """Report the begin of a reload; `ready` reports its end."""
        # `Type=notify-reload` needs the time too: it tells this reload from an earlier one.
        self._notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Report that the daemon stops."""
        self._notify("STOPPING=1", "STATUS=Stopping")

    def _notify(self, *lines: str) -> None:
        if not self._address:
            return
        # systemd writes the leading null byte of an abstract socket as "@" (unix(7)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            # One datagram without waiting: a busy systemd must not hold up the daemon.
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
                sender.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            # Not a warning: a missed notification costs nothing but the status line, and systemd
            # itself reports a watchdog that was not fed.
            logger.debug("systemd could not be notified of %s: %s", lines[0], error)


def _watchdog(environ: Mapping[str, str]) -> timedelta | None:
    """Read `WatchdogSec=` as sd_watchdog_enabled(3) does."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    # A child inherits the environment; only the process that WATCHDOG_PID names is watched.
    for_this_process = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not for_this_process or not microseconds.isdecimal() or not int(microseconds):
        return None
    return timedelta(microseconds=int(microseconds))


def _line(text: str) -> str:
    # A line break would begin another variable of the protocol.
    return " ".join(text.split())
