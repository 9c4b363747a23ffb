"""The admin is notified once when a failure begins and once when it ends."""

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


async def open_alarms(world: World) -> list[str]:
    async with open_store(world.location, read_only=True) as store:
        return [alarm.cause.key for alarm in await store.alarms.open()]


def logged_alarms(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return event and cause of the alarm lines in the log, in order."""
    events = [
        (str(record.__dict__.get("event")), str(record.__dict__.get("cause")))
        for record in caplog.records
    ]
    return [(event, cause) for event, cause in events if event.startswith("alarm_")]


async def test_a_successful_day_has_no_alarm(world: World) -> None:
    await world.run("2026-11-21")

    assert await open_alarms(world) == []


async def test_a_day_without_a_list_is_one_alarm_until_the_next_digest(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world.marketplace.fail_always(401)  # unlike 503, not retried within a run
    for at in ("06:05", "07:55"):
        await world.run("2026-11-21", at=at)
    assert await open_alarms(world) == []

    for at in ("08:05", "12:05", "17:55"):
        await world.run("2026-11-21", at=at)
        assert await open_alarms(world) == ["no-digest/ljubljana"]

    await world.run("2026-11-21", at="18:05")
    assert await open_alarms(world) == ["no-digest/ljubljana"]

    world.marketplace.stop_failing()
    await world.run("2026-11-22")
    assert await open_alarms(world) == []
    assert logged_alarms(caplog) == [
        ("alarm_begun", "no-digest/ljubljana"),
        ("alarm_ended", "no-digest/ljubljana"),
    ]


async def test_a_mailbox_that_refuses_is_an_alarm_until_it_gets_a_digest(world: World) -> None:
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    assert await world.run("2026-11-21") is ExitCode.FAILED
    assert await open_alarms(world) == ["failed/ljubljana/pavol@example.com"]

    await world.run("2026-11-22")
    assert await open_alarms(world) == []


async def test_a_mail_server_that_is_down_is_an_alarm_until_it_is_back(world: World) -> None:
    world.configure((f"port = {world.smtp.port}", "port = 1"))
    await world.run("2026-11-21")
    assert await open_alarms(world) == ["mail-unavailable"]

    world.configure()
    await world.run("2026-11-21", at="06:15")
    assert await open_alarms(world) == []


async def test_a_broken_configuration_is_an_alarm_until_it_is_mended(world: World) -> None:
    await world.run("2026-11-21")
    good = world.config.read_text(encoding="utf-8")
    world.config.write_text(good + "\nnonsense", encoding="utf-8")
    await world.run("2026-11-22")
    assert await open_alarms(world) == ["config"]

    world.config.write_text(good, encoding="utf-8")
    await world.run("2026-11-22", at="06:15")
    assert await open_alarms(world) == []


@pytest.mark.slow
async def test_broken_templates_are_an_alarm_until_they_make_a_digest(world: World) -> None:
    own = world.folder / "own" / "mail" / "digest"
    own.mkdir(parents=True)
    (own / "body.html").write_text("{{ nonsense }}", encoding="utf-8")
    world.configure(more='\n[digest]\ntemplates_dir = "own"\n')
    await world.run("2026-11-21")
    await world.run("2026-11-21", at="06:15")
    assert await open_alarms(world) == ["templates/ljubljana"]
    (begun,) = world.alarm_mails
    assert "your own templates could not be used" in text_of(begun).lower()

    (own / "body.html").write_text("<p>{{ mail.headline.title }}</p>", encoding="utf-8")
    await world.run("2026-11-22")
    assert await open_alarms(world) == []


class Monitor:
    """A monitor that records the pings it receives, and answers them or closes the connection."""

    def __init__(self, *, answers: bool = True) -> None:
        self.pings: list[str] = []
        self._answers = answers

    async def receive(self, head: bytes, writer: StreamWriter) -> None:
        self.pings.append(head.split(b" HTTP")[0].decode())
        if self._answers:
            writer.write(answer(b"OK", headers=["Connection: close"]))
            await writer.drain()
        writer.close()


def use_monitor(world: World, port: int) -> None:
    """Set `ping_url` to the monitor at a port."""
    world.configure((world.monitor_url, f"http://127.0.0.1:{port}/abc"))


async def test_the_monitor_is_pinged_at_the_start_and_the_end_of_a_day(world: World) -> None:
    monitor = Monitor()
    async with behaving(monitor.receive) as port:
        use_monitor(world, port)
        for at in ("05:00", "06:05", "06:15"):
            await world.run("2026-11-21", at=at)

    assert monitor.pings == ["GET /abc/start", "GET /abc"]


async def test_the_monitor_is_pinged_when_an_alarm_begins_and_after_it_has_ended(
    world: World,
) -> None:
    monitor = Monitor()
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    async with behaving(monitor.receive) as port:
        use_monitor(world, port)
        for day in ("2026-11-21", "2026-11-22"):
            await world.run(day)

    assert monitor.pings == [
        "GET /abc/start",
        "POST /abc/fail",
        "GET /abc/start",
        "GET /abc",
    ]


async def test_a_day_that_is_tried_again_sends_one_start_ping(
    world: World,
) -> None:
    monitor = Monitor()
    world.marketplace.fail_always(401)
    async with behaving(monitor.receive) as port:
        use_monitor(world, port)
        for at in ("06:05", "06:15", "06:25"):
            await world.run("2026-11-21", at=at)

    assert monitor.pings == ["GET /abc/start"]


async def test_a_refused_clock_is_one_alarm_until_it_is_right(world: World) -> None:
    monitor = Monitor()
    async with behaving(monitor.receive) as port:
        use_monitor(world, port)
        await world.run("2026-11-21")
        world.clock_error = timedelta(days=26_250)
        for at in ("09:00", "09:10"):
            with pytest.raises(ClockRefused):
                await world.run("2026-11-21", at=at)
        assert await open_alarms(world) == ["clock"]
        assert world.alarm_mails == []
        world.clock_error = timedelta(0)
        await world.run("2026-11-21", at="09:20")

    assert await open_alarms(world) == []
    assert [mail["Subject"].partition(" – ")[0] for mail in world.alarm_mails] == [
        "1 problem is solved"
    ]
    assert monitor.pings == ["GET /abc/start", "GET /abc", "POST /abc/fail", "GET /abc"]


async def test_an_unusable_store_is_reported_to_the_monitor(world: World) -> None:
    monitor = Monitor()
    await world.run("2026-11-21")
    (world.folder / "notifier.db").write_bytes(b"")
    async with behaving(monitor.receive) as port:
        use_monitor(world, port)
        with pytest.raises(StoreError):
            await world.run("2026-11-22")

    assert monitor.pings == ["POST /abc/fail"]


async def test_a_day_with_a_waiting_message_sends_no_end_ping(world: World) -> None:
    monitor = Monitor()
    world.smtp.script(Step.RCPT, says("451 4.7.1 come back"), only="pavol@example.com")
    async with behaving(monitor.receive) as port:
        use_monitor(world, port)
        await world.run("2026-11-21")
        assert monitor.pings == ["GET /abc/start"]
        await world.run("2026-11-21", at="07:05")

    assert monitor.pings == ["GET /abc/start", "GET /abc"]


async def test_a_monitor_that_closes_the_connection_stops_nothing(world: World) -> None:
    monitor = Monitor(answers=False)
    async with behaving(monitor.receive) as port:
        use_monitor(world, port)
        assert await world.run("2026-11-21") is ExitCode.DONE

    assert world.receivers == EVERYBODY
    assert len(monitor.pings) == 2


async def test_the_admin_gets_one_mail_when_an_alarm_begins_and_one_when_it_ends(
    world: World,
) -> None:
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    for at in ("06:05", "06:15", "06:25"):
        await world.run("2026-11-21", at=at)

    (begun,) = world.alarm_mails
    assert "notifier outbox retry " in text_of(begun)
    assert "no such user" in text_of(begun)

    for at in ("06:05", "06:15"):
        await world.run("2026-11-22", at=at)

    assert [mail["Subject"].partition(" – ")[0] for mail in world.alarm_mails] == [
        "1 new problem",
        "1 problem is solved",
    ]


async def test_a_mail_server_outage_is_mailed_to_the_admin_when_it_is_over(world: World) -> None:
    world.configure((f"port = {world.smtp.port}", "port = 1"))
    for at in ("06:05", "06:15"):
        await world.run("2026-11-21", at=at)

    world.configure()
    await world.run("2026-11-21", at="06:25")

    (mail,) = world.alarm_mails
    assert mail["Subject"].startswith("1 problem is solved")
    assert "cannot be reached" in text_of(mail)


async def test_a_deferred_alarm_mail_is_sent_by_a_later_run(world: World) -> None:
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    world.smtp.script(Step.RCPT, says("451 4.7.1 come back"), only=ADMIN)
    await world.run("2026-11-21")
    assert world.alarm_mails == []

    await world.run("2026-11-21", at="07:30")

    assert len(world.alarm_mails) == 1


async def test_a_refused_admin_address_is_an_alarm_and_causes_no_further_mails(
    world: World,
) -> None:
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such admin"), only=ADMIN)
    for at in ("06:05", "06:15", "06:25", "06:35"):
        await world.run("2026-11-21", at=at)

    assert f"admin-mail/{ADMIN}" in await open_alarms(world)
    async with open_store(world.location, read_only=True) as store:
        assert len(await store.outbox.list(kind=MessageKind.ALARM)) == 1


def text_of(mail: EmailMessage) -> str:
    """Return the text part of a mail as one line."""
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


async def test_a_run_for_one_account_ends_no_alarm_of_another_account(world: World) -> None:
    world.configure(
        more=f'\n[accounts.zagreb]\nname = "Zagreb"\nclient_id = "{CLIENT_ID}"\n'
        'recipients = ["office@example.com"]\n'
    )
    world.smtp.script(Step.RCPT, says("550 5.1.1 no such user"), only="pavol@example.com")
    await world.run("2026-11-21")

    await world.run("2026-11-21", at="06:15", accounts=("zagreb",))

    assert await open_alarms(world) == ["failed/ljubljana/pavol@example.com"]
