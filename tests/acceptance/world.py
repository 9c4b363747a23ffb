"""The world of an acceptance test: a seller, a marketplace, a mail server, a monitor, a folder."""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

from notifier.cli.commands.run import run
from notifier.cli.context import Invocation
from notifier.domain.ledger import MessageKind, OutboxMessage, Run
from notifier.domain.settings import StoreLocation
from notifier.errors import ExitCode
from notifier.services.due import RunRequest
from notifier.simulator import World as Marketplace
from notifier.simulator import serve
from notifier.store import AuditEntry, open_store
from tests.canaries import CLIENT_ID, PING_TOKEN, SMTP_LOGIN, leaks_in_text
from tests.loopback import answer, behaving, says
from tests.neighbours.smtp import Accepted, SmtpNeighbour

ZONE = ZoneInfo("Europe/Prague")
ROOT = Path(__file__).parents[2]
START = datetime(2026, 11, 21, 6, 5, tzinfo=ZONE)

CONFIG = """\
admin = "Admin <admin@example.com>"

[smtp]
host = "127.0.0.1"
port = {smtp_port}
tls = "none"
from = "Parcels <parcels@example.com>"
username = "{login[0]}"
password = "{login[1]}"

[alarms]
ping_url = "{monitor_url}"

[marketplace]
base_url = "{base_url}"

[groups.warehouse]
members = ["jana@example.com", "Pavol <pavol@example.com>"]
language = "sl"

[accounts.ljubljana]
name = "Mimovrste"
client_id = "{client_id}"
recipients = ["office@example.com", "warehouse"]
"""

ADMIN = "admin@example.com"
EVERYBODY = ["jana@example.com", "office@example.com", "pavol@example.com"]


@dataclass(frozen=True, slots=True)
class Finished:
    """The result of a command: exit code and outputs."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class World:
    """Runs the notifier among simulated servers, and reads its mails and its store."""

    folder: Path
    marketplace: Marketplace
    base_url: str
    monitor_url: str
    smtp: SmtpNeighbour
    now: datetime = START
    environ: dict[str, str] = field(default_factory=dict)
    clock_error: timedelta = timedelta(0)
    """How far the notifier's clock is ahead of all other clocks."""
    _processes: int = 0

    def time(self) -> datetime:
        """Return the time of the other servers: the wall clock while a process runs, else `now`."""
        return datetime.now(UTC) if self._processes else self.now.astimezone(UTC)

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def configure(self, *changes: tuple[str, str], more: str = "") -> None:
        """Write the configuration with replacements, and with `more` at its end."""
        text = CONFIG.format(
            smtp_port=self.smtp.port,
            base_url=self.base_url,
            monitor_url=self.monitor_url,
            login=SMTP_LOGIN,
            client_id=CLIENT_ID,
        )
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.config.write_text(text + more, encoding="utf-8")
        self.config.chmod(0o600)

    async def run(
        self,
        day: str | None = None,
        *,
        at: str = "06:05",
        now: bool = False,
        force: bool = False,
        requested_day: date | None = None,
        dry_run: bool = False,
        accounts: tuple[str, ...] = (),
    ) -> ExitCode:
        """Do `notifier run` in this process at a local day and time, and set `now` to it."""
        if day:
            self.now = datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=ZONE)
        now_utc = self.now.astimezone(UTC) + self.clock_error
        invocation = Invocation(self.config, clock=lambda: now_utc, environ=self.environ)
        return await run(
            invocation,
            accounts,
            RunRequest(requested_day, now, force, invocation.person()),
            dry_run=dry_run,
        )

    async def call(self, *arguments: str, stdin: str = "") -> Finished:
        """Run a command in a separate process, by the wall clock."""
        async with self.process(*arguments) as process:
            out, err = await asyncio.wait_for(process.communicate(stdin.encode()), timeout=60)
        assert process.returncode is not None
        finished = Finished(process.returncode, out.decode(), err.decode())
        assert leaks_in_text(finished.out + finished.err, f"output of {arguments}") == []
        return finished

    async def call_into(self, stdout: int, *arguments: str) -> int:
        """Run a command with its standard output on a file descriptor; return the exit code."""
        async with self.process(*arguments, stdout=stdout) as process:
            await asyncio.wait_for(process.communicate(), timeout=60)
        assert process.returncode is not None
        return process.returncode

    @asynccontextmanager
    async def process(
        self,
        *arguments: str,
        stdout: int = asyncio.subprocess.PIPE,
        stderr: int = asyncio.subprocess.PIPE,
        files: int | None = None,
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a command while the block runs; `files` limits how many files it may open."""
        self._processes += 1
        try:
            yield await self._start(stdout, stderr, arguments, files)
        finally:
            self._processes -= 1

    async def _start(
        self, stdout: int, stderr: int, arguments: Sequence[str], files: int | None
    ) -> asyncio.subprocess.Process:
        limit = ("prlimit", f"--nofile={files}") if files else ()
        return await asyncio.create_subprocess_exec(
            *(*limit, sys.executable, "-m", "notifier", "--config", str(self.config), *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "PYTHONPATH": str(ROOT),
                **self.environ,
            },
            cwd=self.folder,
        )

    @property
    def mails(self) -> list[EmailMessage]:
        """The mails that recipients received, in order, parsed."""
        return [_parse(mail) for mail in self.smtp.accepted if mail.recipient != ADMIN]

    @property
    def alarm_mails(self) -> list[EmailMessage]:
        """The mails that the admin received, in order, parsed."""
        return [_parse(mail) for mail in self.smtp.accepted if mail.recipient == ADMIN]

    @property
    def receivers(self) -> list[str]:
        """The recipient of each received mail, sorted; the admin is left out."""
        return sorted(mail.recipient for mail in self.smtp.accepted if mail.recipient != ADMIN)

    async def runs(self) -> list[Run]:
        """Return the run ledger, oldest first."""
        async with open_store(self.location, read_only=True) as store:
            return list(reversed(await store.runs.list()))

    async def audit(self) -> list[AuditEntry]:
        """Return the audit trail, oldest first."""
        async with open_store(self.location, read_only=True) as store:
            return list(reversed(await store.audit.list()))

    async def outbox(self) -> list[OutboxMessage]:
        """Return the outbox without alarm mails, oldest first."""
        async with open_store(self.location, read_only=True) as store:
            messages = await store.outbox.list()
        return sorted((m for m in messages if m.kind is not MessageKind.ALARM), key=lambda m: m.id)

    async def message(self, number: int) -> OutboxMessage:
        """Return one message with its content."""
        async with open_store(self.location, read_only=True) as store:
            message = await store.outbox.get(number)
        assert message is not None
        return message

    @property
    def location(self) -> StoreLocation:
        return StoreLocation(f"sqlite:///{self.folder / 'notifier.db'}")


def _parse(accepted: Accepted) -> EmailMessage:
    return email.message_from_bytes(accepted.content, policy=email.policy.default)


@asynccontextmanager
async def open_world(folder: Path, scenario: str = "small_shop") -> AsyncIterator[World]:
    """Start a world on real sockets while the block runs."""
    marketplace = Marketplace.from_scenario(
        scenario, seed=4, start=START.astimezone(UTC), client_id=CLIENT_ID
    )
    async with (
        serve(marketplace) as base_url,
        behaving(says(answer(b"OK"))) as monitor,
        SmtpNeighbour() as smtp,
    ):
        smtp.require_login(*SMTP_LOGIN)
        monitor_url = f"http://127.0.0.1:{monitor}/{PING_TOKEN}"
        world = World(folder, marketplace, base_url, monitor_url, smtp)
        world.configure()
        marketplace.date_header = world.time
        yield world
