"""Who runs at the same time as others sends nothing twice, and neither does who was stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifier.domain.ledger import MessageState, Outcome
from tests.acceptance.world import EVERYBODY
from tests.faults.kill import KillTrial, ended, kill_trial, start
from tests.faults.races import STORES, database, missing, race
from tests.faults.world import collect
from tests.neighbours.smtp import Conversation, Step, says

AFTER_THE_LEASE = "06:40"


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if why := missing(request.param):
        pytest.skip(f"NOT CHECKED: {why}")
    with database(request.param, tmp_path) as url:
        yield url


async def test_six_at_once_send_one_mail_to_each(store: str, tmp_path: Path) -> None:
    async with kill_trial(tmp_path, store=store) as trial:
        await race(trial, 1)

        assert await trial.check() == 0
        assert trial.world.receivers == sorted(EVERYBODY * 2)


async def live_through_a_stop(trial: KillTrial, step: Step) -> int:
    """The first process is stopped there, another does its work, and it goes on; its exit code."""
    trial.wake()
    process = await start(trial.world)

    async def let_the_other_work(conversation: Conversation) -> int:
        process.send_signal(signal.SIGSTOP)
        await trial.world.run(str(trial.today), at=AFTER_THE_LEASE)
        process.send_signal(signal.SIGCONT)
        return await says("250 2.0.0 ok")(conversation)

    trial.world.smtp.script(step, let_the_other_work)
    return await ended(process)


async def test_who_is_stopped_before_the_dot_for_longer_than_the_lease_sends_nothing_after_it(
    store: str, tmp_path: Path
) -> None:
    async with kill_trial(tmp_path, store=store) as trial:
        await live_through_a_stop(trial, Step.MAIL)
        trial.next_day()

        assert await trial.check() == 0
        assert trial.world.receivers == sorted(EVERYBODY * 2)


async def test_who_is_stopped_after_the_dot_is_believed_when_it_goes_on(tmp_path: Path) -> None:
    async with kill_trial(tmp_path) as trial:
        await live_through_a_stop(trial, Step.DOT)
        evidence = await collect(trial.store, trial.world.smtp.accepted)

    first = trial.world.smtp.accepted[len(EVERYBODY)]
    assert trial.world.smtp.accepted.count(first) == 2
    assert {message.state for message, _ in evidence.messages} == {MessageState.SENT}
    attempts = [one for _, tried in evidence.messages for one in tried]
    (late,) = [one for one in attempts if one.outcome is not Outcome.ACCEPTED]
    assert len(attempts) == 2 * len(EVERYBODY) + 1
    assert late.outcome is Outcome.UNKNOWN
    assert "; accepted late: 250" in (late.reply or "")
