"""After SIGTERM no new work begins, and a message past its dot gets a short time for its reply."""

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

RECIPIENTS = ("office@example.com", "jana@example.com", "pavol@example.com")
A_MOMENT = timedelta(seconds=0.1)


@dataclass(slots=True)
class DeliveryScenario:
    """A store with three frozen messages, a mail server, and a stop request."""

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

    def stops_before(self, action: Action) -> Action:
        """Return an action that requests the stop, then does `action`."""

        async def stopping(conversation: Conversation) -> int:
            self.stop.request()
            return await action(conversation)

        return stopping


@pytest.fixture
async def scenario(tmp_path: Path) -> AsyncIterator[DeliveryScenario]:
    async with (
        open_store(StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")) as store,
        SmtpNeighbour() as server,
    ):
        await _fill(store)
        yield DeliveryScenario(store, server)


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
        for recipient in RECIPIENTS
    ]
    give_up_at = factories.NOON + timedelta(hours=20)
    await store.runs.freeze(
        run, factories.digest(), frozen, at=factories.NOON, give_up_at=give_up_at
    )


BEFORE_THE_DOT = [
    pytest.param(step, id=step)
    for step in (Step.GREETING, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA)
]


@pytest.mark.parametrize("step", BEFORE_THE_DOT)
async def test_a_stop_before_the_dot_sends_nothing_and_leaves_the_message_due_at_once(
    scenario: DeliveryScenario, step: Step
) -> None:
    scenario.server.script(step, scenario.stops_before(hangs))

    with pytest.raises(Stopped):
        await scenario.deliver()

    assert scenario.server.accepted == []
    assert await scenario.states() == ["deferred", "queued", "queued"]
    assert (await scenario.first()).next_try_at == factories.NOON


async def test_the_next_process_delivers_to_every_recipient_once(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.script(Step.RCPT, scenario.stops_before(hangs))
    with pytest.raises(Stopped):
        await scenario.deliver()

    scenario.stop = Stop()
    scenario.server.behave()
    await scenario.deliver()

    assert sorted(accepted.recipient for accepted in scenario.server.accepted) == sorted(RECIPIENTS)
    assert await scenario.states() == ["sent"] * 3


async def test_a_stop_after_the_dot_waits_for_the_reply_and_begins_no_other_message(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.script(Step.DOT, scenario.stops_before(says("250 2.0.0 kept")))

    with pytest.raises(Stopped):
        await scenario.deliver()

    assert [accepted.recipient for accepted in scenario.server.accepted] == ["office@example.com"]
    assert await scenario.states() == ["sent", "queued", "queued"]


async def test_a_reply_that_does_not_arrive_in_time_leaves_the_outcome_unknown(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.script(Step.DOT, accepts_and(scenario.stops_before(hangs)))

    with pytest.raises(Stopped):
        await scenario.deliver()

    assert await scenario.states() == ["unknown", "queued", "queued"]
    (attempt,) = await scenario.store.outbox.attempts((await scenario.first()).id)
    assert (str(attempt.outcome), attempt.phase) == ("unknown", "dot")


async def test_a_stop_requested_before_delivery_begins_nothing(scenario: DeliveryScenario) -> None:
    scenario.stop.request()

    with pytest.raises(Stopped):
        await scenario.deliver()

    assert scenario.server.connections == 0
    assert await scenario.states() == ["queued"] * 3


async def test_a_stop_ends_a_block_without_grace_at_once_and_one_with_grace_later() -> None:
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


async def test_a_timeout_inside_the_block_is_not_reported_as_a_stop() -> None:
    with pytest.raises(TimeoutError):
        await _time_out(Stop())


async def test_a_cancelled_task_is_cancelled_even_when_a_stop_was_requested() -> None:
    stop = Stop()
    task = asyncio.create_task(_wait_in_block(stop, asyncio.Event()))
    await asyncio.sleep(0)

    stop.request()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def _time_out(stop: Stop) -> None:
    async with stop.limit(), asyncio.timeout(0):
        await asyncio.Event().wait()


async def _wait_in_block(stop: Stop, never: asyncio.Event) -> None:
    async with stop.limit():
        await never.wait()
