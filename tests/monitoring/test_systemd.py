"""Notifications to systemd through its socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.monitoring.systemd import Systemd


@pytest.fixture(params=["a path", "an abstract name"])
def notify_socket(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[socket.socket, str]]:
    """A socket like that of systemd, and the value of $NOTIFY_SOCKET."""
    address = f"@notifier-{os.getpid()}"
    if request.param == "a path":
        address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address.replace("@", "\0", 1))
        listener.setblocking(False)
        yield listener, address


def test_every_notification_is_one_datagram(notify_socket: tuple[socket.socket, str]) -> None:
    listener, address = notify_socket
    systemd = Systemd({"NOTIFY_SOCKET": address})

    systemd.ready("Next digest due\nREADY=0")
    systemd.feed_watchdog()
    systemd.reloading()
    systemd.stopping()

    assert listener.recv(4096) == b"READY=1\nSTATUS=Next digest due READY=0"
    assert listener.recv(4096) == b"WATCHDOG=1"
    assert listener.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    assert listener.recv(4096).startswith(b"STOPPING=1\n")


def test_without_a_listening_systemd_nothing_fails(tmp_path: Path) -> None:
    Systemd({}).ready("fine")
    Systemd({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).ready("fine")


WATCHED = [
    pytest.param({}, None, id="nobody watches"),
    pytest.param({"WATCHDOG_USEC": "60000000"}, timedelta(minutes=1), id="us"),
    pytest.param(
        {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())},
        timedelta(minutes=1),
        id="us by name",
    ),
    pytest.param({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None, id="another"),
    pytest.param({"WATCHDOG_USEC": "0"}, None, id="off"),
    pytest.param({"WATCHDOG_USEC": "soon"}, None, id="not a number"),
]


@pytest.mark.parametrize(("environ", "watchdog"), WATCHED)
def test_the_watchdog_interval_is_read_if_it_is_for_this_process(
    environ: dict[str, str], watchdog: timedelta | None
) -> None:
    assert Systemd(environ).watchdog == watchdog
