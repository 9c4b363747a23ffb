"""Other processes that use a store."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, BrokenBarrierError
from typing import Any

from alembic import operations as _operations  # noqa: F401 - loaded once for all processes
from sqlalchemy import Engine, event

from notifier.domain.settings import StoreLocation
from notifier.store import open_store
from tests.factories import DAY, NOON
from tests.store.arrange import freeze

# Forked from a server that has imported the store once: a new interpreter for each takes longer.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])
PATIENCE_SECONDS = 60
DAYS = 8

# Set by the pool's initializer: a barrier cannot be an argument of a task.
_start: list[Barrier] = []


def line_up(start: Barrier) -> None:
    """Keep the barrier at which all processes start together."""
    _start.append(start)


def race(url: str) -> list[str]:
    """Claim every day and message at the same moment as the others; return the claimed ones."""
    return asyncio.run(_race(url))


async def _race(url: str) -> list[str]:
    taken = []
    async with open_store(StoreLocation(url)) as store:
        if not _wait_for_the_others():
            return []
        holder = str(os.getpid())
        lease = timedelta(minutes=5)
        for number in range(1, DAYS + 1):
            day = DAY + timedelta(days=number)
            if await store.runs.begin("celje", day, at=NOON, holder=holder, lease=lease):
                taken.append(f"day {number}")
        while claim := await store.outbox.claim(at=NOON, holder=holder, lease=lease):
            taken.append(claim.message.recipient)
    return taken


def _wait_for_the_others() -> bool:
    try:
        _start[0].wait(PATIENCE_SECONDS)
    except BrokenBarrierError:
        return False
    return True


def killed(work: Callable[[str], None], url: str) -> None:
    """Run `work` in a process, and assert that it was killed."""
    process = FORKS.Process(target=work, args=(url,))
    process.start()
    process.join(PATIENCE_SECONDS)
    assert process.exitcode == -signal.SIGKILL
    process.close()


def die_after_a_run(url: str) -> None:
    """Freeze a run, and die with the store open."""
    asyncio.run(_die_after_a_run(url))


async def _die_after_a_run(url: str) -> None:
    async with open_store(StoreLocation(url)) as store:
        await freeze(store)
        os.kill(os.getpid(), signal.SIGKILL)


def die_at_statement(number: int, url: str) -> bool:
    """Open the store in a process killed before its n-th statement; return whether it was."""
    process = FORKS.Process(target=_open_and_die, args=(number, url))
    process.start()
    process.join(PATIENCE_SECONDS)
    code = process.exitcode
    process.close()
    assert code in (0, -signal.SIGKILL)
    return code != 0


def _open_and_die(number: int, url: str) -> None:
    left = number

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    # On the class, since the engine is created only when the store is opened.
    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    asyncio.run(_make(url))


def die_while_migrating(url: str) -> None:
    """Die after the table of messages is created."""
    event.listen(Engine, "after_cursor_execute", _die_once_there_are_messages)
    asyncio.run(_make(url))


async def _make(url: str) -> None:
    async with open_store(StoreLocation(url)):
        pass


def _die_once_there_are_messages(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    if "CREATE TABLE messages" in statement:
        os.kill(os.getpid(), signal.SIGKILL)
