"""One tick over several accounts: what happens to one is not the others' misfortune."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from notifier.domain.reading import Complete
from notifier.domain.settings import Account, FileAccess, FileFormat, SmtpServer, StoreLocation, Tls
from notifier.errors import ExitCode
from notifier.services.clock_check import LAST_TICK
from notifier.services.due import RunRequest
from notifier.services.tick import Tick, tick
from notifier.smtp.connection import MailConnection
from notifier.store import open_store
from tests import factories
from tests.neighbours.smtp import SmtpNeighbour

OURS, BUGGY = "ljubljana", "celje"


class Shelf:
    """A marketplace with one order that waits, unless reading it runs into a bug."""

    server_time: datetime | None = None
    asked_for_time: ClassVar[list[str]] = []

    def __init__(self, account: Account) -> None:
        self._account = account

    async def ask_time(self) -> datetime:
        self.asked_for_time.append(self._account.id)
        return factories.NOON

    async def read(self, known: Collection[int]) -> Complete:
        if self._account.id == BUGGY:
            raise ZeroDivisionError("a bug")
        return Complete(factories.NOON, (factories.order(),), candidates=1)


async def ticked(folder: Path, server: SmtpNeighbour, *ids: str) -> Tick:
    return await tick_of(folder, server, [account(id_) for id_ in ids])


def account(id_: str) -> Account:
    return replace(factories.account(), id=id_, name=id_)


async def tick_of(folder: Path, server: SmtpNeighbour, accounts: list[Account]) -> Tick:
    smtp = SmtpServer("127.0.0.1", server.port, Tls.NONE)
    location = StoreLocation(f"sqlite:///{folder / 'notifier.db'}")
    async with open_store(location) as store:
        context = factories.context(
            store, *accounts, source=Shelf, mail=lambda: MailConnection(smtp)
        )
        return await tick(context, RunRequest())


async def test_a_bug_in_one_account_ends_in_its_exit_code_and_the_other_has_its_digest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with SmtpNeighbour() as server:
        done = await ticked(tmp_path, server, BUGGY, OURS)

    assert [one.exit_code for one in done.reports] == [ExitCode.BUG, ExitCode.DONE]
    assert done.exit_code is ExitCode.BUG
    assert "celje: a bug, please report it" in caplog.text
    assert "ZeroDivisionError: a bug" in caplog.text
    recipients = [one.recipient for one in server.accepted]
    assert sorted(set(recipients) - {"admin@example.com"}) == [
        "jana@example.com",
        "office@example.com",
    ]


async def test_a_marketplace_is_asked_for_the_time_before_a_file_is(tmp_path: Path) -> None:
    file = FileAccess(tmp_path / "orders.csv", FileFormat.CSV, {"id": "Order"}, "UTC")
    async with open_store(StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")) as store:
        await store.meta.set_time(LAST_TICK, datetime(2026, 1, 1, tzinfo=UTC))
    Shelf.asked_for_time.clear()
    async with SmtpNeighbour() as server:
        await tick_of(
            tmp_path, server, [replace(account("celje-file"), access=file), account(OURS)]
        )

    assert Shelf.asked_for_time == [OURS]


async def test_without_a_bug_all_is_done(tmp_path: Path) -> None:
    async with SmtpNeighbour() as server:
        done = await ticked(tmp_path, server, OURS)

    assert done.exit_code is ExitCode.DONE
