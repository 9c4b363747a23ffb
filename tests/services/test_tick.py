"""In a tick over several accounts, an error in one account does not affect the others."""

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

HEALTHY, BUGGY = "ljubljana", "celje"


class OneOrderSource:
    """A marketplace with one waiting order; reading raises an unexpected error for BUGGY."""

    server_time: datetime | None = None
    time_requests: ClassVar[list[str]] = []

    def __init__(self, account: Account) -> None:
        self._account = account

    async def ask_time(self) -> datetime:
        self.time_requests.append(self._account.id)
        return factories.NOON

    async def read(self, known: Collection[int]) -> Complete:
        if self._account.id == BUGGY:
            raise ZeroDivisionError("a bug")
        return Complete(factories.NOON, (factories.order(),), candidates=1)


async def tick_accounts(folder: Path, server: SmtpNeighbour, *ids: str) -> Tick:
    return await run_tick(folder, server, [account(id_) for id_ in ids])


def account(id_: str) -> Account:
    return replace(factories.account(), id=id_, name=id_)


async def run_tick(folder: Path, server: SmtpNeighbour, accounts: list[Account]) -> Tick:
    smtp = SmtpServer("127.0.0.1", server.port, Tls.NONE)
    location = StoreLocation(f"sqlite:///{folder / 'notifier.db'}")
    async with open_store(location) as store:
        context = factories.context(
            store, *accounts, source=OneOrderSource, mail=lambda: MailConnection(smtp)
        )
        return await tick(context, RunRequest())


async def test_a_bug_in_one_account_sets_the_exit_code_and_the_other_account_gets_its_digest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with SmtpNeighbour() as server:
        result = await tick_accounts(tmp_path, server, BUGGY, HEALTHY)

    assert [report.exit_code for report in result.reports] == [ExitCode.BUG, ExitCode.DONE]
    assert result.exit_code is ExitCode.BUG
    assert "celje: a bug, please report it" in caplog.text
    assert "ZeroDivisionError: a bug" in caplog.text
    recipients = [accepted.recipient for accepted in server.accepted]
    assert sorted(set(recipients) - {"admin@example.com"}) == [
        "jana@example.com",
        "office@example.com",
    ]


async def test_the_clock_is_checked_with_a_marketplace_rather_than_a_file(tmp_path: Path) -> None:
    file = FileAccess(tmp_path / "orders.csv", FileFormat.CSV, {"id": "Order"}, "UTC")
    async with open_store(StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")) as store:
        await store.meta.set_time(LAST_TICK, datetime(2026, 1, 1, tzinfo=UTC))
    OneOrderSource.time_requests.clear()
    async with SmtpNeighbour() as server:
        await run_tick(
            tmp_path, server, [replace(account("celje-file"), access=file), account(HEALTHY)]
        )

    assert OneOrderSource.time_requests == [HEALTHY]


async def test_a_tick_without_errors_exits_with_zero(tmp_path: Path) -> None:
    async with SmtpNeighbour() as server:
        result = await tick_accounts(tmp_path, server, HEALTHY)

    assert result.exit_code is ExitCode.DONE
