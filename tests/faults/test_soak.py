"""Three days with faults of all kinds; `python -m tests.faults.soak` does a year."""

from __future__ import annotations

from pathlib import Path

from notifier.domain.settings import OnUnknown
from tests.faults.soak import soak


async def test_three_bad_days_cost_nobody_a_mail(tmp_path: Path) -> None:
    story, found = await soak(tmp_path, 3, 7, OnUnknown.RESEND)

    assert found.lost == found.doubled == found.wrong == (), found
    assert len(story.counts) > 3
