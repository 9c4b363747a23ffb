"""Messages go from the outbox to the mail server: a real store, a real socket, a movable clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notifier.domain.ledger import FrozenMessage, MessageState, OutboxMessage
from notifier.domain.settings import OnUnknown, Secret, SmtpServer, StoreLocation, Tls
from notifier.errors import MailRefused, MailUnavailable, StoreError
from notifier.services.deliver import MARGIN, DeliveryResult, deliver_waiting
from notifier.smtp.connection import MailConnection, Timeouts
from notifier.store import Store, open_store
from tests import factories
from tests.neighbours.smtp import (
    Action,
    Conversation,
    SmtpNeighbour,
    Step,
    accepts_and,
    drops,
    resets,
    says,
)

RECIPIENTS = ["office@example.com", "jana@example.com", "pavol@example.com"]
LEASE = MailConnection(SmtpServer("127.0.0.1", 25, Tls.NONE)).max_duration + MARGIN
GIVE_UP_AFTER = timedelta(hours=20)
A_MOMENT = timedelta(seconds=0.15)


@dataclass(slots=True)
class DeliveryScenario:
    """A store with frozen messages, a mail server, and a clock."""

    store: Store
    server: SmtpNeighbour
    now: datetime = factories.NOON

    async def deliver(
        self,
        *,
        after: timedelta = timedelta(0),
        settings: SmtpServer | None = None,
        on_unknown: OnUnknown = OnUnknown.RESEND,
    ) -> DeliveryResult:
        """Deliver what is due once, after moving the clock by `after`."""
        self.now += after
        timeouts = Timeouts(rset_and_quit=A_MOMENT)
        smtp = replace(settings or self.settings(), on_unknown=on_unknown)
        context = factories.context(
            self.store,
            at=lambda: self.now,
            settings=factories.settings(smtp=smtp),
            mail=lambda: MailConnection(smtp, timeouts=timeouts),
        )
        return await deliver_waiting(context, ["ljubljana"])

    def settings(self, *, port: int | None = None, password: str | None = None) -> SmtpServer:
        secret = Secret(password) if password else None
        port = port or self.server.port
        return SmtpServer("127.0.0.1", port, Tls.NONE, "digest", secret, None, A_MOMENT * 20)

    async def freeze(self, account_id: str = "ljubljana") -> None:
        """Put one message for each recipient into the outbox."""
        run = await self.store.runs.begin(
            account_id, factories.DAY, at=self.now, lease=timedelta(minutes=5), holder="tests:1"
        )
        assert run is not None
        give_up_at = self.now + GIVE_UP_AFTER
        digest = factories.digest(factories.order())
        messages = [message(recipient, account_id) for recipient in RECIPIENTS]
        await self.store.runs.freeze(run, digest, messages, at=self.now, give_up_at=give_up_at)

    @property
    def receivers(self) -> list[str]:
        return [accepted.recipient for accepted in self.server.accepted]

    async def outbox(self) -> dict[str, OutboxMessage]:
        """Return the account's messages by recipient."""
        messages = await self.store.outbox.list(account_id="ljubljana")
        return {message.recipient: message for message in messages}

    async def states(self) -> list[str]:
        outbox = await self.outbox()
        return [str(outbox[recipient].state) for recipient in RECIPIENTS]

    async def attempts(self, recipient: str) -> list[tuple[str, str | None]]:
        """Return outcome and phase of every delivery attempt."""
        number = (await self.outbox())[recipient].id
        return [
            (str(attempt.outcome), attempt.phase)
            for attempt in await self.store.outbox.attempts(number)
        ]


def message(recipient: str, account_id: str = "ljubljana") -> FrozenMessage:
    """Return a frozen message with content of its own."""
    message_id = f"<{account_id}.{recipient.partition('@')[0]}@example.com>"
    content = f"Message-ID: {message_id}\r\nTo: {recipient}\r\n\r\n.one\r\n..two\r\n".encode()
    return FrozenMessage(message_id, recipient, "parcels@example.com", "en", "12 parcels", content)


@asynccontextmanager
async def open_scenario(folder: Path) -> AsyncIterator[DeliveryScenario]:
    location = StoreLocation(f"sqlite:///{folder / 'notifier.db'}")
    async with open_store(location) as store, SmtpNeighbour() as server:
        yield DeliveryScenario(store, server)


@pytest.fixture
async def scenario(tmp_path: Path) -> AsyncIterator[DeliveryScenario]:
    """Yield a scenario with three messages that wait for delivery."""
    async with open_scenario(tmp_path) as scenario:
        await scenario.freeze()
        yield scenario


async def test_every_recipient_gets_the_frozen_bytes_once_over_one_connection(
    scenario: DeliveryScenario,
) -> None:
    await scenario.deliver()
    await scenario.deliver(after=timedelta(hours=1))

    assert [(accepted.recipient, accepted.content) for accepted in scenario.server.accepted] == [
        (recipient, message(recipient).content) for recipient in RECIPIENTS
    ]
    assert await scenario.states() == ["sent"] * 3
    assert scenario.server.connections == 1


async def test_the_reply_to_the_dot_is_kept_as_the_receipt(scenario: DeliveryScenario) -> None:
    scenario.server.script(Step.DOT, says("250 2.0.0 queued as 4Xk9"), always=True)

    await scenario.deliver()

    assert {message.receipt for message in (await scenario.outbox()).values()} == {
        "250 2.0.0 queued as 4Xk9"
    }


async def test_a_deferred_recipient_gets_the_message_later_and_no_recipient_gets_it_twice(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.script(Step.RCPT, says("451 4.7.1 come back"), only="jana@")

    await scenario.deliver()
    assert await scenario.states() == ["sent", "deferred", "sent"]
    await scenario.deliver(after=timedelta(minutes=4))
    assert scenario.receivers == ["office@example.com", "pavol@example.com"]
    await scenario.deliver(after=timedelta(minutes=1))

    assert sorted(scenario.receivers) == sorted(RECIPIENTS)
    assert await scenario.states() == ["sent"] * 3
    assert await scenario.attempts("jana@example.com") == [
        ("deferred", "rcpt"),
        ("accepted", "dot"),
    ]


async def test_greylisted_messages_are_retried_with_growing_pauses(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.greylist(times=6)
    pauses = []

    for _ in range(6):
        delivered = (await scenario.deliver()).delivered
        (next_try,) = {delivery.next_try_at for delivery in delivered}
        assert next_try is not None
        pauses.append((next_try - scenario.now).seconds // 60)
        scenario.now = next_try
    await scenario.deliver()

    assert pauses == [5, 10, 20, 40, 60, 60]
    assert sorted(scenario.receivers) == sorted(RECIPIENTS)


async def test_a_permanently_refused_recipient_is_not_retried_and_does_not_stop_the_others(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.script(Step.RCPT, says("550 5.1.1 nobody here"), only="jana@")

    await scenario.deliver()
    scenario.server.behave()
    await scenario.deliver(after=timedelta(hours=2))

    assert await scenario.states() == ["sent", "failed", "sent"]
    assert await scenario.attempts("jana@example.com") == [("rejected", "rcpt")]
    assert (await scenario.outbox())["jana@example.com"].receipt == "550 5.1.1 nobody here"
    assert "jana@example.com" not in scenario.receivers


async def test_an_unreachable_server_loses_no_message(scenario: DeliveryScenario) -> None:
    error = (await scenario.deliver(settings=scenario.settings(port=1))).error
    assert isinstance(error, MailUnavailable)
    assert "Connection refused" in str(error)
    assert await scenario.store.outbox.pending() == 3
    assert await scenario.attempts(RECIPIENTS[0]) == [("deferred", "connect")]
    assert await scenario.attempts(RECIPIENTS[1]) == []

    await scenario.deliver()

    assert sorted(scenario.receivers) == sorted(RECIPIENTS)
    assert await scenario.states() == ["sent"] * 3


async def test_a_server_that_goes_down_half_way_leaves_the_rest_for_a_later_pass(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.script(Step.DOT, says("250 kept"), accepts_and(drops))
    scenario.server.script(Step.GREETING, says("220 here"), says("421 going down"))

    error = (await scenario.deliver()).error
    assert isinstance(error, MailUnavailable)
    assert "421 going down" in str(error)
    assert await scenario.states() == ["sent", "unknown", "deferred"]
    await scenario.deliver()
    assert scenario.receivers == RECIPIENTS

    await scenario.deliver(after=timedelta(minutes=5))
    assert await scenario.states() == ["sent"] * 3
    assert scenario.receivers == [*RECIPIENTS, "jana@example.com"]


async def test_deliveries_before_the_server_went_down_are_reported_with_the_error(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.script(Step.RCPT, says("550 5.1.1 nobody here"))
    scenario.server.script(Step.DOT, accepts_and(drops))
    scenario.server.script(Step.GREETING, says("220 here"), says("421 going down"))

    result = await scenario.deliver()

    assert [str(delivery.state) for delivery in result.delivered] == ["failed", "unknown"]
    assert isinstance(result.error, MailUnavailable)


async def test_a_server_outage_does_not_lengthen_the_pauses_of_greylisting(
    scenario: DeliveryScenario,
) -> None:
    for _ in range(6):
        await scenario.deliver(settings=scenario.settings(port=1))
    scenario.server.script(Step.RCPT, says("451 4.7.1 come back"), always=True)

    first, *_ = (await scenario.deliver()).delivered

    assert first.next_try_at == scenario.now + timedelta(minutes=5)


async def test_a_refused_login_fails_no_message(scenario: DeliveryScenario) -> None:
    scenario.server.require_login("digest", "right")

    assert isinstance(
        (await scenario.deliver(settings=scenario.settings(password="wrong"))).error, MailRefused
    )
    assert await scenario.states() == ["deferred", "queued", "queued"]

    await scenario.deliver(settings=scenario.settings(password="right"))

    assert await scenario.states() == ["sent"] * 3


async def test_a_server_that_begins_to_require_a_login_fails_no_message(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.script(Step.MAIL, says("530 5.7.0 log in first"))

    assert isinstance((await scenario.deliver()).error, MailRefused)
    assert await scenario.states() == ["deferred", "queued", "queued"]
    assert await scenario.attempts(RECIPIENTS[0]) == [("deferred", "mail")]
    await scenario.deliver()

    assert await scenario.states() == ["sent"] * 3


@pytest.mark.parametrize("disconnect", [drops, resets])
async def test_an_unknown_outcome_is_resent_byte_for_byte(
    scenario: DeliveryScenario, disconnect: Action
) -> None:
    scenario.server.script(Step.DOT, accepts_and(disconnect))

    await scenario.deliver()
    assert await scenario.states() == ["unknown", "sent", "sent"]
    await scenario.deliver(after=timedelta(minutes=5))

    assert await scenario.states() == ["sent"] * 3
    assert await scenario.attempts(RECIPIENTS[0]) == [("unknown", "dot"), ("accepted", "dot")]
    first, *_, second = scenario.server.accepted
    assert first == second


async def test_an_unknown_outcome_is_held_with_on_unknown_hold(scenario: DeliveryScenario) -> None:
    scenario.server.script(Step.DOT, accepts_and(resets))

    await scenario.deliver(on_unknown=OnUnknown.HOLD)
    await scenario.deliver(on_unknown=OnUnknown.HOLD, after=timedelta(days=2))

    assert await scenario.states() == ["held", "sent", "sent"]
    assert sorted(scenario.receivers) == sorted(RECIPIENTS)


async def test_an_earlier_unknown_outcome_is_held_after_a_change_to_hold(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.script(Step.DOT, accepts_and(drops))
    await scenario.deliver()

    await scenario.deliver(on_unknown=OnUnknown.HOLD, after=timedelta(hours=1))

    assert await scenario.states() == ["held", "sent", "sent"]
    assert sorted(scenario.receivers) == sorted(RECIPIENTS)


async def test_a_message_that_was_not_accepted_before_a_disconnect_is_delivered_later(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.script(Step.DOT, drops)

    await scenario.deliver()
    await scenario.deliver(after=timedelta(minutes=5))

    assert sorted(scenario.receivers) == sorted(RECIPIENTS)


async def test_a_process_that_dies_after_the_dot_leaves_a_message_that_is_resent_after_its_lease(
    scenario: DeliveryScenario,
) -> None:
    reached = asyncio.Event()
    scenario.server.script(Step.DOT, accepts_and(_signals(reached)))
    delivery = asyncio.create_task(scenario.deliver())
    await reached.wait()
    delivery.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivery
    assert await scenario.states() == ["dot", "queued", "queued"]

    await scenario.deliver()
    assert await scenario.states() == ["dot", "sent", "sent"]
    await scenario.deliver(after=LEASE)

    assert await scenario.states() == ["sent"] * 3
    first, *_, second = scenario.server.accepted
    assert first == second


async def test_a_message_whose_lease_has_expired_is_not_completed(
    scenario: DeliveryScenario,
) -> None:
    async def reply_late(conversation: Conversation) -> int:
        scenario.now += LEASE
        return await says("354 at last")(conversation)

    scenario.server.script(Step.DATA, reply_late)

    with pytest.raises(StoreError, match="taken over"):
        await scenario.deliver()

    assert scenario.server.accepted == []
    await scenario.deliver()
    assert sorted(scenario.receivers) == sorted(RECIPIENTS)


async def test_a_message_not_accepted_in_time_is_given_up(scenario: DeliveryScenario) -> None:
    scenario.server.script(Step.RCPT, says("450 4.2.2 full"), only="jana@", always=True)
    await scenario.deliver()

    scenario.server.behave()
    await scenario.deliver(after=GIVE_UP_AFTER)

    assert await scenario.states() == ["sent", "failed", "sent"]
    assert "jana@example.com" not in scenario.receivers


async def test_messages_of_other_accounts_are_not_delivered(scenario: DeliveryScenario) -> None:
    await scenario.freeze("praha")

    await scenario.deliver()

    assert scenario.receivers == RECIPIENTS
    assert await scenario.store.outbox.pending(["praha"]) == 3


async def test_the_result_reports_state_reply_and_next_try_of_each_message(
    scenario: DeliveryScenario,
) -> None:
    scenario.server.script(Step.RCPT, says("451 4.7.1 later"), says("550 5.1.1 never"))

    delivered = (await scenario.deliver()).delivered

    assert [
        (delivery.message.recipient, delivery.state, delivery.reply) for delivery in delivered
    ] == [
        (RECIPIENTS[0], MessageState.DEFERRED, "451 4.7.1 later"),
        (RECIPIENTS[1], MessageState.FAILED, "550 5.1.1 never"),
        (RECIPIENTS[2], MessageState.SENT, "250 2.0.0 kept"),
    ]
    assert [delivery.next_try_at for delivery in delivered] == [
        scenario.now + timedelta(minutes=5),
        None,
        None,
    ]


def _signals(reached: asyncio.Event) -> Action:
    """Set an event, then never reply."""

    async def action(_conversation: object) -> int:
        reached.set()
        await asyncio.Event().wait()
        return 0

    return action
