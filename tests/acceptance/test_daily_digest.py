"""The daily digest from the marketplace to the mailboxes, over real sockets and a real store."""

from __future__ import annotations

from datetime import date

import pytest

from notifier.domain.ledger import MessageKind, MessageState, RunState
from notifier.errors import ExitCode
from tests.acceptance.world import EVERYBODY, World


async def test_every_recipient_gets_one_mail_with_every_waiting_order(world: World) -> None:
    assert await world.run("2026-11-21") is ExitCode.DONE

    assert world.receivers == EVERYBODY
    for mail in world.mails:
        text = mail.get_body(("plain",))
        assert text is not None
        content = text.get_content()
        missing = [id_ for id_ in world.marketplace.ready_ids() if str(id_) not in content]
        assert missing == []


async def test_each_mail_shows_only_its_own_recipient(world: World) -> None:
    await world.run("2026-11-21")

    for accepted, mail in zip(world.smtp.accepted, world.mails, strict=True):
        others = set(EVERYBODY) - {accepted.recipient}
        assert accepted.recipient in mail["To"]
        assert not [other for other in others if other in accepted.content.decode("ascii")]


async def test_the_mail_is_in_the_language_of_its_contact_group(world: World) -> None:
    await world.run("2026-11-21")

    languages = {
        accepted.recipient: mail["Content-Language"]
        for accepted, mail in zip(world.smtp.accepted, world.mails, strict=True)
    }
    assert languages == {
        "office@example.com": "en",
        "jana@example.com": "sl",
        "pavol@example.com": "sl",
    }


async def test_a_second_run_for_the_same_day_sends_nothing_new(world: World) -> None:
    for at in ("06:05", "06:15", "17:00"):
        await world.run("2026-11-21", at=at)

    assert world.receivers == EVERYBODY
    assert len(await world.runs()) == 1


async def test_the_next_day_counts_new_waiting_and_collected_orders(world: World) -> None:
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


async def test_before_its_time_nothing_is_sent_and_the_due_time_is_printed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await world.run("2026-11-21", at="05:00") is ExitCode.DONE

    assert world.receivers == []
    assert "due on Sat 21 Nov at 06:00" in capsys.readouterr().out


async def test_now_sends_todays_digest_at_once_and_only_once(world: World) -> None:
    await world.run("2026-11-21", at="05:00", now=True)
    await world.run("2026-11-21", at="06:05")
    await world.run("2026-11-21", at="06:10", now=True)

    assert world.receivers == EVERYBODY


async def test_force_sends_a_new_edition_and_records_it(world: World) -> None:
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


async def test_a_dry_run_shows_what_would_be_sent_and_stores_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await world.run("2026-11-21", dry_run=True) is ExitCode.DONE

    out = capsys.readouterr().out
    assert all(address in out for address in EVERYBODY)
    assert world.receivers == []
    assert sorted(path.name for path in world.folder.iterdir()) == ["config.toml"]


async def test_a_past_day_can_be_requested(world: World) -> None:
    await world.run("2026-11-21", requested_day=date(2026, 11, 20))

    assert [run.day for run in await world.runs()] == [date(2026, 11, 20)]
    assert world.receivers == EVERYBODY


async def test_days_the_machine_was_off_are_recorded_and_named_in_the_mail(world: World) -> None:
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


@pytest.mark.slow
async def test_after_a_marketplace_outage_the_day_is_done_later(world: World) -> None:
    world.marketplace.fail_always(503)
    assert await world.run("2026-11-21") is ExitCode.TRY_LATER
    assert world.receivers == []

    world.marketplace.stop_failing()
    assert await world.run("2026-11-21", at="06:20") is ExitCode.DONE

    assert world.receivers == EVERYBODY
    assert [str(run.state) for run in await world.runs()] == ["complete"]


@pytest.mark.slow
async def test_an_unreadable_order_is_named_in_the_mail(world: World) -> None:
    broken = world.marketplace.ready_ids()[0]
    world.marketplace.break_detail(broken)

    assert await world.run("2026-11-21") is ExitCode.FAILED

    (run,) = await world.runs()
    assert run.state is RunState.INCOMPLETE
    for mail in world.mails:
        text = mail.get_body(("plain",))
        assert text is not None
        assert str(broken) in text.get_content()


async def test_a_mail_server_outage_loses_no_message(world: World) -> None:
    port = world.smtp.port
    world.configure((f"port = {port}", "port = 1"))
    assert await world.run("2026-11-21") is ExitCode.TRY_LATER
    assert world.receivers == []

    world.configure()
    assert await world.run("2026-11-21", at="06:15") is ExitCode.DONE

    assert world.receivers == EVERYBODY
    digests = [m for m in await world.outbox() if m.kind is MessageKind.DIGEST]
    assert [message.state for message in digests] == [MessageState.SENT] * 3


async def test_an_empty_day_is_mailed_unless_when_empty_is_skip(world: World) -> None:
    for id_ in world.marketplace.ready_ids():
        world.marketplace.set_ready(id_, False)
    await world.run("2026-11-21")
    assert world.receivers == EVERYBODY

    world.configure(("[groups", '[digest]\nwhen_empty = "skip"\n\n[groups'))
    await world.run("2026-11-22")

    assert world.receivers == EVERYBODY
    assert [str(run.state) for run in await world.runs()] == ["complete", "complete"]


@pytest.mark.slow
async def test_the_store_is_backed_up_once_a_day_and_backups_are_kept_for_a_week(
    world: World,
) -> None:
    for day in range(11, 21):
        await world.run(f"2026-11-{day}")
        await world.run(f"2026-11-{day}", at="12:00")

    copies = sorted(path.name for path in world.folder.glob("notifier.db.backup-*"))
    assert copies == [f"notifier.db.backup-2026-11-{day}" for day in range(14, 21)]


async def test_a_dry_run_of_a_finished_day_reports_that_nothing_is_due(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.run("2026-11-21")

    await world.run("2026-11-21", at="07:00", dry_run=True)

    assert "nothing due; 2026-11-21 is complete" in capsys.readouterr().out


async def test_an_account_named_twice_runs_once(world: World) -> None:
    finished = await world.call("run", "--now", "--account", "ljubljana", "--account", "ljubljana")

    assert finished.code == 0
    assert world.receivers == EVERYBODY
    assert len(await world.runs()) == 1


async def test_an_unreadable_list_is_not_requested_again_at_every_tick(world: World) -> None:
    world.marketplace.fail_always(401)
    await world.run("2026-11-21", at="06:05")
    calls = world.marketplace.requests

    await world.run("2026-11-21", at="06:09")
    assert world.marketplace.requests == calls

    await world.run("2026-11-21", at="06:10")
    assert world.marketplace.requests > calls


async def test_now_does_not_wait_for_the_next_attempt(world: World) -> None:
    world.marketplace.fail_always(401)
    await world.run("2026-11-21", at="06:05")
    world.marketplace.stop_failing()

    await world.run("2026-11-21", at="06:06", now=True)

    assert world.receivers == EVERYBODY


async def test_a_day_without_a_readable_list_sends_one_notice_to_each_recipient_and_no_digest(
    world: World,
) -> None:
    world.marketplace.fail_always(401)
    for at in ("06:05", "07:55", "08:05", "10:00", "14:00", "17:50", "18:10"):
        await world.run("2026-11-21", at=at)

    assert world.receivers == EVERYBODY
    subject = world.mails[0]["Subject"]
    assert "The list could not be read yet" in subject
    assert [str(run.state) for run in await world.runs()] == ["skipped"]


async def test_the_digest_follows_the_notice_once_the_list_can_be_read(world: World) -> None:
    world.marketplace.fail_always(401)
    for at in ("06:05", "08:05"):
        await world.run("2026-11-21", at=at)
    world.marketplace.stop_failing()
    for at in ("10:00", "11:00"):
        await world.run("2026-11-21", at=at)

    assert world.receivers == sorted(EVERYBODY * 2)
    kinds = [str(message.kind) for message in await world.outbox()]
    assert kinds == ["notice"] * len(EVERYBODY) + ["digest"] * len(EVERYBODY)


async def test_a_waiting_notice_is_discarded_when_the_digest_is_sent(world: World) -> None:
    port = world.smtp.port
    world.marketplace.fail_always(401)
    world.configure((f"port = {port}", "port = 1"))
    for at in ("06:05", "08:05"):
        await world.run("2026-11-21", at=at)
    world.marketplace.stop_failing()
    world.configure()

    await world.run("2026-11-21", at="10:00")

    assert world.receivers == EVERYBODY
    kinds_and_states = {(str(m.kind), str(m.state)) for m in await world.outbox()}
    assert kinds_and_states == {("notice", "discarded"), ("digest", "sent")}
