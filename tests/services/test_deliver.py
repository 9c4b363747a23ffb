"""From the outbox to the mail server: a real store, a real socket, and a clock that is moved."""

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

EVERYBODY = ["office@example.com", "jana@example.com", "pavol@example.com"]
LEASE = MailConnection(SmtpServer("127.0.0.1", 25, Tls.NONE)).max_duration + MARGIN
GIVE_UP_AFTER = timedelta(hours=20)
A_MOMENT = timedelta(seconds=0.15)


@dataclass(slots=True)
class Post:
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
        """One pass, that much later."""
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
        """Put one message to everybody into the outbox."""
        run = await self.store.runs.begin(
            account_id, factories.DAY, at=self.now, lease=timedelta(minutes=5), holder="tests:1"
        )
        assert run is not None
        give_up_at = self.now + GIVE_UP_AFTER
        digest = factories.digest(factories.order())
        messages = [message(recipient, account_id) for recipient in EVERYBODY]
        await self.store.runs.freeze(run, digest, messages, at=self.now, give_up_at=give_up_at)

    @property
    def receivers(self) -> list[str]:
        return [accepted.recipient for accepted in self.server.accepted]

    async def outbox(self) -> dict[str, OutboxMessage]:
        """The messages of the account, by recipient."""
        found = await self.store.outbox.list(account_id="ljubljana")
        return {message.recipient: message for message in found}

    async def states(self) -> list[str]:
        outbox = await self.outbox()
        return [str(outbox[recipient].state) for recipient in EVERYBODY]

    async def story(self, recipient: str) -> list[tuple[str, str | None]]:
        """Outcome and phase of every attempt."""
        number = (await self.outbox())[recipient].id
        return [(str(a.outcome), a.phase) for a in await self.store.outbox.attempts(number)]


def message(recipient: str, account_id: str = "ljubljana") -> FrozenMessage:
    """A frozen message that no other is like."""
    message_id = f"<{account_id}.{recipient.partition('@')[0]}@example.com>"
    content = f"Message-ID: {message_id}\r\nTo: {recipient}\r\n\r\n.one\r\n..two\r\n".encode()
    return FrozenMessage(message_id, recipient, "parcels@example.com", "en", "12 parcels", content)


@asynccontextmanager
async def open_post(folder: Path) -> AsyncIterator[Post]:
    location = StoreLocation(f"sqlite:///{folder / 'notifier.db'}")
    async with open_store(location) as store, SmtpNeighbour() as server:
        yield Post(store, server)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """Three messages wait to be delivered."""
    async with open_post(tmp_path) as post:
        await post.freeze()
        yield post


async def test_everybody_gets_the_frozen_bytes_once_over_one_connection(post: Post) -> None:
    await post.deliver()
    await post.deliver(after=timedelta(hours=1))

    assert [(accepted.recipient, accepted.content) for accepted in post.server.accepted] == [
        (recipient, message(recipient).content) for recipient in EVERYBODY
    ]
    assert await post.states() == ["sent"] * 3
    assert post.server.connections == 1


async def test_the_answer_to_the_dot_is_kept_as_the_receipt(post: Post) -> None:
    post.server.script(Step.DOT, says("250 2.0.0 queued as 4Xk9"), always=True)

    await post.deliver()

    assert {one.receipt for one in (await post.outbox()).values()} == {"250 2.0.0 queued as 4Xk9"}


async def test_one_of_three_who_is_put_off_gets_it_later_and_nobody_gets_it_twice(
    post: Post,
) -> None:
    post.server.script(Step.RCPT, says("451 4.7.1 come back"), only="jana@")

    await post.deliver()
    assert await post.states() == ["sent", "deferred", "sent"]
    await post.deliver(after=timedelta(minutes=4))
    assert post.receivers == ["office@example.com", "pavol@example.com"]
    await post.deliver(after=timedelta(minutes=1))

    assert sorted(post.receivers) == sorted(EVERYBODY)
    assert await post.states() == ["sent"] * 3
    assert await post.story("jana@example.com") == [("deferred", "rcpt"), ("accepted", "dot")]


async def test_a_greylist_is_waited_for_with_growing_pauses(post: Post) -> None:
    post.server.greylist(times=6)
    pauses = []

    for _ in range(6):
        delivered = (await post.deliver()).delivered
        (next_try,) = {one.next_try_at for one in delivered}
        assert next_try is not None
        pauses.append((next_try - post.now).seconds // 60)
        post.now = next_try
    await post.deliver()

    assert pauses == [5, 10, 20, 40, 60, 60]
    assert sorted(post.receivers) == sorted(EVERYBODY)


async def test_who_is_refused_for_good_is_never_tried_again_and_stops_nobody(post: Post) -> None:
    post.server.script(Step.RCPT, says("550 5.1.1 nobody here"), only="jana@")

    await post.deliver()
    post.server.behave()
    await post.deliver(after=timedelta(hours=2))

    assert await post.states() == ["sent", "failed", "sent"]
    assert await post.story("jana@example.com") == [("rejected", "rcpt")]
    assert (await post.outbox())["jana@example.com"].receipt == "550 5.1.1 nobody here"
    assert "jana@example.com" not in post.receivers


async def test_a_server_that_is_down_loses_nothing(post: Post) -> None:
    error = (await post.deliver(settings=post.settings(port=1))).error
    assert isinstance(error, MailUnavailable)
    assert "Connection refused" in str(error)
    assert await post.store.outbox.pending() == 3
    assert await post.story(EVERYBODY[0]) == [("deferred", "connect")]
    assert await post.story(EVERYBODY[1]) == []

    await post.deliver()

    assert sorted(post.receivers) == sorted(EVERYBODY)
    assert await post.states() == ["sent"] * 3


async def test_a_server_that_goes_down_half_way_leaves_the_rest_for_later(post: Post) -> None:
    post.server.script(Step.DOT, says("250 kept"), accepts_and(drops))
    post.server.script(Step.GREETING, says("220 here"), says("421 going down"))

    error = (await post.deliver()).error
    assert isinstance(error, MailUnavailable)
    assert "421 going down" in str(error)
    assert await post.states() == ["sent", "unknown", "deferred"]
    await post.deliver()
    assert post.receivers == EVERYBODY

    await post.deliver(after=timedelta(minutes=5))
    assert await post.states() == ["sent"] * 3
    assert post.receivers == [*EVERYBODY, "jana@example.com"]


async def test_what_happened_before_the_server_went_down_is_told_with_it(post: Post) -> None:
    post.server.script(Step.RCPT, says("550 5.1.1 nobody here"))
    post.server.script(Step.DOT, accepts_and(drops))
    post.server.script(Step.GREETING, says("220 here"), says("421 going down"))

    done = await post.deliver()

    assert [str(one.state) for one in done.delivered] == ["failed", "unknown"]
    assert isinstance(done.error, MailUnavailable)


async def test_a_server_that_was_down_does_not_lengthen_the_pauses_of_a_greylist(
    post: Post,
) -> None:
    for _ in range(6):
        await post.deliver(settings=post.settings(port=1))
    post.server.script(Step.RCPT, says("451 4.7.1 come back"), always=True)

    first, *_ = (await post.deliver()).delivered

    assert first.next_try_at == post.now + timedelta(minutes=5)


async def test_a_refused_login_is_nobodys_failure(post: Post) -> None:
    post.server.require_login("digest", "right")

    assert isinstance(
        (await post.deliver(settings=post.settings(password="wrong"))).error, MailRefused
    )
    assert await post.states() == ["deferred", "queued", "queued"]

    await post.deliver(settings=post.settings(password="right"))

    assert await post.states() == ["sent"] * 3


async def test_a_server_that_suddenly_wants_a_login_is_nobodys_failure(post: Post) -> None:
    post.server.script(Step.MAIL, says("530 5.7.0 log in first"))

    assert isinstance((await post.deliver()).error, MailRefused)
    assert await post.states() == ["deferred", "queued", "queued"]
    assert await post.story(EVERYBODY[0]) == [("deferred", "mail")]
    await post.deliver()

    assert await post.states() == ["sent"] * 3


@pytest.mark.parametrize("silence", [drops, resets])
async def test_an_unknown_outcome_is_resent_byte_for_byte(post: Post, silence: Action) -> None:
    post.server.script(Step.DOT, accepts_and(silence))

    await post.deliver()
    assert await post.states() == ["unknown", "sent", "sent"]
    await post.deliver(after=timedelta(minutes=5))

    assert await post.states() == ["sent"] * 3
    assert await post.story(EVERYBODY[0]) == [("unknown", "dot"), ("accepted", "dot")]
    first, *_, second = post.server.accepted
    assert first == second


async def test_an_unknown_outcome_is_held_where_nothing_may_arrive_twice(post: Post) -> None:
    post.server.script(Step.DOT, accepts_and(resets))

    await post.deliver(on_unknown=OnUnknown.HOLD)
    await post.deliver(on_unknown=OnUnknown.HOLD, after=timedelta(days=2))

    assert await post.states() == ["held", "sent", "sent"]
    assert sorted(post.receivers) == sorted(EVERYBODY)


async def test_what_was_unknown_is_held_once_that_is_wished(post: Post) -> None:
    post.server.script(Step.DOT, accepts_and(drops))
    await post.deliver()

    await post.deliver(on_unknown=OnUnknown.HOLD, after=timedelta(hours=1))

    assert await post.states() == ["held", "sent", "sent"]
    assert sorted(post.receivers) == sorted(EVERYBODY)


async def test_what_was_rejected_after_a_lost_answer_arrives_all_the_same(post: Post) -> None:
    post.server.script(Step.DOT, drops)

    await post.deliver()
    await post.deliver(after=timedelta(minutes=5))

    assert sorted(post.receivers) == sorted(EVERYBODY)


async def test_a_process_that_dies_after_the_mark_leaves_a_message_that_is_resent(
    post: Post,
) -> None:
    reached = asyncio.Event()
    post.server.script(Step.DOT, accepts_and(_tells(reached)))
    pass_ = asyncio.create_task(post.deliver())
    await reached.wait()
    pass_.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pass_
    assert await post.states() == ["dot", "queued", "queued"]

    await post.deliver()
    assert await post.states() == ["dot", "sent", "sent"]
    await post.deliver(after=LEASE)

    assert await post.states() == ["sent"] * 3
    first, *_, second = post.server.accepted
    assert first == second


async def test_a_message_whose_lease_ran_out_gets_no_dot(post: Post) -> None:
    async def takes_long(conversation: Conversation) -> int:
        post.now += LEASE
        return await says("354 at last")(conversation)

    post.server.script(Step.DATA, takes_long)

    with pytest.raises(StoreError, match="taken over"):
        await post.deliver()

    assert post.server.accepted == []
    await post.deliver()
    assert sorted(post.receivers) == sorted(EVERYBODY)


async def test_what_is_not_accepted_in_time_is_given_up(post: Post) -> None:
    post.server.script(Step.RCPT, says("450 4.2.2 full"), only="jana@", always=True)
    await post.deliver()

    post.server.behave()
    await post.deliver(after=GIVE_UP_AFTER)

    assert await post.states() == ["sent", "failed", "sent"]
    assert "jana@example.com" not in post.receivers


async def test_messages_of_other_accounts_are_left_alone(post: Post) -> None:
    await post.freeze("praha")

    await post.deliver()

    assert post.receivers == EVERYBODY
    assert await post.store.outbox.pending(["praha"]) == 3


async def test_what_became_of_each_message_is_told(post: Post) -> None:
    post.server.script(Step.RCPT, says("451 4.7.1 later"), says("550 5.1.1 never"))

    delivered = (await post.deliver()).delivered

    assert [(one.message.recipient, one.state, one.reply) for one in delivered] == [
        (EVERYBODY[0], MessageState.DEFERRED, "451 4.7.1 later"),
        (EVERYBODY[1], MessageState.FAILED, "550 5.1.1 never"),
        (EVERYBODY[2], MessageState.SENT, "250 2.0.0 kept"),
    ]
    assert [one.next_try_at for one in delivered] == [post.now + timedelta(minutes=5), None, None]


def _tells(reached: asyncio.Event) -> Action:
    """Sets an event, and never answers."""

    async def action(_conversation: object) -> int:
        reached.set()
        await asyncio.Event().wait()
        return 0

    return action
