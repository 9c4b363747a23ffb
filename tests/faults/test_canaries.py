"""Days full of trouble, and neither a secret nor a buyer comes to light; old texts are gone.

What is looked at: all that is printed and logged, and every file the notifier has made.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from notifier.cli.build_context import open_context
from notifier.cli.context import Invocation
from notifier.domain.reading import Reading
from notifier.errors import ConfigError, ExitCode
from notifier.services.due import RunRequest
from notifier.services.tick import tick
from notifier.simulator.catalogue import BUYERS as PEOPLE
from tests.acceptance.world import ROOT, ZONE, World, open_world
from tests.canaries import (
    CLIENT_ID,
    PING_TOKEN,
    SMTP_LOGIN,
    STORE_PASSWORD,
    files_below,
    leaks_below,
)
from tests.faults.witness import Witness, witness
from tests.loopback import answer, behaving, says_and_resets
from tests.neighbours.smtp import Conversation, Step, accepts_and, drops, says

FIRST_DAY = date(2026, 11, 21)
RETENTION_DAYS = 7
BACKUPS_DAYS = 7
COMMANDS = """\
status
status --json
doctor --integrity
runs
outbox
outbox 1
outbox 2
outbox 4
explain --days 3
orders --columns all
orders --format json --columns all
check
check --online
preview --text
run --dry-run
run
adopt
"""
THAT_LOG = """\
check --online
run
orders
preview
status
doctor
"""
NAME, PASSWORD = SMTP_LOGIN
IN_BASE64 = base64.b64encode(f"\0{NAME}\0{PASSWORD}".encode()).decode()
ECHO = f"no: {NAME} {PASSWORD} {IN_BASE64} {base64.b64encode(PASSWORD.encode()).decode()}"
BUYER = PEOPLE[0]
TELLS_ALL = f"/v1/orders?client_id={CLIENT_ID} {BUYER.name} {BUYER.phone} {BUYER.email}"
SOLD: Mapping[str, object] = {
    "external_id": "SOLD-external-41",
    "tracking_number": "SOLD-tracking-42",
    "items": [{"id": "SOLD-sku-43", "title": "SOLD-title-44", "quantity": 1, "price": 9}],
}
"""What the seller may see, of an order that is collected soon."""
WORDS_OF_IT = (b"SOLD-external-41", b"SOLD-tracking-42", b"SOLD-sku-43", b"SOLD-title-44")


@dataclass(slots=True)
class Days:
    """A world in which the days go by."""

    world: World
    seen: Witness
    today: date = FIRST_DAY

    async def run(self, at: str = "06:05", *, force: bool = False) -> ExitCode:
        """`notifier run`, and a look at what is there then."""
        try:
            code = await self.world.run(str(self.today), at=at, force=force)
        except ConfigError as error:
            self.seen.printed.write("".join(traceback.format_exception(error)))
            code = error.exit_code
        self.look()
        return code

    async def next_day(self) -> None:
        self.world.smtp.behave()
        self.world.marketplace.stop_failing()
        self.today += timedelta(days=1)
        self.world.marketplace.advance()

    async def live(self, days: int) -> None:
        """Calm days."""
        for _ in range(days):
            assert await self.world.run(str(self.today)) == ExitCode.DONE
            await self.next_day()
        self.look()

    def look(self) -> None:
        """Neither a secret nor a buyer, in anything that is there by now."""
        assert self.seen.leaks() == []
        assert leaks_below(self.world.folder) == []

    async def call(self, lines: str, **environ: str) -> None:
        """These commands, in a process that logs in full."""
        process = await self._start(**environ)
        out, _ = await asyncio.wait_for(process.communicate(lines.encode()), timeout=100)
        text = out.decode()
        assert [line for line in lines.splitlines() if f"{line} -> " not in text] == []
        assert [line for line in text.splitlines() if line.endswith("-> 1")] == [], text
        self.seen.printed.write(text)
        self.look()

    async def die_at_the_dot(self) -> None:
        """A process is killed when the server has its mail; its journal stays."""
        process = await self._start()

        async def kill(conversation: Conversation) -> int:
            process.kill()
            return await drops(conversation)

        self.world.smtp.script(Step.DOT, accepts_and(kill))
        out, _ = await asyncio.wait_for(process.communicate(b"run\n"), timeout=60)
        assert process.returncode == -9
        self.seen.printed.write(out.decode())
        self.look()

    async def _start(self, **environ: str) -> asyncio.subprocess.Process:
        self.world.now = datetime.fromisoformat(f"{self.today}T06:05").replace(tzinfo=ZONE)
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.commands", str(self.world.config)),
            self.world.now.astimezone(UTC).isoformat(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
            cwd=self.world.folder,
        )


async def marketplace_tells_all(days: Days) -> None:
    """It refuses, and repeats the credential and a buyer; it answers with something else."""
    marketplace = days.world.marketplace
    envelope = json.dumps({"result": {"code": 401, "status": "ERROR", "message": TELLS_ALL}})
    for status, body in (
        (401, envelope),
        (200, envelope),
        (403, TELLS_ALL),
        (404, f"<html>{TELLS_ALL}</html>"),
        (302, TELLS_ALL),
    ):
        away = {"Location": f"https://elsewhere.example/?client_id={CLIENT_ID}"}
        marketplace.fail_next(99, status, away, body.encode())
        assert await days.run() != ExitCode.BUG
        marketplace.stop_failing()
    marketplace.fail_next(1, 500, body=TELLS_ALL.encode())
    marketplace.fail_next(1, 200, body=f'{{"data": "{TELLS_ALL}'.encode())
    assert await days.run("06:40") != ExitCode.BUG


async def rows_are_odd(days: Days) -> None:
    """A buyer stands where something else should."""
    marketplace = days.world.marketplace
    for field_ in ("status", "shipped", "cod", "mdp", "ready_to_return", "currency"):
        ready = {"status": "shipped", "ready_to_return": True}
        marketplace.add_order(**{**ready, field_: TELLS_ALL})
    broken = marketplace.ready_ids()[0]
    marketplace.break_detail(broken, TELLS_ALL.encode())
    assert await days.run() == ExitCode.FAILED
    marketplace.remove_order(broken)


async def mail_server_repeats_the_login(days: Days) -> None:
    """Wherever it refuses, it repeats who we are."""
    smtp = days.world.smtp
    minute = 5
    for step, code in (
        *((Step.AUTH, code) for code in (535, 454, 504, 421)),
        *((Step.MAIL, code) for code in (451, 530)),
        *((Step.RCPT, code) for code in (451, 550)),
        *((Step.DATA, code) for code in (451,)),
        *((Step.DOT, code) for code in (250, 451, 554)),
    ):
        smtp.script(step, says(f"{code} {ECHO}"))
        assert await days.run(f"07:{minute:02}", force=True) != ExitCode.BUG
        smtp.behave()
        minute += 4
    for minute, step in enumerate((Step.AUTH, Step.RCPT, Step.DOT)):
        smtp.script(step, says(ECHO))  # which is no SMTP
        assert await days.run(f"10:{minute:02}", force=True) != ExitCode.BUG
    smtp.behave()
    assert await days.run("11:30") != ExitCode.BUG


async def monitor_fails(days: Days) -> None:
    """It is gone, or answers with all it was asked."""
    reply = answer(PING_TOKEN.encode(), "500 No", [f"X: {PING_TOKEN}"])
    async with behaving(says_and_resets(reply)) as port:
        for there in (port, 1):
            url = f"http://127.0.0.1:{there}/{PING_TOKEN}"
            days.world.configure((days.world.monitor_url, url))
            assert await days.run() != ExitCode.BUG
            await days.next_day()
    days.world.configure()


async def configuration_is_broken(days: Days) -> None:
    """Somebody saves it half-way, or writes a secret where it does not belong."""
    world = days.world
    world.configure()
    whole = world.config.read_text(encoding="utf-8")
    for text in (
        whole[: whole.index(PASSWORD) + 12],
        whole.replace(f'"{PASSWORD}"', PASSWORD),
        whole.replace(f'"{PASSWORD}"', f'["{PASSWORD}"]'),
        whole.replace(f'"{CLIENT_ID}"', f'{{ value = "{CLIENT_ID}" }}'),
        whole.replace("password =", "pasword ="),
        whole.replace("http://", f"https://me:{STORE_PASSWORD}@", 1),
        f"{whole}\n[store]\nurl = 'postgresql://me:{STORE_PASSWORD}@[::1/n'\n",
        whole.replace('tls = "none"', f'tls = "{PASSWORD}"'),
    ):
        world.config.write_text(text, encoding="utf-8")
        assert await days.run("16:00") != ExitCode.BUG
    await days.call("check\nrun\nstatus\ndoctor\nexplain\n")
    world.configure()


async def it_is_cancelled(days: Days) -> None:
    """It ends in the middle, as by Ctrl-C twice."""
    for turns in (50, 150, 300):
        ending = asyncio.ensure_future(days.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        ending.cancel()
        await asyncio.wait([ending])
        days.look()
        await days.next_day()


@dataclass(slots=True)
class Buggy:
    """A source with a bug: it looks for what is not in an answer, with all of it in its hands."""

    base_url: str
    server_time: datetime | None = None

    async def ask_time(self) -> datetime | None:
        return None

    async def read(self, known: Collection[int]) -> Reading:
        async with httpx.AsyncClient() as client:
            query = {"client_id": CLIENT_ID, "filter": "basic", "page_size": "100"}
            rows = (await client.get(f"{self.base_url}/v1/orders", params=query)).json()["data"]
        assert any(row["customer"] == BUYER.name for row in rows)
        return min(rows, key=lambda row: row["customer_name"])  # type: ignore[no-any-return] # the bug


async def there_is_a_bug(days: Days) -> None:
    """One account's run ends in a traceback."""
    days.world.now = datetime.fromisoformat(f"{days.today}T06:05").replace(tzinfo=ZONE)
    moment = days.world.now.astimezone(UTC)
    settings = Invocation(days.world.config, environ={}).settings()
    async with open_context(settings, lambda: moment, read_only=False) as context:
        buggy = replace(context, source=lambda _: Buggy(days.world.base_url))
        done = (await tick(buggy, RunRequest())).exit_code
    assert done == ExitCode.BUG
    assert "Traceback" in days.seen.story.getvalue()
    assert "traceback" in days.seen.json_lines.getvalue()
    days.look()


TROUBLES: tuple[Callable[[Days], Awaitable[None]], ...] = (
    marketplace_tells_all,
    rows_are_odd,
    mail_server_repeats_the_login,
    monitor_fails,
    configuration_is_broken,
    it_is_cancelled,
    there_is_a_bug,
)


@pytest.fixture
async def days(tmp_path: Path) -> AsyncIterator[Days]:
    async with open_world(tmp_path) as world:
        with witness() as seen:
            yield Days(world, seen)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
async def test_trouble_brings_neither_a_secret_nor_a_buyer_to_light(
    days: Days, trouble: Callable[[Days], Awaitable[None]]
) -> None:
    assert await days.run() == ExitCode.DONE
    await days.next_day()

    await trouble(days)
    await days.next_day()
    assert await days.run() != ExitCode.BUG
    for told in (days.seen.story, days.seen.json_lines):
        assert f"Mimovrste, {days.today}: " in told.getvalue()


async def test_no_command_shows_a_secret_or_a_buyer(days: Days) -> None:
    days.world.smtp.script(Step.RCPT, says(f"550 {ECHO}"), only="jana")
    days.world.smtp.script(Step.DOT, drops)
    await days.run()
    await days.next_day()
    await days.die_at_the_dot()
    await days.call(COMMANDS)
    await days.next_day()
    await days.call(THAT_LOG, INVOCATION_ID="1")

    unreachable = f"postgresql+psycopg://me:{STORE_PASSWORD}@127.0.0.1:1/n"
    days.world.configure(more=f'[store]\nurl = "{unreachable}"\n')
    await days.call(THAT_LOG)


def holders(folder: Path, words: Iterable[bytes]) -> set[str]:
    """Names of the files that hold one of these."""
    wanted = tuple(words)
    return {
        file.name
        for file in files_below(folder)
        if any(word in file.read_bytes() for word in wanted)
    }


def lines_of(contents: Iterable[bytes]) -> set[bytes]:
    """Long lines of mails: short ones may be in anything."""
    return {line for content in contents for line in content.split(b"\r\n") if len(line) > 50}


async def test_what_was_sent_is_erased_in_time_and_from_the_copies_after_theirs(
    days: Days,
) -> None:
    world, folder = days.world, days.world.folder
    sold = world.marketplace.add_order(status="shipped", ready_to_return=True, **SOLD)
    await days.live(2)
    old = [one.content for one in world.smtp.accepted]
    assert "notifier.db" in holders(folder, lines_of(old))
    assert all("notifier.db" in holders(folder, [word]) for word in WORDS_OF_IT)
    world.marketplace.set_status(sold, "returned")
    await days.live(1)  # which tells of it for the last time

    await days.live(RETENTION_DAYS + 1)
    young = b"".join(one.content for one in world.smtp.accepted[len(old) :])
    gone = {*WORDS_OF_IT, *(line for line in lines_of(old) if line not in young)}
    assert len(gone) > 50
    kept = holders(folder, gone)
    assert kept
    assert [name for name in kept if ".backup-" not in name] == []

    await days.live(BACKUPS_DAYS - 1)
    assert holders(folder, gone) == set()
