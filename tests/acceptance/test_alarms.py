"""The admin learns of every failure once, and of its end."""

from __future__ import annotations

import logging
from asyncio import StreamWriter
from datetime import timedelta
from email.message import EmailMessage

import pytest

from notifier.domain.ledger import MessageKind
from notifier.errors import ClockRefused, ExitCode, StoreError
from notifier.store import open_store
from tests.acceptance.world import ADMIN, EVERYBODY, World
from tests.canaries import CLIENT_ID
from tests.loopback import answer, behaving
from tests.neighbours.smtp import Step, says


async def alarms(world: World) -> list[str]:
    async with open_store(world.location, read_only=True) as store:
        return [alarm.cause.key for alarm in await store.alarms.open()]


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Beginnings and ends in the log, in order."""
    found = [
        (str(record.__dict__.get("event")), str(record.__dict__.get("cause")))
        for record in caplog.records
    ]
    return [(event, cause) for event, cause in found if event.startswith("alarm_")]


async def test_a_good_day_has_no_alarm(world: World) -> None:
    await world.run("2026-11-21")

    assert await alarms(world) == []


async def test_a_day_without_a_list_is_one_alarm_until_the_next_digest(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world.marketplace.fail_always(401)  # which is not asked again
    for at in ("06:05", "07:55"):
        await world.run("2026-11-21", at=at)
    assert await alarms(world) == []

    for at in ("08:05", "12:05", "17:55"):
        await world.run("2026-11-21", at=at)
        assert await alarms(world) == ["no-digest/ljubljana"]

    await world.run("2026-11-21", at="18:05")
    assert await alarms(world) == ["no-digest/ljubljana"]

    world.marketplace.stop_failing()
    await world.run("2026-11-22")
    assert await alarms(world) == []
    assert told(caplog) == [
        ("alarm_begun", "no-digest/ljubljana"),
        ("alarm_ended", "no-digest/ljubljana"),
    ]


async def test_a_mailbox_that_refuses_is_an_alarm_until_it_gets_a_digest(world: World) -> None:
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    assert await world.run("2026-11-21") is ExitCode.FAILED
    assert await alarms(world) == ["failed/ljubljana/pavol@example.com"]

    await world.run("2026-11-22")
    assert await alarms(world) == []


async def test_a_mail_server_that_is_down_is_an_alarm_until_it_is_back(world: World) -> None:
    world.configure((f"port = {world.smtp.port}", "port = 1"))
    await world.run("2026-11-21")
    assert await alarms(world) == ["mail-unavailable"]

    world.configure()
    await world.run("2026-11-21", at="06:15")
    assert await alarms(world) == []


async def test_a_broken_configuration_is_an_alarm_until_it_is_mended(world: World) -> None:
    await world.run("2026-11-21")
    good = world.config.read_text(encoding="utf-8")
    world.config.write_text(good + "\nnonsense", encoding="utf-8")
    await world.run("2026-11-22")
    assert await alarms(world) == ["config"]

    world.config.write_text(good, encoding="utf-8")
    await world.run("2026-11-22", at="06:15")
    assert await alarms(world) == []


@pytest.mark.slow
async def test_broken_templates_are_an_alarm_until_they_make_a_digest(world: World) -> None:
    own = world.folder / "own" / "mail" / "digest"
    own.mkdir(parents=True)
    (own / "body.html").write_text("{{ nonsense }}", encoding="utf-8")
    world.configure(more='\n[digest]\ntemplates_dir = "own"\n')
    await world.run("2026-11-21")
    await world.run("2026-11-21", at="06:15")
    assert await alarms(world) == ["templates/ljubljana"]
    (begun,) = world.alarm_mails
    assert "your own templates could not be used" in written(begun).lower()

    (own / "body.html").write_text("<p>{{ mail.headline.title }}</p>", encoding="utf-8")
    await world.run("2026-11-22")
    assert await alarms(world) == []


class Monitor:
    """A server that is told how we are; it answers as it was told to, or not at all."""

    def __init__(self, *, answers: bool = True) -> None:
        self.told: list[str] = []
        self._answers = answers

    async def hears(self, head: bytes, writer: StreamWriter) -> None:
        self.told.append(head.split(b" HTTP")[0].decode())
        if self._answers:
            writer.write(answer(b"OK", headers=["Connection: close"]))
            await writer.drain()
        writer.close()


def watch(world: World, port: int) -> None:
    world.configure((world.monitor_url, f"http://127.0.0.1:{port}/abc"))


async def test_a_monitor_hears_of_each_digest_once_it_is_done(world: World) -> None:
    monitor = Monitor()
    async with behaving(monitor.hears) as port:
        watch(world, port)
        for at in ("05:00", "06:05", "06:15"):
            await world.run("2026-11-21", at=at)

    assert monitor.told == ["GET /abc/start", "GET /abc"]


async def test_a_monitor_hears_of_an_alarm_and_of_its_end(world: World) -> None:
    monitor = Monitor()
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    async with behaving(monitor.hears) as port:
        watch(world, port)
        for day in ("2026-11-21", "2026-11-22"):
            await world.run(day)

    assert monitor.told == [
        "GET /abc/start",
        "POST /abc/fail",
        "GET /abc/start",
        "GET /abc",
    ]


async def test_a_day_is_begun_once_for_the_monitor_however_often_it_is_tried(
    world: World,
) -> None:
    monitor = Monitor()
    world.marketplace.fail_always(401)
    async with behaving(monitor.hears) as port:
        watch(world, port)
        for at in ("06:05", "06:15", "06:25"):
            await world.run("2026-11-21", at=at)

    assert monitor.told == ["GET /abc/start"]


async def test_a_clock_that_is_not_believed_is_one_alarm_until_it_is(world: World) -> None:
    monitor = Monitor()
    async with behaving(monitor.hears) as port:
        watch(world, port)
        await world.run("2026-11-21")
        world.clock_is_wrong_by = timedelta(days=26_250)
        for at in ("09:00", "09:10"):
            with pytest.raises(ClockRefused):
                await world.run("2026-11-21", at=at)
        assert await alarms(world) == ["clock"]
        assert world.alarm_mails == []
        world.clock_is_wrong_by = timedelta(0)
        await world.run("2026-11-21", at="09:20")

    assert await alarms(world) == []
    assert [mail["Subject"].partition(" – ")[0] for mail in world.alarm_mails] == [
        "1 problem is solved"
    ]
    assert monitor.told == ["GET /abc/start", "GET /abc", "POST /abc/fail", "GET /abc"]


async def test_of_a_store_that_cannot_be_used_the_monitor_hears(world: World) -> None:
    monitor = Monitor()
    await world.run("2026-11-21")
    (world.folder / "notifier.db").write_bytes(b"")
    async with behaving(monitor.hears) as port:
        watch(world, port)
        with pytest.raises(StoreError):
            await world.run("2026-11-22")

    assert monitor.told == ["POST /abc/fail"]


async def test_what_waits_is_not_done(world: World) -> None:
    monitor = Monitor()
    world.smtp.script(Step.RCPT, says("451 4.7.1 come back"), only="pavol@example.com")
    async with behaving(monitor.hears) as port:
        watch(world, port)
        await world.run("2026-11-21")
        assert monitor.told == ["GET /abc/start"]
        await world.run("2026-11-21", at="07:05")

    assert monitor.told == ["GET /abc/start", "GET /abc"]


async def test_a_monitor_that_breaks_off_does_no_harm(world: World) -> None:
    monitor = Monitor(answers=False)
    async with behaving(monitor.hears) as port:
        watch(world, port)
        assert await world.run("2026-11-21") is ExitCode.DONE

    assert world.receivers == EVERYBODY
    assert len(monitor.told) == 2


async def test_the_admin_gets_one_mail_when_it_begins_and_one_when_it_is_over(world: World) -> None:
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    for at in ("06:05", "06:15", "06:25"):
        await world.run("2026-11-21", at=at)

    (begun,) = world.alarm_mails
    assert "notifier outbox retry " in written(begun)
    assert "no such user" in written(begun)

    for at in ("06:05", "06:15"):
        await world.run("2026-11-22", at=at)

    assert [mail["Subject"].partition(" – ")[0] for mail in world.alarm_mails] == [
        "1 new problem",
        "1 problem is solved",
    ]


async def test_of_a_dead_mail_server_the_admin_hears_when_it_is_back(world: World) -> None:
    world.configure((f"port = {world.smtp.port}", "port = 1"))
    for at in ("06:05", "06:15"):
        await world.run("2026-11-21", at=at)

    world.configure()
    await world.run("2026-11-21", at="06:25")

    (mail,) = world.alarm_mails
    assert mail["Subject"].startswith("1 problem is solved")
    assert "cannot be reached" in written(mail)


async def test_an_alarm_mail_that_waits_is_sent_by_a_later_run(world: World) -> None:
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    world.smtp.script(Step.RCPT, says("451 4.7.1 come back"), only=ADMIN)
    await world.run("2026-11-21")
    assert world.alarm_mails == []

    await world.run("2026-11-21", at="07:30")

    assert len(world.alarm_mails) == 1


async def test_an_admin_who_cannot_be_mailed_is_an_alarm_and_no_flood(world: World) -> None:
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such admin"), only=ADMIN)
    for at in ("06:05", "06:15", "06:25", "06:35"):
        await world.run("2026-11-21", at=at)

    assert f"admin-mail/{ADMIN}" in await alarms(world)
    async with open_store(world.location, read_only=True) as store:
        assert len(await store.outbox.list(kind=MessageKind.ALARM)) == 1


def written(mail: EmailMessage) -> str:
    """Its text, in one line."""
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


async def test_a_run_for_one_account_ends_no_alarm_of_another(world: World) -> None:
    world.configure(
        more=f'\n[accounts.zagreb]\nname = "Zagreb"\nclient_id = "{CLIENT_ID}"\n'
        'recipients = ["office@example.com"]\n'
    )
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    await world.run("2026-11-21")

    await world.run("2026-11-21", at="06:15", accounts=("zagreb",))

    assert await alarms(world) == ["failed/ljubljana/pavol@example.com"]
