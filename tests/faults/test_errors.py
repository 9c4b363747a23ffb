"""Whatever system call fails, a run ends with a code and a sentence, and nobody loses by it.

`python -m tests.faults.errors` lets each of them fail.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.domain.settings import OnUnknown
from tests.faults.errors import Failure, fail
from tests.faults.kill import kill_trial, missing

SOME = (
    Failure("pwrite64", "EIO", 3),
    Failure("pwrite64", "ENOSPC", 40),
    Failure("pwrite64", "ENOSPC", 40, for_ever=True),
    Failure("fdatasync", "EIO", 5),
    Failure("fdatasync", "EIO", 9, for_ever=True),
    Failure("connect", "ECONNREFUSED", 1, for_ever=True),
    Failure("connect", "ETIMEDOUT", 1),
)


@pytest.mark.parametrize("on_unknown", OnUnknown)
async def test_calls_that_fail_lose_and_double_nothing(
    tmp_path: Path, on_unknown: OnUnknown
) -> None:
    if why := missing():
        pytest.skip(f"NOT CHECKED: {why}")
    async with kill_trial(tmp_path, on_unknown) as trial:
        hit = [str(one) for one in SOME if await fail(trial, one)]

        assert len(hit) == len(SOME), hit
        await trial.check()
