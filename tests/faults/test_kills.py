"""A process that is killed at a system call costs nobody the mail, and nobody gets two for it.

Some of many: `python -m tests.faults.kill --all` does every one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.domain.ledger import MessageState
from notifier.domain.settings import OnUnknown
from tests.faults.kill import kill_trial, missing

SOME = {
    OnUnknown.RESEND: [("pwrite64", 20), ("fdatasync", 9), ("sendto", 12), ("recvfrom", 5)],
    OnUnknown.HOLD: [("fdatasync", 14), ("recvfrom", 15), ("connect", 1)],
}


@pytest.fixture
def needs_strace() -> None:
    if why := missing():
        pytest.skip(f"NOT CHECKED: {why}")


@pytest.mark.usefixtures("needs_strace")
@pytest.mark.parametrize("on_unknown", OnUnknown)
async def test_whatever_system_call_it_dies_at_everybody_has_the_mail_or_is_accounted_for(
    on_unknown: OnUnknown, tmp_path: Path
) -> None:
    async with kill_trial(tmp_path, on_unknown) as trial:
        for system_call, number in SOME[on_unknown]:
            assert await trial.kill(system_call, number), f"{system_call} {number} never came"

        await trial.check()


@pytest.mark.parametrize(
    ("on_unknown", "copies", "state"),
    [(OnUnknown.RESEND, 2, MessageState.SENT), (OnUnknown.HOLD, 1, MessageState.HELD)],
)
async def test_the_one_window_is_between_the_dot_and_the_record(
    on_unknown: OnUnknown, copies: int, state: MessageState, tmp_path: Path
) -> None:
    async with kill_trial(tmp_path, on_unknown) as trial:
        trial.world.smtp.accepted.clear()
        await trial.kill_at_the_dot()

        first = trial.world.smtp.accepted[0]
        assert trial.world.smtp.accepted.count(first) == copies
        assert [m.state for m in await trial.world.outbox() if m.recipient == first.recipient][
            -1
        ] is state
