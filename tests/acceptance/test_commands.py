"""What each command shows, as the person who typed it sees it."""

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
async def test_orders_counts_right_in_every_scenario(scenario: str, tmp_path: Path) -> None:
    async with open_world(tmp_path, scenario) as world:
        shown = await world.call("orders", "--format", "csv", "--columns", "order")

        ids = [int(row["order"]) for row in csv.DictReader(io.StringIO(shown.out))]
        assert sorted(ids) == world.marketplace.ready_ids()


async def test_orders_are_filtered_sorted_and_cut_to_columns(world: World) -> None:
    shown = await world.call(
        *("orders", "--format", "csv"),
        *("--columns", "order,value", "--filter", "value>50", "--sort", "-value"),
    )

    rows = list(csv.DictReader(io.StringIO(shown.out)))
    values = [float(row["value"]) for row in rows]
    assert list(rows[0]) == ["account", "order", "value"]
    assert values == sorted(values, reverse=True)
    assert min(values) > 50


async def test_the_table_is_for_people_and_has_headings(world: World) -> None:
    shown = await world.call("orders")

    assert "Mimovrste: 8 orders wait." in shown.out
    assert "Tracking number" in shown.out
    assert str(world.marketplace.ready_ids()[0]) in shown.out


async def test_the_table_has_the_columns_of_the_account_and_machines_the_same_as_ever(
    world: World,
) -> None:
    world.configure(("recipients = [", 'columns = ["days", "order"]\nrecipients = ['))

    table, for_machines = await world.call("orders"), await world.call("orders", "--format", "csv")

    assert re.search(r"Days waiting\W+Order\W*$", table.out, re.MULTILINE)
    assert for_machines.out.startswith("account,order,external_id,tracking,items,value,")


@pytest.mark.slow
async def test_an_overview_that_is_incomplete_says_so(world: World) -> None:
    broken = world.marketplace.ready_ids()[0]
    world.marketplace.break_detail(broken)

    shown = await world.call("orders", "--format", "json")

    assert shown.code == ExitCode.FAILED
    assert str(broken) in shown.err
    assert len(json.loads(shown.out)) == 7


async def test_preview_shows_the_mail_and_leaves_no_trace(world: World) -> None:
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


async def test_a_browser_shows_the_logo_of_a_preview_though_it_is_not_beside_it(
    world: World,
) -> None:
    (world.folder / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    world.configure(("recipients = [", 'logo = "logo.png"\nrecipients = ['))
    page, mail = world.folder / "page.html", world.folder / "mail.eml"

    await world.call("preview", "--html", str(page), "--eml", str(mail))

    assert 'src="data:image/png;base64,iVBORw0KGgo="' in page.read_text(encoding="utf-8")
    assert b"Content-ID: <logo@" in mail.read_bytes()


async def test_a_preview_writes_the_files_that_go_along(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "files"

    shown = await world.call("preview", "--attachments", str(folder))

    (file,) = folder.iterdir()
    assert file.suffix == ".csv"
    assert str(file) in shown.out


async def test_the_page_of_a_preview_can_be_piped_on(world: World) -> None:
    shown = await world.call("preview", "--html", "-")

    assert shown.code == ExitCode.DONE
    assert shown.out.lower().startswith("<!doctype html>")
    assert shown.out.rstrip().endswith("</html>")


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--lint",), ("--lint", "--html", "-")])
async def test_a_lint_of_the_built_in_templates_finds_nothing_that_is_wrong(
    words: tuple[str, ...], world: World
) -> None:
    shown = await world.call("preview", *words)

    assert shown.code == ExitCode.DONE
    assert shown.err == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), ExitCode.DONE, True),
        (("--html", "-"), ExitCode.DONE, False),
        (("--html", "-", "--lint"), ExitCode.FAILED, True),
    ],
)
async def test_a_preview_tells_beside_the_mail_what_is_wrong_with_it(
    words: tuple[str, ...], code: ExitCode, told: bool, world: World
) -> None:
    own = world.folder / "mails" / "mail" / "digest"
    own.mkdir(parents=True)
    (own / "body.html").write_text("<title>a</title><p>b<script>1</script>", encoding="utf-8")
    world.environ["NOTIFIER_DIGEST__TEMPLATES_DIR"] = str(world.folder / "mails")

    shown = await world.call("preview", *words)

    assert shown.code == code
    wrong = (
        "error: line 1, <script>: mail programs remove <script>; remove it: nothing runs in a mail"
    )
    assert (wrong in shown.err) is told
    assert ("note: the HTML part: there is no preview line" in shown.err) is ("--lint" in words)
    assert "remove <script>" not in shown.out


async def test_a_lint_tells_when_own_templates_did_not_make_the_mail(world: World) -> None:
    own = world.folder / "mails" / "mail" / "digest"
    own.mkdir(parents=True)
    (own / "subject.txt").write_text("{{ nonsense }}", encoding="utf-8")
    world.environ["NOTIFIER_DIGEST__TEMPLATES_DIR"] = str(world.folder / "mails")

    shown = await world.call("preview", "--lint")

    assert shown.code == ExitCode.FAILED
    assert "error: your own templates: they cannot be used" in shown.err


async def test_preview_is_what_run_sends(world: World) -> None:
    shown = await world.call("preview")
    await world.call("run", "--now")

    english = next(mail for mail in world.mails if mail["Content-Language"] == "en")
    assert f"Subject: {english['Subject']}\n" in shown.out


async def test_the_mail_of_a_preview_is_what_a_run_sends_byte_for_byte(world: World) -> None:
    file = world.folder / "mail.eml"
    moment = world.now.astimezone(UTC)
    invocation = Invocation(world.config, clock=lambda: moment, environ=world.environ)
    words = ["--eml", str(file), "--language", "sl"]

    await asyncio.to_thread(preview.main, words, obj=invocation, standalone_mode=False)
    await world.run("2026-11-21")

    sent = next(one for one in world.smtp.accepted if one.recipient == "jana@example.com")
    assert file.read_bytes() == sent.content


async def test_a_test_mail_goes_to_a_configured_address_and_stays_out_of_the_ledger(
    world: World,
) -> None:
    sent = await world.call("send-test", "Jana@EXAMPLE.com")

    assert sent.code == ExitCode.DONE
    assert world.receivers == ["jana@example.com"]
    assert world.mails[0]["Content-Language"] == "sl"
    assert not (world.folder / "notifier.db").exists()


async def test_a_test_mail_that_cannot_be_sent_says_why(world: World) -> None:
    world.configure((f"port = {world.smtp.port}", "port = 1"))

    sent = await world.call("send-test", "jana@example.com")

    assert sent.code == ExitCode.TRY_LATER
    assert "smtp.host" in sent.err


@pytest.mark.slow
async def test_the_ledger_and_the_outbox_tell_what_happened(world: World) -> None:
    nothing = [(await world.call(name)).out for name in ("runs", "outbox")]
    await world.call("run", "--now")
    await world.call("run", "--force")

    runs, outbox = [(await world.call(name)).out for name in ("runs", "outbox")]
    one = await world.call("outbox", "1")

    assert nothing == ["No run is recorded yet.\n", "The outbox is empty.\n"]
    assert runs.count("complete") == 2
    assert "forced by a person" in runs
    assert "3/3" in runs
    assert outbox.count("sent") == 6
    assert all(address in outbox for address in EVERYBODY)
    assert "accepted at dot: 250" in one.out
    assert (await world.call("outbox", "--waiting")).out == "No message is pending.\n"


async def test_check_says_who_gets_what_and_when_and_asks_nobody(world: World) -> None:
    checked = await world.call("check")

    assert checked.code == ExitCode.DONE
    assert all(address in checked.out for address in EVERYBODY)
    assert "06:00" in checked.out
    assert world.marketplace.requests == 0


async def test_check_online_tries_both_logins_and_sends_nothing(world: World) -> None:
    checked = await world.call("check", "--online")

    assert checked.code == ExitCode.DONE
    assert "login to the marketplace works" in checked.out
    assert world.marketplace.requests == 1
    assert world.receivers == []


async def test_check_online_tells_every_refusal(world: World) -> None:
    world.configure((SMTP_LOGIN[1], "wrong"), (CLIENT_ID, "another-client-id"))

    checked = await world.call("check", "--online")

    assert checked.code == ExitCode.REFUSED
    assert "client_id" in checked.err
    assert "smtp.password" in checked.err
    assert "another-client-id" not in checked.out + checked.err


async def test_no_buyer_is_named_anywhere(world: World) -> None:
    await world.call("run", "--now")
    shown = [await world.call("orders", "--columns", "all"), await world.call("-v", "preview")]

    traces = [path.read_bytes() for path in world.folder.glob("notifier.db*")]
    mails = [accepted.content for accepted in world.smtp.accepted]
    bodies = [
        part.get_content()
        for content in mails
        for part in email.message_from_bytes(content, policy=email.policy.default).walk()
        if part.get_content_maintype() == "text"
    ]
    seen = b"".join([*traces, *mails]).decode("utf-8", "replace") + "".join(bodies)
    seen += "".join(text for one in shown for text in (one.out, one.err))
    assert leaks_in_text(seen, "anywhere") == []


async def test_the_demo_plays_two_days_and_keeps_them_in_a_folder(world: World) -> None:
    folder = world.folder / "demo"

    played = await world.call("demo", "--directory", str(folder))

    assert played.code == ExitCode.DONE, played.err
    assert "new" in played.out
    assert "Subject: " in played.out
    assert len(list((folder / "Maildir" / "new").iterdir())) == 6
    assert sorted(path.name for path in folder.glob("*.html")) == [
        "digest-en.html",
        "digest-sl.html",
    ]
    assert stat.S_IMODE((folder / "config.toml").stat().st_mode) == 0o600
    again = await world.call("demo", "--directory", str(folder))
    assert again.code == ExitCode.DONE
    assert len(list((folder / "Maildir" / "new").iterdir())) == 6


async def test_the_demo_never_clears_a_folder_that_is_not_its_own(world: World) -> None:
    played = await world.call("demo", "--directory", str(world.folder))

    assert played.code == ExitCode.USAGE
    assert "not empty" in played.err
    assert world.config.exists()


async def test_from_init_to_the_first_mail(world: World) -> None:
    world.config.unlink()
    world.smtp.login = None
    made = await world.call(
        *("init", "--non-interactive", "--account-name", "Mimovrste"),
        *("--client-id", CLIENT_ID, "--admin", "admin@example.com"),
        *("--recipient", "office@example.com", "--smtp-host", "127.0.0.1"),
        *("--smtp-port", str(world.smtp.port)),
        *("--smtp-from", "parcels@example.com"),
    )
    assert made.code == ExitCode.DONE, made.err
    assert stat.S_IMODE(world.config.stat().st_mode) == 0o600
    world.environ["NOTIFIER_MARKETPLACE__BASE_URL"] = world.base_url
    world.environ["NOTIFIER_SMTP__TLS"] = "none"

    assert (await world.call("check", "--online")).code == ExitCode.DONE
    assert (await world.call("run", "--now")).code == ExitCode.DONE
    assert world.receivers == ["office@example.com"]


async def test_a_person_decides_about_a_message_that_is_held(world: World) -> None:
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


async def test_somebody_who_lost_the_mail_gets_the_same_bytes_again(world: World) -> None:
    await world.run("2026-11-21", now=True)

    resent = await world.call(
        "outbox", "resend", "--day", "2026-11-21", "--recipient", "jana@example.com"
    )
    await world.run("2026-11-21", at="07:00")

    assert resent.code == 0
    first, second = [one for one in world.smtp.accepted if one.recipient == "jana@example.com"]
    assert first == second
    unknown = await world.call("outbox", "resend", "--day", "2026-11-20", "--recipient", "x@y.cz")
    assert unknown.code == ExitCode.USAGE


@pytest.mark.slow
async def test_ledger_and_outbox_show_only_what_was_asked_for(world: World) -> None:
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


async def test_old_texts_are_erased_at_the_end_of_a_run(world: World) -> None:
    await world.run("2026-11-21")

    await world.run("2026-11-29")

    old = [one for one in await world.outbox() if str(one.day) == "2026-11-21"]
    contents = [(await world.message(one.id)).content for one in old]
    assert contents == [None] * len(EVERYBODY)


async def test_a_store_that_is_a_folder_is_told_as_one(world: World) -> None:
    (world.folder / "there").mkdir()
    world.configure(more='[store]\npath = "there"\n')

    finished = await world.call("check")

    assert finished.code == ExitCode.CONFIG
    assert "is a folder; name a file in it" in finished.err + finished.out
