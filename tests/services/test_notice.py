"""When the recipients must hear that a list could not be read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifier.domain.ledger import Run, RunState
from notifier.services.notice import is_due
from tests.factories import DAY, NOON, account

LATE = account().schedule.starts(DAY) + account().alarm_after


def a_run(state: RunState = RunState.FAILED, edition: int = 1) -> Run:
    return Run(1, "ljubljana", DAY, edition, state, NOON)


def test_it_is_due_from_alarm_after_until_it_is_too_late() -> None:
    ours = account()
    over = ours.schedule.ends(DAY)

    due = [is_due(ours, a_run(), at) for at in (LATE - timedelta(seconds=1), LATE, over)]

    assert due == [False, True, False]


@pytest.mark.parametrize("state", [one for one in RunState if one is not RunState.FAILED])
def test_only_a_list_that_could_not_be_read_is_worth_a_notice(state: RunState) -> None:
    assert not is_due(account(), a_run(state), LATE)


def test_a_further_edition_is_a_persons_own_wish() -> None:
    assert not is_due(account(), a_run(edition=2), LATE)
    assert not is_due(account(), None, LATE)
