"""A process with its own small disk, and tasks with a store on it.

`python -m tests.store.small_disk WHAT FOLDER` runs a task and prints its result.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from notifier.domain.ledger import MessageState, Outcome
from notifier.domain.settings import StoreLocation
from notifier.errors import StoreError
from notifier.store import Store, open_store
from tests.factories import DAY, NOON
from tests.store.arrange import LEASE, freeze

ROOT = Path(__file__).parents[2]
# In a mount namespace, so that an ordinary user may mount, and the mount ends with the process.
MOUNT = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"'


def missing() -> str | None:
    """Return why no disk can be mounted here; None if one can."""
    if shutil.which("unshare") is None:
        return "there is no unshare (Debian: util-linux)"
    tried = subprocess.run(["unshare", "-Urm", "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "this machine allows no namespaces (unshare -Urm)"


def on_a_disk(options: str, folder: Path, what: str) -> str:
    """Run a task on a tmpfs with these mount options; return its output."""
    program = (sys.executable, "-m", "tests.store.small_disk", what, str(folder))
    finished = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", MOUNT, "sh", options, str(folder), *program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return finished.stdout + finished.stderr


def fill(folder: Path) -> None:
    """Leave no byte free."""
    with suppress(OSError), (folder / "filling").open("wb", buffering=0) as filling:
        while True:
            filling.write(bytes(4096))


def say(text: str) -> None:
    """Print a line for the test."""
    sys.stdout.write(f"{text}\n")


async def full_before_the_dot(store: Store, folder: Path) -> None:
    """Mark the dot of a message on a disk that is full by then."""
    await freeze(store, "jana@example.com")
    claim = await store.outbox.claim(at=NOON, holder="me", lease=LEASE)
    assert claim is not None
    fill(folder)
    # More than once: the last page of the journal may have space left.
    for _ in range(50):
        await store.outbox.mark_dot(claim, at=NOON)


async def full_after_the_dot(store: Store, folder: Path) -> None:
    """Record an acceptance on a disk that is full by then."""
    await freeze(store, *(f"r{number}@example.com" for number in range(10)))
    taken = []
    while claim := await store.outbox.claim(at=NOON, holder="me", lease=LEASE):
        await store.outbox.mark_dot(claim, at=NOON)
        taken.append(claim)
    fill(folder)
    for claim in taken:
        await store.outbox.settle(
            claim,
            outcome=Outcome.ACCEPTED,
            state=MessageState.SENT,
            at=NOON,
            phase="dot",
            reply="250 " + "x" * 400,  # long, so that the outcomes need new pages
        )
    states = {str(message.state) for message in await store.outbox.list()}
    say(f"{states}, ballast: {(folder / 'notifier.db.ballast').exists()}")


async def too_full_for_a_backup(store: Store, folder: Path) -> None:
    """Freeze a run after a backup without space."""
    (folder / "filling").write_bytes(bytes(3 * 1024 * 1024))
    say(f"copied: {await store.back_up(DAY)}")
    say(f"frozen: {(await freeze(store, 'jana@example.com')).state}")


def turn_read_only(folder: Path) -> None:
    """Remount a disk read-only, as the kernel does if it fails."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)


def location(folder: Path) -> StoreLocation:
    """Return the location of the store."""
    return StoreLocation(f"sqlite:///{folder / 'notifier.db'}")


TASKS = {
    "before the dot": full_before_the_dot,
    "after the dot": full_after_the_dot,
    "a copy": too_full_for_a_backup,
}


async def main(what: str, folder: Path) -> None:
    """Open a store in the folder, and run a task."""
    try:
        async with open_store(location(folder)) as store:
            say("opened")
            await TASKS[what](store, folder)
    except StoreError as error:
        say(f"StoreError {error.exit_code}: {error}")


async def main_read_only(folder: Path) -> None:
    """Create a store, make its disk read-only, then open the store for reading and writing."""
    async with open_store(location(folder)) as store:
        await freeze(store, "jana@example.com")
    turn_read_only(folder)
    async with open_store(location(folder), read_only=True) as store:
        say(f"read: {len(await store.outbox.list())}")
    try:
        async with open_store(location(folder)):
            say("opened")
    except StoreError as error:
        say(f"StoreError {error.exit_code}: {error}")


if __name__ == "__main__":
    task, where = sys.argv[1], Path(sys.argv[2])
    asyncio.run(main_read_only(where) if task == "read-only" else main(task, where))
