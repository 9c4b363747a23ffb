"""One tick over several accounts: what happens to one is not the others' misfortune."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notifier.errors import ExitCode
from notifier.mail.smtp import MailConnection
from notifier.parts import Account, SmtpServer, StoreLocation, Tls
from notifier.reading import Complete
from notifier.render import Renderer
from notifier.run import Wish, Workshop
from notifier.stopping import Stop
from notifier.store import open_store
from notifier.tick import Neighbours, Tick, tick
from tests import factories
from tests.neighbours.smtp import SmtpNeighbour

OURS, BUGGY = "ljubljana", "celje"


class Shelf:
    """A marketplace with one order that waits, unless reading it runs into a bug."""

    server_time: datetime | None = None

    def __init__(self, account: Account) -> None:
        self._account = account

    async def ask_time(self) -> datetime:
        return factories.NOON

    async def read(self, known: Collection[int]) -> Complete:
        if self._account.id == BUGGY:
            raise ZeroDivisionError("a bug")
        return Complete(factories.NOON, (factories.order(),), candidates=1)


async def ticked(folder: Path, server: SmtpNeighbour, *ids: str) -> Tick:
    accounts = [replace(factories.account(), id=id_, name=id_) for id_ in ids]
    smtp = SmtpServer("127.0.0.1", server.port, Tls.NONE)
    location = StoreLocation(f"sqlite:///{folder / 'notifier.db'}")
    async with open_store(location) as store:
        shop = Workshop(
            store, Renderer(None), factories.sender(), lambda: factories.NOON, "a test", Stop()
        )
        neighbours = Neighbours(Shelf, lambda: MailConnection(smtp))
        return await tick(accounts, shop, neighbours, wish=Wish(), retention=timedelta(days=7))


async def test_a_bug_in_one_account_ends_in_its_exit_code_and_the_other_has_its_digest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with SmtpNeighbour() as server:
        done = await ticked(tmp_path, server, BUGGY, OURS)

    assert [one.code for one in done.accounts] == [ExitCode.BUG, ExitCode.DONE]
    assert done.exit_code is ExitCode.BUG
    assert "celje: a bug, please report it" in caplog.text
    assert "ZeroDivisionError: a bug" in caplog.text
    recipients = [one.recipient for one in server.accepted]
    assert sorted(set(recipients) - {"admin@example.com"}) == [
        "jana@example.com",
        "office@example.com",
    ]


async def test_without_a_bug_all_is_done(tmp_path: Path) -> None:
    async with SmtpNeighbour() as server:
        done = await ticked(tmp_path, server, OURS)

    assert done.exit_code is ExitCode.DONE
