"""The daily digest, end to end, over real sockets and a real store."""

from __future__ import annotations

from datetime import date

import pytest

from notifier.domain.ledger import MessageKind, MessageState, RunState
from notifier.errors import ExitCode
from tests.acceptance.world import EVERYBODY, World


def states(messages: list[object]) -> list[str]:
    return [str(message.state) for message in messages]  # type: ignore[attr-defined]


async def test_everybody_gets_one_mail_with_every_order_that_waits(world: World) -> None:
    assert await world.run("2026-11-21") is ExitCode.DONE

    assert world.receivers == EVERYBODY
    for mail in world.mails:
        text = mail.get_body(("plain",))
        assert text is not None
        missing = [i for i in world.marketplace.ready_ids() if str(i) not in text.get_content()]
        assert missing == []


async def test_each_mail_shows_its_own_recipient_alone(world: World) -> None:
    await world.run("2026-11-21")

    for accepted, mail in zip(world.smtp.accepted, world.mails, strict=True):
        others = set(EVERYBODY) - {accepted.recipient}
        assert accepted.recipient in mail["To"]
        assert not [other for other in others if other in accepted.content.decode("ascii")]


async def test_the_mail_is_in_the_language_of_the_group(world: World) -> None:
    await world.run("2026-11-21")

    languages = {
        a.recipient: m["Content-Language"]
        for a, m in zip(world.smtp.accepted, world.mails, strict=True)
    }
    assert languages == {
        "office@example.com": "en",
        "jana@example.com": "sl",
        "pavol@example.com": "sl",
    }


async def test_a_second_run_of_a_day_sends_nothing_new(world: World) -> None:
    for at in ("06:05", "06:15", "17:00"):
        await world.run("2026-11-21", at=at)

    assert world.receivers == EVERYBODY
    assert len(await world.runs()) == 1


async def test_the_next_day_tells_new_waiting_and_collected(world: World) -> None:
    await world.run("2026-11-21")
    before = set(world.marketplace.ready_ids())
    world.marketplace.advance()
    after = set(world.marketplace.ready_ids())

    await world.run("2026-11-22")

    run = (await world.runs())[-1]
    assert (run.state, run.waiting, run.new, run.collected) == (
        RunState.COMPLETE,
        len(after),
        len(after - before),
        len(before - after),
    )


async def test_before_its_time_nothing_is_sent_and_the_time_is_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await world.run("2026-11-21", at="05:00") is ExitCode.DONE

    assert world.receivers == []
    assert "due on Sat 21 Nov at 06:00" in capsys.readouterr().out


async def test_now_does_todays_at_once_and_only_once(world: World) -> None:
    await world.run("2026-11-21", at="05:00", now=True)
    await world.run("2026-11-21", at="06:05")
    await world.run("2026-11-21", at="06:10", now=True)

    assert world.receivers == EVERYBODY


async def test_force_composes_a_new_edition_and_the_ledger_says_so(world: World) -> None:
    await world.run("2026-11-21")
    world.environ["SUDO_USER"] = "jana"
    await world.run("2026-11-21", at="09:00", force=True)

    assert world.receivers == sorted(EVERYBODY * 2)
    assert [(run.edition, run.reason) for run in await world.runs()] == [
        (1, None),
        (2, "forced by a person"),
    ]
    assert len({mail["Message-ID"] for mail in world.mails}) == 6
    assert [(entry.who, entry.action, entry.subject) for entry in await world.audit()] == [
        ("jana", "force", "ljubljana, 2026-11-21, edition 2")
    ]


async def test_a_dry_run_shows_what_would_be_sent_and_leaves_no_trace(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await world.run("2026-11-21", dry_run=True) is ExitCode.DONE

    out = capsys.readouterr().out
    assert all(address in out for address in EVERYBODY)
    assert world.receivers == []
    assert sorted(path.name for path in world.folder.iterdir()) == ["config.toml"]


async def test_a_day_of_the_past_can_be_asked_for(world: World) -> None:
    await world.run("2026-11-21", wished=date(2026, 11, 20))

    assert [run.day for run in await world.runs()] == [date(2026, 11, 20)]
    assert world.receivers == EVERYBODY


async def test_days_the_machine_was_off_are_recorded_and_told(world: World) -> None:
    await world.run("2026-11-21")
    world.marketplace.advance(3)

    await world.run("2026-11-24")

    assert [(run.day.day, str(run.state)) for run in await world.runs()] == [
        (21, "complete"),
        (22, "skipped"),
        (23, "skipped"),
        (24, "complete"),
    ]
    text = world.mails[-1].get_body(("plain",))
    assert text is not None
    assert "22" in text.get_content()


async def test_a_marketplace_that_is_down_is_told_and_the_day_is_done_later(world: World) -> None:
    world.marketplace.fail_always(503)
    assert await world.run("2026-11-21") is ExitCode.TRY_LATER
    assert world.receivers == []

    world.marketplace.stop_failing()
    assert await world.run("2026-11-21", at="06:20") is ExitCode.DONE

    assert world.receivers == EVERYBODY
    assert [str(run.state) for run in await world.runs()] == ["complete"]


async def test_an_order_that_cannot_be_read_makes_the_mail_say_so(world: World) -> None:
    broken = world.marketplace.ready_ids()[0]
    world.marketplace.break_detail(broken)

    assert await world.run("2026-11-21") is ExitCode.FAILED

    (run,) = await world.runs()
    assert run.state is RunState.INCOMPLETE
    for mail in world.mails:
        text = mail.get_body(("plain",))
        assert text is not None
        assert str(broken) in text.get_content()


async def test_a_mail_server_that_is_down_loses_nothing(world: World) -> None:
    port = world.smtp.port
    world.configure((f"port = {port}", "port = 1"))
    assert await world.run("2026-11-21") is ExitCode.TRY_LATER
    assert world.receivers == []

    world.configure()
    assert await world.run("2026-11-21", at="06:15") is ExitCode.DONE

    assert world.receivers == EVERYBODY
    digests = [one for one in await world.outbox() if one.kind is MessageKind.DIGEST]
    assert states(list(digests)) == [MessageState.SENT] * 3


async def test_an_empty_day_says_so_unless_silence_is_wished(world: World) -> None:
    for id_ in world.marketplace.ready_ids():
        world.marketplace.set_ready(id_, False)
    await world.run("2026-11-21")
    assert world.receivers == EVERYBODY

    world.configure(("[groups", '[digest]\nwhen_empty = "skip"\n\n[groups'))
    await world.run("2026-11-22")

    assert world.receivers == EVERYBODY
    assert [str(run.state) for run in await world.runs()] == ["complete", "complete"]


@pytest.mark.slow
async def test_a_copy_of_the_store_is_made_once_a_day_and_kept_for_a_week(world: World) -> None:
    for day in range(11, 21):
        await world.run(f"2026-11-{day}")
        await world.run(f"2026-11-{day}", at="12:00")

    copies = sorted(path.name for path in world.folder.glob("notifier.db.backup-*"))
    assert copies == [f"notifier.db.backup-2026-11-{day}" for day in range(14, 21)]


async def test_a_dry_run_of_a_day_that_is_done_says_that_nothing_is_due(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.run("2026-11-21")

    await world.run("2026-11-21", at="07:00", dry_run=True)

    assert "nothing due; 2026-11-21 is complete" in capsys.readouterr().out


async def test_an_account_that_is_named_twice_is_run_once(world: World) -> None:
    done = await world.call("run", "--now", "--account", "ljubljana", "--account", "ljubljana")

    assert done.code == 0
    assert world.receivers == EVERYBODY
    assert len(await world.runs()) == 1


async def test_a_list_that_cannot_be_read_is_not_asked_for_with_every_tick(world: World) -> None:
    world.marketplace.fail_always(401)
    await world.run("2026-11-21", at="06:05")
    asked = world.marketplace.requests

    await world.run("2026-11-21", at="06:09")
    assert world.marketplace.requests == asked

    await world.run("2026-11-21", at="06:10")
    assert world.marketplace.requests > asked


async def test_a_person_does_not_wait_for_the_next_try(world: World) -> None:
    world.marketplace.fail_always(401)
    await world.run("2026-11-21", at="06:05")
    world.marketplace.stop_failing()

    await world.run("2026-11-21", at="06:06", now=True)

    assert world.receivers == EVERYBODY


async def test_all_day_without_a_list_is_one_notice_each_and_no_digest(world: World) -> None:
    world.marketplace.fail_always(401)
    for at in ("06:05", "07:55", "08:05", "10:00", "14:00", "17:50", "18:10"):
        await world.run("2026-11-21", at=at)

    assert world.receivers == EVERYBODY
    subject = world.mails[0]["Subject"]
    assert "The list could not be read yet" in subject
    assert [str(run.state) for run in await world.runs()] == ["skipped"]


async def test_when_the_list_can_be_read_again_the_digest_follows_the_notice(world: World) -> None:
    world.marketplace.fail_always(401)
    for at in ("06:05", "08:05"):
        await world.run("2026-11-21", at=at)
    world.marketplace.stop_failing()
    for at in ("10:00", "11:00"):
        await world.run("2026-11-21", at=at)

    assert world.receivers == sorted(EVERYBODY * 2)
    kinds = [str(one.kind) for one in await world.outbox()]
    assert kinds == ["notice"] * len(EVERYBODY) + ["digest"] * len(EVERYBODY)


async def test_a_notice_that_still_waits_is_dropped_with_the_digest(world: World) -> None:
    port = world.smtp.port
    world.marketplace.fail_always(401)
    world.configure((f"port = {port}", "port = 1"))
    for at in ("06:05", "08:05"):
        await world.run("2026-11-21", at=at)
    world.marketplace.stop_failing()
    world.configure()

    await world.run("2026-11-21", at="10:00")

    assert world.receivers == EVERYBODY
    states = [(str(one.kind), str(one.state)) for one in await world.outbox()]
    assert set(states) == {("notice", "discarded"), ("digest", "sent")}
