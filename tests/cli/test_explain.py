"""`notifier explain`: the schedule, the ledger and the recipients in words; nothing is touched."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from notifier.cli.commands.explain import command
from notifier.cli.context import Invocation
from notifier.domain.ledger import FrozenMessage
from notifier.domain.settings import StoreLocation
from notifier.store import Store, open_store
from tests import factories

NOW = datetime(2026, 11, 22, 11, 5, tzinfo=UTC)

TEXT = """\
admin = "Admin <admin@example.com>"
[smtp]
host = "smtp.example.com"
from = "Parcels <digest@example.com>"
[digest]
timezone = "Europe/Ljubljana"
[groups.warehouse]
members = ["Jana <jana@example.com>", "night"]
language = "sl"
[groups.night]
members = ["eva@example.com"]
[accounts.ljubljana]
name = "Mimovrste"
client_id = "canary-client-id"
recipients = ["office@example.com", "warehouse"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, TEXT)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    (folder / "config.toml").chmod(0o600)


def explain(folder: Path, *arguments: str) -> str:
    invocation = Invocation(folder / "config.toml", clock=lambda: NOW, environ={})
    result = CliRunner().invoke(command, arguments, obj=invocation, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def arrange(folder: Path, work: Callable[[Store], Awaitable[None]]) -> None:
    """Let something have happened."""

    async def happen() -> None:
        async with open_store(StoreLocation(f"sqlite:///{folder / 'notifier.db'}")) as store:
            await work(store)

    asyncio.run(happen())


async def done(store: Store, day: date) -> None:
    """A day whose digest is frozen, with one message that waits for its next try."""
    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=5)
    run = await store.runs.begin(
        "ljubljana", day, at=at, lease=timedelta(minutes=20), holder="a test"
    )
    assert run is not None
    await store.meta.set_time_once("watched.ljubljana", at)
    message = FrozenMessage(
        message_id=f"<{day}>",
        recipient="office@example.com",
        envelope_from="digest@example.com",
        language="en",
        subject="Parcels",
        content=b"Subject: Parcels\r\n\r\nOne.\r\n",
    )
    later = at + timedelta(days=1)
    await store.runs.freeze(run, factories.digest(), [message], at=at, give_up_at=later)


def test_a_new_installation_is_told_what_comes_and_to_whom(folder: Path) -> None:
    assert (
        explain(folder, "--days", "2")
        == """\
Mimovrste (account "ljubljana")
  at        Sun 22 Nov 2026, 12:05 CET (Europe/Ljubljana)
  due       Sun 22 Nov 2026, since 06:00, until 18:00
  because   Sat 21 Nov 2026: too late since 18:00; no run is recorded yet
  next      Mon 23 Nov 2026 at 06:00 CET, until 18:00
            Tue 24 Nov 2026 at 06:00 CET, until 18:00
  goes to   office@example.com, in en: named directly
            Jana <jana@example.com>, in sl: member of "warehouse"
            eva@example.com, in sl: member of "night", which is in "warehouse"
"""
    )


def test_nothing_is_touched(folder: Path) -> None:
    explain(folder)

    assert [path.name for path in folder.iterdir()] == ["config.toml"]


def test_a_day_that_is_done_says_so_and_what_waits_says_until_when(folder: Path) -> None:
    arrange(folder, lambda store: done(store, date(2026, 11, 22)))

    told = explain(folder)

    assert "due       nothing" in told
    assert "Sun 22 Nov 2026: complete; edition 1, 0 of 1 messages sent" in told
    assert "message 1 to office@example.com is queued; it would be sent now" in told


def test_another_time_is_answered_by_todays_ledger(folder: Path) -> None:
    arrange(folder, lambda store: done(store, date(2026, 11, 22)))

    told = explain(folder, "--at", "2026-11-25T12:00")

    assert "due       Wed 25 Nov 2026, since 06:00, until 18:00" in told
    assert "missed    Mon 23 Nov 2026 would be recorded as skipped" in told
    assert "Tue 24 Nov 2026 would be recorded as skipped" in told
    assert "message 1 to office@example.com would be given up" in told


def test_a_run_that_failed_or_goes_on_is_told_of(folder: Path) -> None:
    async def failed(store: Store) -> None:
        run = await store.runs.begin(
            "ljubljana", NOW.date(), at=NOW, lease=timedelta(minutes=20), holder="a test"
        )
        assert run is not None
        await store.runs.fail(run, "the marketplace did not answer", at=NOW)

    arrange(folder, failed)

    told = explain(folder)
    assert "until 18:00; the run at 12:05 failed: the marketplace did not answer" in told
    assert "did not answer; next try at 13:05" in told


def test_a_run_that_goes_on_is_told_of(folder: Path) -> None:
    async def begun(store: Store) -> None:
        await store.runs.begin(
            "ljubljana", NOW.date(), at=NOW, lease=timedelta(minutes=20), holder="a test"
        )

    arrange(folder, begun)

    assert "a run has been in progress since 12:05" in explain(folder)


ODD_DAYS = [
    pytest.param(
        ("02:30", "Europe/Ljubljana", "2027-03-27T12:00"),
        "Sun 28 Mar 2027 at 03:30 CEST, until 18:00; the clocks jump over the time that is set",
        id="jumped over",
    ),
    pytest.param(
        ("02:30", "Europe/Ljubljana", "2027-10-30T12:00"),
        "Sun 31 Oct 2027 at 02:30 CEST, until 18:00; the clocks show this time twice",
        id="twice",
    ),
    pytest.param(
        ("06:00", "Pacific/Apia", "2011-12-29T12:00"),
        "Fri 30 Dec 2011: this day does not exist in the time zone",
        id="no such day",
    ),
    pytest.param(
        ("23:58", "Europe/Ljubljana", "2026-11-22T12:00"),
        "Sun 22 Nov 2026 at 23:58 CET, until 18:00 on Mon 23 Nov 2026",
        id="until the next day",
    ),
]


@pytest.mark.parametrize(("schedule", "sentence"), ODD_DAYS)
def test_odd_days_are_marked(folder: Path, schedule: tuple[str, str, str], sentence: str) -> None:
    send_at, zone, at = schedule
    write(
        folder,
        TEXT.replace('"Europe/Ljubljana"', f'"{zone}"\nsend_at = "{send_at}"'),
    )

    assert sentence in explain(folder, "--at", at, "--days", "1").replace("later", "next")


def test_a_weekday_that_is_not_chosen_is_told(folder: Path) -> None:
    write(folder, TEXT.replace("[groups.w", 'weekdays = ["mon"]\n[groups.w', 1))

    told = explain(folder, "--days", "1")

    assert "due       nothing" in told
    assert "because   Sun 22 Nov 2026: no digest on a Sunday (see weekdays)" in told


def test_an_instant_is_the_same_everywhere_and_a_local_time_is_each_accounts_own(
    folder: Path,
) -> None:
    second = """\
[accounts.tokyo]
client_id = "canary-other"
timezone = "Asia/Tokyo"
recipients = ["office@example.com"]
"""
    write(folder, TEXT + second)

    instant = explain(folder, "--at", "2026-11-22T11:00Z")
    local = explain(folder, "--at", "2026-11-22T11:00")

    assert "12:00 CET" in instant
    assert "20:00 JST" in instant
    assert "11:00 CET" in local
    assert "11:00 JST" in local
    assert "JST" not in explain(folder, "--account", "ljubljana")


def test_a_time_that_is_none_is_the_command_lines_fault(folder: Path) -> None:
    invocation = Invocation(folder / "config.toml", clock=lambda: NOW, environ={})

    result = CliRunner().invoke(command, ["--at", "tomorrow"], obj=invocation)

    assert result.exit_code == 2
    assert "write 2027-03-28T02:30" in result.output
