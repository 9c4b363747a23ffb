"""Real mail servers: smtp-sink and a complete Postfix."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

DOMAIN = "example.com"
_QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("maildrop", "private", "public", "saved", "trace"),
)
_QUEUES_IN_ORDER = ("maildrop", "incoming", "active", "deferred")
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.example
mydestination =
mynetworks =
smtpd_relay_restrictions = reject_unauth_destination
local_header_rewrite_clients =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
alias_maps =
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
# Moves the queue to a RAM disk in a mount namespace of these processes; it ends with them.
_MOVE_QUEUE_TO_DISK = """\
set -e
mount -t tmpfs -o "size=$1,mode=755" queue "$2/disk"
cp -a "$2/queue/." "$2/disk"
mount --bind "$2/disk" "$2/queue"
shift 2
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running Postfix; `folder` holds its files, as its own processes see them."""

    port: int
    folder: Path

    @property
    def mailbox(self) -> Path:
        """The Maildir folder of new mail; missing until the first mail arrives."""
        return self.folder / "mail/box/new"

    def set(self, setting: str) -> None:
        """Add `name = value` to main.cf; only processes started later read it (see `max_use`)."""
        _write_main(self.folder, f"{setting}\n")

    def fill_disk(self, *, but: int = 0) -> None:
        """Fill the queue's disk, except `but` bytes."""
        disk = os.statvfs(self._queue)
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - but)

    def make_room(self) -> None:
        """Free the space that `fill_disk` has taken."""
        self._ballast.unlink()

    async def drained(self) -> None:
        """Wait until every accepted mail has been delivered; raise TimeoutError if that fails."""
        # Queues are checked in the order in which a mail passes through them, so none is missed.
        await until(lambda: not any(_any_file(self._queue / name) for name in _QUEUES_IN_ORDER))

    @property
    def _queue(self) -> Path:
        return self.folder / "queue"

    @property
    def _ballast(self) -> Path:
        return self._queue / "ballast"


@asynccontextmanager
async def smtp_sink(folder: Path) -> AsyncIterator[int]:
    """Run smtp-sink, which writes accepted mail into `folder`; yield the port."""
    program, port = _installed("smtp-sink"), _free_port()
    user = ["-u", getpass.getuser()] if os.geteuid() == 0 else []
    async with _running(program, *user, "-d", f"{folder}/mail.", f"127.0.0.1:{port}", "10"):
        await _listening(port)
        yield port


@asynccontextmanager
async def postfix(*settings: str, disk_bytes: int = 0) -> AsyncIterator[Postfix]:
    """Run a Postfix that delivers mail for DOMAIN; `settings` are further lines of its main.cf.

    It needs root and a folder of its own: its processes run as users that cannot enter pytest's
    folders. `disk_bytes` puts the queue on a separate disk of this size.
    """
    _installed("postfix")
    if os.geteuid() != 0:
        pytest.skip("NOT CHECKED: only root can start Postfix")
    with tempfile.TemporaryDirectory(
        prefix="notifier-postfix-", ignore_cleanup_errors=True
    ) as name:
        folder, port = Path(name), _free_port()
        _write_configuration(folder, port, settings)
        prefix = await _disk_prefix(folder, disk_bytes) if disk_bytes else ()
        master = await _output("postconf", "-h", "daemon_directory") + "/master"
        async with _running(*prefix, master, "-d", "-c", f"{folder}/config") as pid:
            await _listening(port)
            yield Postfix(port, Path(f"/proc/{pid}/root{folder}") if disk_bytes else folder)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; raise TimeoutError after ten seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - another process cannot set our events
            await asyncio.sleep(0.01)


async def _disk_prefix(folder: Path, disk_bytes: int) -> tuple[str, ...]:
    """Return the command prefix that puts the queue on a disk of this size."""
    trial = await asyncio.create_subprocess_exec(
        *("unshare", "-m", "mount", "-t", "tmpfs", "queue", str(folder / "disk")),
        stderr=asyncio.subprocess.DEVNULL,
    )
    if await trial.wait():
        pytest.skip("NOT CHECKED: full disk; mounting is not permitted here")
    return ("unshare", "-m", "sh", "-c", _MOVE_QUEUE_TO_DISK, "sh", str(disk_bytes), str(folder))


def _write_configuration(folder: Path, port: int, settings: Sequence[str]) -> None:
    folder.chmod(0o755)
    for name in ("config", "data", "disk", "mail", "queue", "queue/pid"):
        (folder / name).mkdir()
    for name in _QUEUES:
        (folder / "queue" / name).mkdir()
        shutil.chown(folder / "queue" / name, "postfix")
    shutil.chown(folder / "data", "postfix")
    shutil.chown(folder / "mail", 65534)
    main = _MAIN.format(folder=folder, domain=DOMAIN)
    _write_main(folder, "\n".join([main, *settings, ""]))
    (folder / "config/master.cf").write_text(_MASTER.format(port=port))


def _write_main(folder: Path, text: str) -> None:
    with (folder / "config/main.cf").open("a") as main:
        main.write(text)
    # Postfix waits two seconds before it reads a file that was changed just now.
    os.utime(folder / "config/main.cf", (0, 0))


def _any_file(folder: Path) -> bool:
    return any(path.is_file() for path in folder.rglob("*"))


def _installed(name: str) -> str:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    if program := shutil.which(name, path=path):
        return program
    pytest.skip(f"NOT CHECKED: {name} is not installed (Debian: apt install postfix)")


@asynccontextmanager
async def _running(program: str, *arguments: str) -> AsyncIterator[int]:
    """Run a program and its children while the block runs; yield its process id."""
    process = await asyncio.create_subprocess_exec(program, *arguments, start_new_session=True)
    try:
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _output(program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        _installed(program), *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return output.decode().strip()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


async def _listening(port: int) -> None:
    def accepts_connections() -> bool:
        with socket.socket() as visitor:
            return visitor.connect_ex(("127.0.0.1", port)) == 0

    await until(accepts_connections)
