"""Messages a second through the outbox, beside a bare smtplib loop that records nothing.

1,000 messages of 20 KB over one connection to `smtp-sink` (Debian: apt install postfix), which
throws them away. Ours writes an attempt, the mark before the dot and the outcome of each into a
SQLite store on disk, and each of these waits until the disk has it.

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
    """One of them; all are of one size."""
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
    """A mail server in a process of its own; gives its port."""
    program = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        sys.exit("smtp-sink is not installed (Debian: apt install postfix)")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    user = ["-u", "nobody" if getpass.getuser() == "root" else getpass.getuser()]
    as_whom = user if os.geteuid() == 0 else []
    process = subprocess.Popen([program, *as_whom, f"127.0.0.1:{port}", "10"])
    try:
        _wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as visitor:
            if visitor.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    sys.exit("smtp-sink does not answer")


def bare(port: int, messages: list[FrozenMessage]) -> float:
    """Messages a second of smtplib alone."""
    begun = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for one in messages:
            client.sendmail(one.envelope_from, [one.recipient], one.content)
    return len(messages) / (time.perf_counter() - begun)


async def ours(port: int, messages: list[FrozenMessage], folder: Path) -> float:
    """Messages a second from the outbox, every step of them on disk."""
    async with open_store(StoreLocation(f"sqlite:///{folder / 'notifier.db'}")) as store:
        now = datetime.now(UTC)
        for one in messages:
            await store.outbox.post(
                one, MessageKind.ALARM, at=now, give_up_at=now + timedelta(days=1)
            )
        begun = time.perf_counter()
        await _deliver(port, store)
        return len(messages) / (time.perf_counter() - begun)


async def _deliver(port: int, store: Store) -> None:
    smtp = SmtpServer("127.0.0.1", port, Tls.NONE)
    done = await deliver_waiting(make_context(store, mail=lambda: MailConnection(smtp)), ["shop"])
    if done.error or {str(one.state) for one in done.delivered} != {"sent"}:
        sys.exit(f"not everything was accepted: {done.error}")


def syncs_a_second(folder: Path) -> float:
    """What this disk can do: one page written and made durable, again and again."""
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
    """Measure both, print."""
    messages = [message(number) for number in range(COUNT)]
    with tempfile.TemporaryDirectory() as name, sink() as port, cProfile.Profile() as profile:
        if "--profile" not in sys.argv:
            profile.disable()
        its = bare(port, messages)
        rate = asyncio.run(ours(port, messages, Path(name)))
        profile.disable()
        disk = syncs_a_second(Path(name))
    if "--profile" in sys.argv:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    print(f"smtplib alone    {its:7.0f} messages/s")
    print(f"the outbox       {rate:7.0f} messages/s")
    print(f"ratio            {rate / its:7.2f}   (wanted: at least {WANTED})")
    print(f"the disk         {disk:7.0f} fdatasync/s")


if __name__ == "__main__":
    main()
