"""A real relay that puts mail off, has no room for it, or will not have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.domain.ledger import Attempt, MessageState, Outcome
from notifier.errors import ExitCode
from notifier.smtp.connection import SmtpStage
from tests.acceptance.world import EVERYBODY
from tests.faults.postfix import relayed
from tests.neighbours.greylist import Greylist

DEFERRED = dict.fromkeys(EVERYBODY, MessageState.DEFERRED)
SENT = dict.fromkeys(EVERYBODY, MessageState.SENT)
FAILED = dict.fromkeys(EVERYBODY, MessageState.FAILED)
JANA, OFFICE, PAVOL = EVERYBODY
DISK_BYTES = 4_000_000
TOO_SMALL = "message_size_limit = 20000"
"""For a digest, not for an alarm."""


async def test_a_greylisted_digest_comes_to_each_as_soon_as_they_may_have_it_and_once(
    tmp_path: Path,
) -> None:
    async with (
        Greylist({JANA: 1, OFFICE: 2, PAVOL: 3}) as greylist,
        relayed(tmp_path, greylist.setting) as it,
    ):
        assert await it.run("06:05") is ExitCode.DONE
        assert await it.states() == DEFERRED
        have = {}
        for at in ("06:09", "06:10", "06:20", "06:40", "07:40"):
            await it.run(at)
            have[at] = it.world.receivers
        await it.check()
        put_off = (await it.attempts(PAVOL))[0]

    assert have == {
        "06:09": [],
        "06:10": [JANA],
        "06:20": [JANA, OFFICE],
        "06:40": EVERYBODY,
        "07:40": EVERYBODY,
    }
    assert [greylist.requests["parcels@example.com", who] for who in EVERYBODY] == [2, 3, 4]
    assert _told(put_off) == (Outcome.DEFERRED, SmtpStage.RCPT, "450 4.7.1")
    assert "greylisted" in str(put_off.reply)


async def test_a_relay_with_less_room_than_it_wants_gets_each_digest_later_and_once(
    tmp_path: Path,
) -> None:
    async with relayed(tmp_path, "max_use = 1", f"queue_minfree = {2**62}") as it:
        assert await it.run("06:05") is ExitCode.DONE
        assert await it.states() == DEFERRED
        it.relay.set("queue_minfree = 0")
        await it.run("06:10")
        await it.run("07:40")

        assert it.world.receivers == EVERYBODY
        assert await it.states() == SENT
        assert _told((await it.attempts(JANA))[0]) == (
            Outcome.DEFERRED,
            SmtpStage.MAIL,
            "452 4.3.1",
        )
        await it.check()


@pytest.mark.parametrize(
    ("limit", "room", "told"),
    [
        pytest.param(1_000_000, 100_000, (SmtpStage.MAIL, "452 4.3.1"), id="seen at MAIL"),
        pytest.param(0, 20_000, (SmtpStage.DOT, "451 4.3.0"), id="hit while writing"),
    ],
)
async def test_a_relay_whose_disk_is_full_gets_each_digest_once_there_is_room(
    tmp_path: Path, limit: int, room: int, told: tuple[SmtpStage, str]
) -> None:
    setting = f"message_size_limit = {limit}"
    async with relayed(tmp_path, setting, disk_bytes=DISK_BYTES) as it:
        it.relay.fill_disk(but=room)
        assert await it.run("06:05") is ExitCode.DONE
        await it.run("06:10")
        assert await it.states() == DEFERRED
        it.relay.make_room()
        await it.run("06:20")
        await it.run("07:40")

        assert it.world.receivers == EVERYBODY
        assert await it.states() == SENT
        *put_off, _accepted = await it.attempts(JANA)
        assert [_told(attempt) for attempt in put_off] == [(Outcome.DEFERRED, *told)] * 2
        await it.check()


@pytest.mark.parametrize(
    ("settings", "phase"),
    [
        pytest.param((), SmtpStage.MAIL, id="SIZE is offered"),
        pytest.param(
            ("smtpd_discard_ehlo_keywords = size",), SmtpStage.DOT, id="SIZE is not offered"
        ),
    ],
)
async def test_a_digest_too_large_for_the_relay_fails_once_and_the_admin_hears_of_each(
    tmp_path: Path, settings: tuple[str, ...], phase: SmtpStage
) -> None:
    async with relayed(tmp_path, TOO_SMALL, *settings) as it:
        assert await it.run("06:05") is ExitCode.FAILED
        await it.run("06:10")
        await it.run("07:40")

        assert it.world.receivers == []
        assert await it.states() == FAILED
        for who in EVERYBODY:
            told = [_told(attempt) for attempt in await it.attempts(who)]
            assert told == [(Outcome.REJECTED, phase, "552 5.3.4")]
        (alarm,) = it.world.alarm_mails
        body = alarm.get_body(("plain",))
        assert body is not None
        words = body.get_content()
        assert [f"{name}@" in words for name in ("jana", "office", "pavol")] == [True] * 3
        await it.check()


def _told(attempt: Attempt) -> tuple[Outcome | None, str | None, str]:
    """How it ended, where, and both codes of the answer."""
    return attempt.outcome, attempt.phase, " ".join((attempt.reply or "").split()[:2])
