"""A notice that the list could not be read is due from `alarm_after` until the day is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifier.domain.ledger import Run, RunState
from notifier.services.notice import is_due
from tests.factories import DAY, NOON, account

LATE = account().schedule.starts(DAY) + account().alarm_after


def run_in(state: RunState = RunState.FAILED, edition: int = 1) -> Run:
    return Run(1, "ljubljana", DAY, edition, state, NOON)


def test_a_notice_is_due_from_alarm_after_until_the_end_of_the_day() -> None:
    shop = account()
    end = shop.schedule.ends(DAY)

    due = [is_due(shop, run_in(), at) for at in (LATE - timedelta(seconds=1), LATE, end)]

    assert due == [False, True, False]


@pytest.mark.parametrize("state", [state for state in RunState if state is not RunState.FAILED])
def test_only_a_failed_run_makes_a_notice_due(state: RunState) -> None:
    assert not is_due(account(), run_in(state), LATE)


def test_a_forced_edition_or_no_run_makes_no_notice_due() -> None:
    assert not is_due(account(), run_in(edition=2), LATE)
    assert not is_due(account(), None, LATE)
