"""One connection carries several messages, and none of them disturbs another."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from notifier.domain.ledger import Outcome
from notifier.errors import MailUnavailable
from notifier.smtp.connection import SmtpStage
from tests.neighbours.smtp import Action, SmtpNeighbour, Step, drops, hangs, resets, says
from tests.smtp.sending import connect, send

EVERYBODY = ["office@example.com", "jana@example.com", "pavol@example.com"]


async def test_several_messages_travel_over_one_connection(server: SmtpNeighbour) -> None:
    async with connect(server.port) as mail:
        deliveries = [await send(mail, recipient) for recipient in EVERYBODY]

    assert [delivery.outcome for delivery in deliveries] == [Outcome.ACCEPTED] * 3
    assert [message.recipient for message in server.accepted] == EVERYBODY
    assert server.connections == 1
    assert server.commands[-1] == "QUIT"


async def test_no_connection_is_opened_without_a_message(
    server: SmtpNeighbour,
) -> None:
    async with connect(server.port):
        pass

    assert server.connections == 0


async def test_open_tries_the_server_and_sends_nothing(
    server: SmtpNeighbour,
) -> None:
    async with connect(server.port) as mail:
        await mail.open()
        await mail.open()

    assert server.commands == ["EHLO", "QUIT"]


async def test_one_refused_recipient_does_not_disturb_the_next(server: SmtpNeighbour) -> None:
    server.script(Step.RCPT, says("550 5.1.1 nobody here"), only="jana@")

    async with connect(server.port) as mail:
        outcomes = [(await send(mail, recipient)).outcome for recipient in EVERYBODY]

    assert outcomes == [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.ACCEPTED]
    assert [message.recipient for message in server.accepted] == [EVERYBODY[0], EVERYBODY[2]]
    assert server.connections == 1


@pytest.mark.parametrize("farewell", [drops, resets, hangs, says("421 too many messages")])
async def test_a_connection_lost_between_two_messages_is_replaced(
    server: SmtpNeighbour, farewell: Action
) -> None:
    server.script(Step.RSET, farewell)

    async with connect(server.port, impatient=True) as mail:
        outcomes = [(await send(mail, recipient)).outcome for recipient in EVERYBODY]

    assert outcomes == [Outcome.ACCEPTED] * 3
    assert server.connections == 2


@pytest.mark.parametrize(
    "farewell", [drops, resets, hangs, says("421 going down"), says("no SMTP"), says("500 what?")]
)
async def test_quit_never_changes_a_result(server: SmtpNeighbour, farewell: Action) -> None:
    server.script(Step.QUIT, farewell)

    async with connect(server.port, impatient=True) as mail:
        delivery = await send(mail)

    assert delivery.outcome is Outcome.ACCEPTED
    assert len(server.accepted) == 1


@pytest.mark.parametrize("step", [Step.EHLO, Step.MAIL, Step.BODY, Step.DOT, Step.RSET])
async def test_a_send_that_is_cancelled_leaves_nothing_behind_for_the_next(
    server: SmtpNeighbour, step: Step
) -> None:
    async with connect(server.port) as mail:
        if step is Step.RSET:
            await send(mail, EVERYBODY[0])
        reached = asyncio.Event()
        server.script(step, _signals(reached))
        sending = asyncio.create_task(send(mail, EVERYBODY[1]))
        await reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        following = await send(mail, EVERYBODY[2])

    assert following.outcome is Outcome.ACCEPTED
    assert server.accepted[-1].recipient == EVERYBODY[2]
    assert server.connections == 2


async def test_a_server_that_comes_back_is_used_again(server: SmtpNeighbour) -> None:
    server.script(Step.GREETING, says("421 4.3.2 not yet"))

    async with connect(server.port) as mail:
        with pytest.raises(MailUnavailable):
            await send(mail)
        delivery = await send(mail)

    assert delivery.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("step", "phase"),
    [(Step.GREETING, SmtpStage.CONNECT), (Step.RCPT, SmtpStage.RCPT), (None, SmtpStage.DOT)],
)
async def test_the_phase_is_the_last_one_that_was_reached(
    server: SmtpNeighbour, step: Step | None, phase: SmtpStage
) -> None:
    if step:
        server.script(step, drops)

    async with connect(server.port) as mail:
        with contextlib.suppress(MailUnavailable):
            await send(mail)

    assert mail.phase is phase


def _signals(reached: asyncio.Event) -> Action:
    """Return an action that sets an event, and hangs."""

    async def action(conversation: object) -> int:
        reached.set()
        await asyncio.Event().wait()
        return 0

    return action
