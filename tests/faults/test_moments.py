"""A process that dies at any moment costs nobody the mail, and nobody gets two for it.

`python -m tests.faults.kill_at_moments` kills at each moment every time it comes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.domain.ledger import MessageState
from notifier.domain.settings import OnUnknown
from tests.faults.kill import missing
from tests.faults.kill_at_moments import moment_trial
from tests.faults.moments import (
    EVERY_RUN,
    FIRST_RUN,
    TRANSACTIONS,
    WINDOW,
    Hit,
    Moment,
    changes_of_creation,
    moments_of_a_run,
    moments_of_creation,
)
from tests.faults.trace import Call, read_trace
from tests.faults.world import Verdict

NEAR_THE_DOT = {Moment.BODY: 0, Moment.MARKED: 1, Moment.ANSWERED: 1, Moment.SETTLED: 0}
"""How many messages are held after a death there."""
SOME_COMMITS = slice(5, 12, 6)
"""The one that freezes the messages, and the one that records a second answer."""


@pytest.fixture(autouse=True)
def needs_strace(request: pytest.FixtureRequest) -> None:
    if why := missing():
        pytest.skip(f"NOT CHECKED: {why}")


def first_times(hits: list[Hit]) -> list[Hit]:
    """Each moment once, and some of the many commits."""
    some = {one.moment: one for one in reversed(hits) if one.moment not in TRANSACTIONS}
    of_commits = [
        one
        for moment in TRANSACTIONS
        for one in [one for one in hits if one.moment is moment][SOME_COMMITS]
    ]
    return [*some.values(), *of_commits]


async def test_wherever_it_dies_everybody_has_the_mail(tmp_path: Path) -> None:
    async with moment_trial(tmp_path) as trial:
        hits = moments_of_a_run(await trial.record(), trial.world.smtp.port)
        window = {one.call for one in hits if one.moment in WINDOW}
        chosen = first_times(hits)

        assert {one.moment for one in chosen} == set(EVERY_RUN)
        for call, moment in {one.call: one.moment for one in chosen}.items():
            copies = int(call in window)
            assert await trial.kill_at(call) == Verdict(doubled_in_window=copies), moment


async def test_with_hold_nobody_has_it_twice_wherever_it_dies_near_the_dot(tmp_path: Path) -> None:
    async with moment_trial(tmp_path, OnUnknown.HOLD) as trial:
        hits = first_times(moments_of_a_run(await trial.record(), trial.world.smtp.port))
        calls = {one.moment: one.call for one in hits}

        for moment, held in NEAR_THE_DOT.items():
            assert await trial.kill_at(calls[moment]) == Verdict(), moment
            states = [one.state for one in await trial.world.outbox()]
            assert states.count(MessageState.HELD) == held, moment


async def test_wherever_a_first_run_dies_everybody_has_the_mail(tmp_path: Path) -> None:
    async with moment_trial(tmp_path, first_run=True) as trial:
        calls = await trial.record()
        hits = moments_of_creation(calls)

        assert [one.moment for one in hits] == list(FIRST_RUN)
        assert {one.call for one in hits} < set(changes_of_creation(calls))
        for one in hits:
            assert await trial.kill_at(one.call) == Verdict(), one


async def test_a_moment_that_a_run_no_longer_has_is_missed(tmp_path: Path) -> None:
    async with moment_trial(tmp_path) as trial:
        calls, port = await trial.record(), trial.world.smtp.port

    with pytest.raises(LookupError, match="the moment rcpt is not in the trace"):
        moments_of_a_run([one for one in calls if '"DATA' not in one.text], port)
    with pytest.raises(LookupError, match="the moment marked is not in the trace"):
        moments_of_a_run([one for one in calls if one.name != "fdatasync" or one.number < 10], port)
    with pytest.raises(LookupError, match="the moment created is not in the trace"):
        moments_of_creation(calls)


def test_calls_of_two_threads_are_told_apart_and_put_together_again() -> None:
    trace = [
        '7  sendto(4<TCP:[1]>, "a", 1 <unfinished ...>',
        "8  fdatasync(5</tmp/notifier.db-wal>) = 0",
        "7  <... sendto resumed>)  = 1",
        '7  sendto(4<TCP:[1]>, "b", 1) = ?',
        "7  +++ killed by SIGKILL +++",
    ]

    assert read_trace(trace) == [
        Call(0, "sendto", 1, '4<TCP:[1]>, "a", 1)  = 1'),
        Call(1, "fdatasync", 1, "5</tmp/notifier.db-wal>) = 0"),
        Call(0, "sendto", 2, '4<TCP:[1]>, "b", 1) = ?'),
    ]
