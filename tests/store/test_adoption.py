"""Adopting a store: messages that may have been sent are held, even claimed ones."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from notifier.domain.ledger import MessageState, Outcome, RunState
from notifier.domain.settings import StoreLocation
from notifier.store import Store, open_store
from notifier.store.identity import MACHINE_ID_FILES, this_machine
from tests.factories import DAY, NOON
from tests.store.arrange import LEASE, begin, freeze
from tests.store.small_disk import missing

ROOT = Path(__file__).parents[2]


async def test_every_pending_message_is_held(store: Store) -> None:
    await freeze(store, *(f"r{number}@example.com" for number in range(4)))
    for state in (MessageState.DEFERRED, MessageState.SENT):
        claim = await store.outbox.claim(at=NOON, holder="other", lease=LEASE)
        assert claim is not None
        await store.outbox.settle(
            claim,
            outcome=Outcome.ACCEPTED if state is MessageState.SENT else Outcome.DEFERRED,
            state=state,
            at=NOON,
            phase="dot",
            reply="…",
            next_try_at=NOON + LEASE if state.waiting else None,
        )
    in_hand = await store.outbox.claim(at=NOON, holder="other", lease=LEASE)
    assert in_hand is not None

    held = await store.outbox.hold_all(NOON)

    assert {message.recipient for message in held} == {
        "r0@example.com",
        "r2@example.com",
        "r3@example.com",
    }
    assert await store.outbox.pending() == 0
    assert await store.outbox.claim(at=NOON + 2 * LEASE, holder="me", lease=LEASE) is None
    (attempted,) = await store.outbox.attempts(in_hand.message.id)
    assert attempted.ended_at == NOON


async def test_a_run_of_another_process_can_be_skipped(store: Store) -> None:
    await begin(store)
    await store.runs.skip("ljubljana", [DAY], "adopted", at=NOON)
    assert [run.state for run in await store.runs.list()] == [RunState.RUNNING]

    await store.runs.end_leases(NOON)
    await store.runs.skip("ljubljana", [DAY], "adopted", at=NOON)

    assert [(run.state, run.why) for run in await store.runs.list()] == [
        (RunState.SKIPPED, "adopted")
    ]


OPEN = """
import asyncio, sys
from notifier.errors import StoreMoved
from notifier.domain.settings import StoreLocation
from notifier.store import open_store

async def main():
    async with open_store(StoreLocation(sys.argv[1])):
        pass

try:
    asyncio.run(main())
except StoreMoved as error:
    sys.exit(f"{int(error.exit_code)} {error}")
"""


async def make(location: StoreLocation) -> None:
    async with open_store(location) as store:
        await freeze(store, "jana@example.com")


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
@pytest.mark.skipif(
    this_machine(None) is None, reason="this machine has no id that could be another one"
)
def test_a_cloned_machine_with_a_new_machine_id_is_refused(file: Path, tmp_path: Path) -> None:
    location = StoreLocation(f"sqlite:///{file}")
    asyncio.run(make(location))
    machine_id = tmp_path / "machine-id"
    machine_id.write_text("0123456789abcdef0123456789abcdef\n", encoding="ascii")
    # A mount in a namespace changes the machine id for one process only.
    mounts = [f'mount --bind "{machine_id}" {one}' for one in MACHINE_ID_FILES if one.exists()]
    script = " && ".join([*mounts, 'exec "$@"'])

    finished = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", sys.executable, "-c", OPEN, location.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )

    assert finished.stderr.startswith("78 ")
    assert "another machine" in finished.stderr
