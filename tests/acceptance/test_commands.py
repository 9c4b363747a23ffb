"""The output of each command, as the person who typed it sees it."""

from __future__ import annotations

import asyncio
import csv
import email
import email.policy
import io
import json
import re
import stat
from datetime import UTC
from pathlib import Path

import pytest

from notifier.cli.commands.preview import command as preview
from notifier.cli.context import Invocation
from notifier.errors import ExitCode
from tests.acceptance.world import EVERYBODY, World, open_world
from tests.canaries import CLIENT_ID, SMTP_LOGIN, leaks_in_text
from tests.neighbours.smtp import Step, accepts_and, resets, says


async def test_orders_lists_exactly_what_is_ready_to_return(world: World) -> None:
    shown = await world.call("orders", "--format", "json", "--columns", "all")

    rows = json.loads(shown.out)
    assert shown.code == ExitCode.DONE
    assert sorted(row["order"] for row in rows) == world.marketplace.ready_ids()
    assert world.receivers == []
    assert not (world.folder / "notifier.db").exists()


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["every_status", "many_pages", "failing", "quiet_day"])
async def test_orders_lists_every_ready_order_in_every_scenario(
    scenario: str, tmp_path: Path
) -> None:
    async with open_world(tmp_path, scenario) as world:
        shown = await world.call("orders", "--format", "csv", "--columns", "order")

        ids = [int(row["order"]) for row in csv.DictReader(io.StringIO(shown.out))]
        assert sorted(ids) == world.marketplace.ready_ids()


async def test_orders_filters_sorts_and_selects_columns(world: World) -> None:
    shown = await world.call(
        *("orders", "--format", "csv"),
        *("--columns", "order,value", "--filter", "value>50", "--sort", "-value"),
    )

    rows = list(csv.DictReader(io.StringIO(shown.out)))
    values = [float(row["value"]) for row in rows]
    assert list(rows[0]) == ["account", "order", "value"]
    assert values == sorted(values, reverse=True)
    assert min(values) > 50


async def test_the_table_of_orders_has_a_summary_and_headings(world: World) -> None:
    shown = await world.call("orders")

    assert "Mimovrste: 8 orders wait." in shown.out
    assert "Tracking number" in shown.out
    assert str(world.marketplace.ready_ids()[0]) in shown.out


async def test_the_table_has_the_accounts_columns_and_csv_always_the_same_ones(
    world: World,
) -> None:
    world.configure(("recipients = [", 'columns = ["days", "order"]\nrecipients = ['))

    table, as_csv = await world.call("orders"), await world.call("orders", "--format", "csv")

    assert re.search(r"Days waiting\W+Order\W*$", table.out, re.MULTILINE)
    assert as_csv.out.startswith("account,order,external_id,tracking,items,value,")


@pytest.mark.slow
async def test_orders_reports_an_incomplete_list(world: World) -> None:
    broken = world.marketplace.ready_ids()[0]
    world.marketplace.break_detail(broken)

    shown = await world.call("orders", "--format", "json")

    assert shown.code == ExitCode.FAILED
    assert str(broken) in shown.err
    assert len(json.loads(shown.out)) == 7


async def test_preview_shows_the_mail_and_sends_and_stores_nothing(world: World) -> None:
    page = world.folder / "page.html"

    shown = await world.call("preview", "--text", "--html", str(page), "--language", "sl")

    assert shown.code == ExitCode.DONE
    assert shown.out.startswith("Subject: ")
    html = page.read_text(encoding="utf-8")
    assert 'lang="sl"' in html
    for order_id in world.marketplace.ready_ids():
        assert str(order_id) in shown.out
        assert str(order_id) in html
    assert world.receivers == []
    assert not (world.folder / "notifier.db").exists()


async def test_the_page_of_a_preview_embeds_the_logo(
    world: World,
) -> None:
    (world.folder / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    world.configure(("recipients = [", 'logo = "logo.png"\nrecipients = ['))
    page, mail = world.folder / "page.html", world.folder / "mail.eml"

    await world.call("preview", "--html", str(page), "--eml", str(mail))

    assert 'src="data:image/png;base64,iVBORw0KGgo="' in page.read_text(encoding="utf-8")
    assert b"Content-ID: <logo@" in mail.read_bytes()


async def test_a_preview_writes_the_attachments(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "files"

    shown = await world.call("preview", "--attachments", str(folder))

    (file,) = folder.iterdir()
    assert file.suffix == ".csv"
    assert str(file) in shown.out


async def test_the_page_of_a_preview_can_be_written_to_standard_output(world: World) -> None:
    shown = await world.call("preview", "--html", "-")

    assert shown.code == ExitCode.DONE
    assert shown.out.lower().startswith("<!doctype html>")
    assert shown.out.rstrip().endswith("</html>")


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--lint",), ("--lint", "--html", "-")])
async def test_a_lint_of_the_built_in_templates_finds_no_error(
    words: tuple[str, ...], world: World
) -> None:
    shown = await world.call("preview", *words)

    assert shown.code == ExitCode.DONE
    assert shown.err == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "reported"),
    [
        ((), ExitCode.DONE, True),
        (("--html", "-"), ExitCode.DONE, False),
        (("--html", "-", "--lint"), ExitCode.FAILED, True),
    ],
)
async def test_a_preview_reports_errors_in_the_mail_on_standard_error(
    words: tuple[str, ...], code: ExitCode, reported: bool, world: World
) -> None:
    own = world.folder / "mails" / "mail" / "digest"
    own.mkdir(parents=True)
    (own / "body.html").write_text("<title>a</title><p>b<script>1</script>", encoding="utf-8")
    world.environ["NOTIFIER_DIGEST__TEMPLATES_DIR"] = str(world.folder / "mails")

    shown = await world.call("preview", *words)

    assert shown.code == code
    error = (
        "error: line 1, <script>: mail programs remove <script>; remove it: nothing runs in a mail"
    )
    assert (error in shown.err) is reported
    assert ("note: the HTML part: there is no preview line" in shown.err) is ("--lint" in words)
    assert "remove <script>" not in shown.out


async def test_a_lint_reports_own_templates_that_cannot_be_used(world: World) -> None:
    own = world.folder / "mails" / "mail" / "digest"
    own.mkdir(parents=True)
    (own / "subject.txt").write_text("{{ nonsense }}", encoding="utf-8")
    world.environ["NOTIFIER_DIGEST__TEMPLATES_DIR"] = str(world.folder / "mails")

    shown = await world.call("preview", "--lint")

    assert shown.code == ExitCode.FAILED
    assert "error: your own templates: they cannot be used" in shown.err


@pytest.mark.slow
async def test_preview_shows_what_run_sends(world: World) -> None:
    shown = await world.call("preview")
    await world.call("run", "--now")

    english = next(mail for mail in world.mails if mail["Content-Language"] == "en")
    assert f"Subject: {english['Subject']}\n" in shown.out


async def test_the_eml_file_of_a_preview_equals_the_sent_mail_byte_for_byte(world: World) -> None:
    file = world.folder / "mail.eml"
    now = world.now.astimezone(UTC)
    invocation = Invocation(world.config, clock=lambda: now, environ=world.environ)
    options = ["--eml", str(file), "--language", "sl"]

    await asyncio.to_thread(preview.main, options, obj=invocation, standalone_mode=False)
    await world.run("2026-11-21")

    sent = next(mail for mail in world.smtp.accepted if mail.recipient == "jana@example.com")
    assert file.read_bytes() == sent.content


async def test_a_test_mail_goes_to_a_configured_address_and_is_not_recorded(
    world: World,
) -> None:
    sent = await world.call("send-test", "Jana@EXAMPLE.com")

    assert sent.code == ExitCode.DONE
    assert world.receivers == ["jana@example.com"]
    assert world.mails[0]["Content-Language"] == "sl"
    assert not (world.folder / "notifier.db").exists()


async def test_a_test_mail_that_cannot_be_sent_gives_the_reason(world: World) -> None:
    world.configure((f"port = {world.smtp.port}", "port = 1"))

    sent = await world.call("send-test", "jana@example.com")

    assert sent.code == ExitCode.TRY_LATER
    assert "smtp.host" in sent.err


@pytest.mark.slow
async def test_runs_and_outbox_show_what_happened(world: World) -> None:
    before = [(await world.call(name)).out for name in ("runs", "outbox")]
    await world.call("run", "--now")
    await world.call("run", "--force")

    runs, outbox = [(await world.call(name)).out for name in ("runs", "outbox")]
    message = await world.call("outbox", "1")

    assert before == ["No run is recorded yet.\n", "The outbox is empty.\n"]
    assert runs.count("complete") == 2
    assert "forced by a person" in runs
    assert "3/3" in runs
    assert outbox.count("sent") == 6
    assert all(address in outbox for address in EVERYBODY)
    assert "accepted at dot: 250" in message.out
    assert (await world.call("outbox", "--waiting")).out == "No message is pending.\n"


async def test_check_shows_recipients_and_times_without_any_call(world: World) -> None:
    result = await world.call("check")

    assert result.code == ExitCode.DONE
    assert all(address in result.out for address in EVERYBODY)
    assert "06:00" in result.out
    assert world.marketplace.requests == 0


async def test_check_online_tries_both_logins_and_sends_nothing(world: World) -> None:
    result = await world.call("check", "--online")

    assert result.code == ExitCode.DONE
    assert "login to the marketplace works" in result.out
    assert world.marketplace.requests == 1
    assert world.receivers == []


async def test_check_online_reports_every_refusal(world: World) -> None:
    world.configure((SMTP_LOGIN[1], "wrong"), (CLIENT_ID, "another-client-id"))

    result = await world.call("check", "--online")

    assert result.code == ExitCode.REFUSED
    assert "client_id" in result.err
    assert "smtp.password" in result.err
    assert "another-client-id" not in result.out + result.err


@pytest.mark.slow
async def test_no_buyer_appears_in_outputs_mails_or_the_store(world: World) -> None:
    await world.call("run", "--now")
    outputs = [await world.call("orders", "--columns", "all"), await world.call("-v", "preview")]

    store_files = [path.read_bytes() for path in world.folder.glob("notifier.db*")]
    mails = [accepted.content for accepted in world.smtp.accepted]
    # Bodies are encoded in the mail and must be decoded to be searched.
    bodies = [
        part.get_content()
        for content in mails
        for part in email.message_from_bytes(content, policy=email.policy.default).walk()
        if part.get_content_maintype() == "text"
    ]
    content = b"".join([*store_files, *mails]).decode("utf-8", "replace") + "".join(bodies)
    content += "".join(output.out + output.err for output in outputs)
    assert leaks_in_text(content, "anywhere") == []


def digests_in(maildir: Path) -> int:
    # On the first day of a month the admin gets the review as well, which belongs to no list.
    return sum(b"\nList-Id:" in mail.read_bytes() for mail in (maildir / "new").iterdir())


@pytest.mark.slow
async def test_the_demo_runs_two_days_and_keeps_mails_and_pages_in_a_folder(world: World) -> None:
    folder = world.folder / "demo"

    demo = await world.call("demo", "--directory", str(folder))

    assert demo.code == ExitCode.DONE, demo.err
    assert "new" in demo.out
    assert "Subject: " in demo.out
    assert digests_in(folder / "Maildir") == 6
    assert sorted(path.name for path in folder.glob("*.html")) == [
        "digest-en.html",
        "digest-sl.html",
    ]
    assert stat.S_IMODE((folder / "config.toml").stat().st_mode) == 0o600
    again = await world.call("demo", "--directory", str(folder))
    assert again.code == ExitCode.DONE
    assert digests_in(folder / "Maildir") == 6


async def test_the_demo_refuses_a_folder_that_it_did_not_create(world: World) -> None:
    demo = await world.call("demo", "--directory", str(world.folder))

    assert demo.code == ExitCode.USAGE
    assert "not empty" in demo.err
    assert world.config.exists()


@pytest.mark.slow
async def test_init_check_and_run_lead_to_the_first_mail(world: World) -> None:
    world.config.unlink()
    world.smtp.login = None
    init = await world.call(
        *("init", "--non-interactive", "--account-name", "Mimovrste"),
        *("--client-id", CLIENT_ID, "--admin", "admin@example.com"),
        *("--recipient", "office@example.com", "--smtp-host", "127.0.0.1"),
        *("--smtp-port", str(world.smtp.port)),
        *("--smtp-from", "parcels@example.com"),
    )
    assert init.code == ExitCode.DONE, init.err
    assert stat.S_IMODE(world.config.stat().st_mode) == 0o600
    world.environ["NOTIFIER_MARKETPLACE__BASE_URL"] = world.base_url
    world.environ["NOTIFIER_SMTP__TLS"] = "none"

    assert (await world.call("check", "--online")).code == ExitCode.DONE
    assert (await world.call("run", "--now")).code == ExitCode.DONE
    assert world.receivers == ["office@example.com"]


@pytest.mark.slow
async def test_a_person_can_retry_a_held_message_but_not_a_sent_one(world: World) -> None:
    world.configure(('tls = "none"', 'tls = "none"\non_unknown = "hold"'))
    world.smtp.script(Step.DOT, accepts_and(resets))
    first = await world.call("run", "--now")

    sent = await world.call("outbox", "retry", "2")
    retried = await world.call("outbox", "retry", "1")
    again = await world.call("run")

    assert first.code == ExitCode.FAILED
    assert (sent.code, retried.code, again.code) == (ExitCode.USAGE, 0, 0)
    assert "notifier outbox resend --day" in sent.err
    assert len(world.receivers) == len(EVERYBODY) + 1
    assert [entry.action for entry in await world.audit()] == ["run", "retry"]


async def test_resend_sends_the_same_bytes_again(world: World) -> None:
    await world.run("2026-11-21", now=True)

    resent = await world.call(
        "outbox", "resend", "--day", "2026-11-21", "--recipient", "jana@example.com"
    )
    await world.run("2026-11-21", at="07:00")

    assert resent.code == 0
    first, second = [m for m in world.smtp.accepted if m.recipient == "jana@example.com"]
    assert first == second
    unknown = await world.call("outbox", "resend", "--day", "2026-11-20", "--recipient", "x@y.cz")
    assert unknown.code == ExitCode.USAGE


@pytest.mark.slow
async def test_runs_and_outbox_filter_by_account_state_and_limit(world: World) -> None:
    world.configure(
        more=f"[accounts.praha]\nclient_id = '{CLIENT_ID}'\nrecipients = ['eva@example.com']\n"
    )
    world.smtp.script(Step.RCPT, says("451 4.7.1 come back"), only="jana@example.com")
    await world.call("run", "--now", "--account", "praha")
    await world.call("run", "--now")

    both = (await world.call("runs")).out
    assert ("praha" in both, "ljubljana" in both) == (True, True)
    assert "ljubljana" not in (await world.call("runs", "--account", "praha")).out
    assert "eva@example.com" not in (await world.call("outbox", "--account", "ljubljana")).out
    waiting = (await world.call("outbox", "--waiting")).out
    assert ("jana@example.com" in waiting, "office@example.com" in waiting) == (True, False)
    limited = (await world.call("outbox", "--limit", "1")).out.splitlines()
    assert len(limited) == 3
    assert world.receivers.count("eva@example.com") == 1


async def test_a_run_erases_the_content_of_old_messages(world: World) -> None:
    await world.run("2026-11-21")

    await world.run("2026-11-29")

    old = [message for message in await world.outbox() if str(message.day) == "2026-11-21"]
    contents = [(await world.message(message.id)).content for message in old]
    assert contents == [None] * len(EVERYBODY)


async def test_a_store_path_that_is_a_folder_is_reported_as_such(world: World) -> None:
    (world.folder / "there").mkdir()
    world.configure(more='[store]\npath = "there"\n')

    finished = await world.call("check")

    assert finished.code == ExitCode.CONFIG
    assert "is a folder; name a file in it" in finished.err + finished.out
