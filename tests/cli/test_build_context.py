"""What the configuration says of the neighbours is what the parts of a command go by."""

from __future__ import annotations

import asyncio
from asyncio import StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from notifier import config
from notifier.cli.build_context import open_context
from notifier.domain.reading import Complete
from notifier.services.context import Context
from tests.factories import NOON
from tests.loopback import answer, behaving
from tests.sources.mall.neighbour import Said, detail, page, row, said

CONFIG = """\
admin = "Admin <admin@example.com>"

[smtp]
host = "127.0.0.1"
tls = "none"
from = "Parcels <parcels@example.com>"
{smtp}

[marketplace]
{marketplace}

[accounts.ljubljana]
client_id = "demo-client-id"
recipients = ["office@example.com"]
"""
ORDERS = range(1, 61)
TURNS = 200
"""Of the loop: many more than a call takes to get here that is not held back."""


@asynccontextmanager
async def opened(folder: Path, *, smtp: str = "", marketplace: str = "") -> AsyncIterator[Context]:
    file = folder / "config.toml"
    text = CONFIG.format(smtp=smtp, marketplace=marketplace)
    settings = config.parse(text, file, environ={})
    async with open_context(settings, lambda: NOON, read_only=True) as context:
        yield context


class Crowd:
    """A marketplace that answers no detail before `expected` of them are under way at once."""

    def __init__(self, expected: int) -> None:
        self.asked: list[int] = []
        self.most = 0
        self._expected = expected
        self._under_way = 0
        self._enough = asyncio.Event()

    async def __call__(self, head: bytes, writer: StreamWriter) -> None:
        path = head.split()[1].decode().partition("?")[0]
        if path == "/v1/orders":
            writer.write(_whole(page([row(id_) for id_ in ORDERS])))
            return
        id_ = int(path.rpartition("/")[2])
        self.asked.append(id_)
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        if self.most >= self._expected:
            self._enough.set()
        await self._enough.wait()
        for _ in range(TURNS):  # for whoever else might come
            await asyncio.sleep(0)
        self._under_way -= 1
        writer.write(_whole(said(detail(id_))))


def _whole(spoken: Said) -> bytes:
    return answer(spoken[2], headers=["Content-Type: application/json"])


async def test_as_many_requests_are_under_way_at_once_as_is_configured(tmp_path: Path) -> None:
    expected = 21  # and not the 16 of the default
    crowd = Crowd(expected)
    async with behaving(crowd) as port:
        options = f'base_url = "http://127.0.0.1:{port}"\nconcurrency = {expected}'
        options += "\nrequest_timeout_seconds = 30"  # which a smaller crowd waits for in vain
        async with opened(tmp_path, marketplace=options) as context:
            (account,) = context.settings.accounts.values()
            reading = await context.source(account).read(())

    assert isinstance(reading, Complete)
    assert crowd.most == expected
    assert sorted(crowd.asked) == list(ORDERS)  # none of them was given up and asked for again


async def test_the_mail_server_gets_as_much_time_as_is_configured(tmp_path: Path) -> None:
    longest = []
    for seconds in (7, 8):
        async with opened(tmp_path, smtp=f"timeout_seconds = {seconds}") as context:
            longest.append(context.mail().max_duration)

    # Four answers to come in and four to hand a message over, before the dot.
    assert longest[1] - longest[0] == 8 * timedelta(seconds=1)
