"""Mail servers that others have written: smtp-sink, and a whole Postfix."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

DOMAIN = "example.com"
_QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("maildrop", "private", "public", "saved", "trace"),
)
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
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@asynccontextmanager
async def smtp_sink(folder: Path) -> AsyncIterator[int]:
    """Run smtp-sink, which writes what it takes into `folder`; gives the port."""
    program, port = _installed("smtp-sink"), _free_port()
    user = ["-u", getpass.getuser()] if os.geteuid() == 0 else []
    async with _running(program, *user, "-d", f"{folder}/mail.", f"127.0.0.1:{port}", "10"):
        await _listening(port)
        yield port


@asynccontextmanager
async def postfix() -> AsyncIterator[tuple[int, Path]]:
    """Run a Postfix that delivers what is for DOMAIN; gives the port, and where new mail lies.

    It needs root, as its parts run as users of their own; they could not enter a folder of pytest.
    """
    _installed("postfix")
    if os.geteuid() != 0:
        pytest.skip("Postfix can only be started by root")
    with tempfile.TemporaryDirectory(
        prefix="notifier-postfix-", ignore_cleanup_errors=True
    ) as name:
        folder, port = Path(name), _free_port()
        _furnish(folder, port)
        master = await _output("postconf", "-h", "daemon_directory") + "/master"
        async with _running(master, "-d", "-c", f"{folder}/config"):
            await _listening(port)
            yield port, folder / "mail/box/new"


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for another program; TimeoutError when it does not come to it."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - another process cannot set our events
            await asyncio.sleep(0.01)


def _furnish(folder: Path, port: int) -> None:
    folder.chmod(0o755)
    for name in ("config", "data", "mail", "queue", "queue/pid"):
        (folder / name).mkdir()
    for name in _QUEUES:
        (folder / "queue" / name).mkdir()
        shutil.chown(folder / "queue" / name, "postfix")
    shutil.chown(folder / "data", "postfix")
    shutil.chown(folder / "mail", 65534)
    (folder / "config/main.cf").write_text(_MAIN.format(folder=folder, domain=DOMAIN))
    # A file that has just been written may still be; Postfix would wait two seconds for its end.
    os.utime(folder / "config/main.cf", (0, 0))
    (folder / "config/master.cf").write_text(_MASTER.format(port=port))


def _installed(name: str) -> str:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    if program := shutil.which(name, path=path):
        return program
    pytest.skip(f"{name} is not installed (Debian: apt install postfix)")


@asynccontextmanager
async def _running(program: str, *arguments: str) -> AsyncIterator[None]:
    """Run a program until the block ends, which ends whatever it started as well."""
    process = await asyncio.create_subprocess_exec(program, *arguments, start_new_session=True)
    try:
        yield
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
    def answers() -> bool:
        with socket.socket() as visitor:
            return visitor.connect_ex(("127.0.0.1", port)) == 0

    await until(answers)
