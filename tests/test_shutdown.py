"""A stop of the process: nothing new begins, and a message past its dot gets its reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.domain.ledger import FrozenMessage, OutboxMessage
from notifier.domain.settings import SmtpServer, StoreLocation, Tls
from notifier.errors import Stopped
from notifier.services.deliver import deliver_waiting
from notifier.shutdown import Stop
from notifier.smtp.connection import MailConnection, Timeouts
from notifier.store import Store, open_store
from tests import factories
from tests.neighbours.smtp import (
    Action,
    Conversation,
    SmtpNeighbour,
    Step,
    accepts_and,
    hangs,
    says,
)

EVERYBODY = ("office@example.com", "jana@example.com", "pavol@example.com")
A_MOMENT = timedelta(seconds=0.1)


@dataclass(slots=True)
class Post:
    """A store with three frozen messages, a mail server, and a request to stop."""

    store: Store
    server: SmtpNeighbour
    stop: Stop = field(default_factory=Stop)

    async def deliver(self) -> None:
        server = SmtpServer("127.0.0.1", self.server.port, Tls.NONE)
        timeouts = Timeouts(rset_and_quit=A_MOMENT, dot_when_stopping=A_MOMENT)
        context = factories.context(
            self.store,
            mail=lambda: MailConnection(server, timeouts=timeouts, stop=self.stop),
            stop=self.stop,
        )
        await deliver_waiting(context, ["celje"])

    async def states(self) -> list[str]:
        messages = sorted(await self.store.outbox.list(), key=lambda message: message.id)
        return [str(message.state) for message in messages]

    async def first(self) -> OutboxMessage:
        return min(await self.store.outbox.list(), key=lambda message: message.id)

    def then_stops(self, action: Action) -> Action:
        """Request to stop before the server performs this action."""

        async def stopping(conversation: Conversation) -> int:
            self.stop.request()
            return await action(conversation)

        return stopping


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with (
        open_store(StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")) as store,
        SmtpNeighbour() as server,
    ):
        await _fill(store)
        yield Post(store, server)


async def _fill(store: Store) -> None:
    run = await store.runs.begin(
        "celje", factories.DAY, at=factories.NOON, lease=timedelta(minutes=20), holder="a test"
    )
    assert run is not None
    frozen = [
        FrozenMessage(
            message_id=f"<{recipient}>",
            recipient=recipient,
            envelope_from="parcels@example.com",
            language="en",
            subject="Parcels",
            content=b"Subject: Parcels\r\n\r\nOne waits.\r\n",
        )
        for recipient in EVERYBODY
    ]
    later = factories.NOON + timedelta(hours=20)
    await store.runs.freeze(run, factories.digest(), frozen, at=factories.NOON, give_up_at=later)


BEFORE_THE_DOT = [
    pytest.param(step, id=step)
    for step in (Step.GREETING, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA)
]


@pytest.mark.parametrize("step", BEFORE_THE_DOT)
async def test_before_the_dot_nothing_is_sent_and_the_message_is_due_at_once(
    post: Post, step: Step
) -> None:
    post.server.script(step, post.then_stops(hangs))

    with pytest.raises(Stopped):
        await post.deliver()

    assert post.server.accepted == []
    assert await post.states() == ["deferred", "queued", "queued"]
    assert (await post.first()).next_try_at == factories.NOON


async def test_the_next_process_delivers_to_everybody_once(post: Post) -> None:
    post.server.script(Step.RCPT, post.then_stops(hangs))
    with pytest.raises(Stopped):
        await post.deliver()

    post.stop = Stop()
    post.server.behave()
    await post.deliver()

    assert sorted(a.recipient for a in post.server.accepted) == sorted(EVERYBODY)
    assert await post.states() == ["sent"] * 3


async def test_after_the_dot_the_reply_is_awaited_and_nothing_new_begins(post: Post) -> None:
    post.server.script(Step.DOT, post.then_stops(says("250 2.0.0 kept")))

    with pytest.raises(Stopped):
        await post.deliver()

    assert [a.recipient for a in post.server.accepted] == ["office@example.com"]
    assert await post.states() == ["sent", "queued", "queued"]


async def test_a_reply_that_comes_too_late_leaves_the_delivery_unknown(post: Post) -> None:
    post.server.script(Step.DOT, accepts_and(post.then_stops(hangs)))

    with pytest.raises(Stopped):
        await post.deliver()

    assert await post.states() == ["unknown", "queued", "queued"]
    (attempt,) = await post.store.outbox.attempts((await post.first()).id)
    assert (str(attempt.outcome), attempt.phase) == ("unknown", "dot")


async def test_nothing_begins_after_the_request(post: Post) -> None:
    post.stop.request()

    with pytest.raises(Stopped):
        await post.deliver()

    assert post.server.visits == 0
    assert await post.states() == ["queued"] * 3


async def test_a_block_without_grace_ends_at_once_and_one_with_grace_a_little_later() -> None:
    stop = Stop()
    ended: list[str] = []

    async def work(name: str, grace: timedelta) -> None:
        try:
            async with stop.limit(grace):
                await asyncio.Event().wait()
        except Stopped:
            ended.append(name)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(work("patient", timedelta(seconds=0.05)))
        group.create_task(work("impatient", timedelta(0)))
        await asyncio.sleep(0)
        stop.request()
        stop.request()

    assert ended == ["impatient", "patient"]


async def test_a_timeout_inside_the_block_stays_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        await _times_out(Stop())


async def test_a_cancellation_from_outside_is_not_turned_into_stopped() -> None:
    stop = Stop()
    task = asyncio.create_task(_limited(stop, asyncio.Event()))
    await asyncio.sleep(0)

    stop.request()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def _times_out(stop: Stop) -> None:
    async with stop.limit(), asyncio.timeout(0):
        await asyncio.Event().wait()


async def _limited(stop: Stop, never: asyncio.Event) -> None:
    async with stop.limit():
        await never.wait()
