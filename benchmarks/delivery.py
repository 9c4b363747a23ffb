"""Messages per second through the outbox, compared with a plain smtplib loop without records.

1,000 messages of 20 KB over one connection to `smtp-sink` (Debian: apt install postfix), which
discards them. For each message the notifier writes the attempt, the mark before the dot and the
outcome into a SQLite store, and waits each time until it is on disk.

    python benchmarks/delivery.py
    python benchmarks/delivery.py --profile
"""

from __future__ import annotations

import asyncio
import contextlib
import cProfile
import getpass
import os
import pstats
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from context import make_context

from notifier.domain.ledger import FrozenMessage, MessageKind
from notifier.domain.settings import SmtpServer, StoreLocation, Tls
from notifier.services.deliver import deliver_waiting
from notifier.smtp.connection import MailConnection
from notifier.store import Store, open_store

COUNT = 1_000
SIZE = 20_000
WANTED = 0.15
FROM = "parcels@example.com"
LINE = b"A parcel waits for its seller at the branch, as it did yesterday and before.\r\n"


def message(number: int) -> FrozenMessage:
    """Return a message; all have the same size."""
    head = f"Message-ID: <{number}@example.com>\r\nSubject: Parcels\r\n\r\n".encode()
    content = head + LINE * ((SIZE - len(head)) // len(LINE))
    return FrozenMessage(
        message_id=f"<{number}@example.com>",
        recipient=f"r{number}@example.com",
        envelope_from=FROM,
        language="en",
        subject="Parcels",
        content=content,
    )


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """Run a mail server in a separate process while the block runs; yield its port."""
    program = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        sys.exit("smtp-sink is not installed (Debian: apt install postfix)")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    user = ["-u", "nobody" if getpass.getuser() == "root" else getpass.getuser()]
    # smtp-sink refuses to run as root without -u.
    options = user if os.geteuid() == 0 else []
    process = subprocess.Popen([program, *options, f"127.0.0.1:{port}", "10"])
    try:
        _wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    sys.exit("smtp-sink does not answer")


def bare(port: int, messages: list[FrozenMessage]) -> float:
    """Return the messages per second of smtplib alone."""
    begun = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for message in messages:
            client.sendmail(message.envelope_from, [message.recipient], message.content)
    return len(messages) / (time.perf_counter() - begun)


async def ours(port: int, messages: list[FrozenMessage], folder: Path) -> float:
    """Return the messages per second from the outbox, with each step on disk."""
    async with open_store(StoreLocation(f"sqlite:///{folder / 'notifier.db'}")) as store:
        now = datetime.now(UTC)
        for message in messages:
            await store.outbox.post(
                message, MessageKind.ALARM, at=now, give_up_at=now + timedelta(days=1)
            )
        begun = time.perf_counter()
        await _deliver(port, store)
        return len(messages) / (time.perf_counter() - begun)


async def _deliver(port: int, store: Store) -> None:
    smtp = SmtpServer("127.0.0.1", port, Tls.NONE)
    result = await deliver_waiting(make_context(store, mail=lambda: MailConnection(smtp)), ["shop"])
    if result.error or {str(delivery.state) for delivery in result.delivered} != {"sent"}:
        sys.exit(f"not every message was accepted: {result.error}")


def syncs_a_second(folder: Path) -> float:
    """Return how often per second this disk makes one written page durable."""
    count = 300
    descriptor = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY)
    begun = time.perf_counter()
    for number in range(count):
        os.pwrite(descriptor, b"x" * 4096, number * 4096)
        os.fdatasync(descriptor)
    rate = count / (time.perf_counter() - begun)
    os.close(descriptor)
    return rate


def main() -> None:
    """Measure both and print the results."""
    messages = [message(number) for number in range(COUNT)]
    with tempfile.TemporaryDirectory() as name, sink() as port, cProfile.Profile() as profile:
        if "--profile" not in sys.argv:
            profile.disable()
        bare_rate = bare(port, messages)
        outbox_rate = asyncio.run(ours(port, messages, Path(name)))
        profile.disable()
        disk_rate = syncs_a_second(Path(name))
    if "--profile" in sys.argv:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    print(f"smtplib alone    {bare_rate:7.0f} messages/s")
    print(f"the outbox       {outbox_rate:7.0f} messages/s")
    print(f"ratio            {outbox_rate / bare_rate:7.2f}   (wanted: at least {WANTED})")
    print(f"the disk         {disk_rate:7.0f} fdatasync/s")


if __name__ == "__main__":
    main()
