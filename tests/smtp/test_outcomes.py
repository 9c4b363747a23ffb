"""The outcome table of docs/delivery.md, row by row, against a scripted server."""

from __future__ import annotations

import pytest

from notifier.domain.ledger import Outcome
from notifier.smtp.connection import MailConnection, SmtpStage
from notifier.smtp.outcomes import judge, login_required
from tests.neighbours.smtp import (
    Action,
    SmtpNeighbour,
    Step,
    accepts_and,
    drips,
    drops,
    hangs,
    resets,
    says,
    says_and_drops,
    says_bytes,
)
from tests.smtp.outcome_table import read_table
from tests.smtp.sending import QUICK, connect, envelope, send, server_at

OUTCOMES = read_table()
FAULTS = {
    "4xx": ("4xx", says("450 4.2.1 not now"), "450 4.2.1 not now"),
    "5xx": ("5xx", says("550 5.1.1 nobody here"), "550 5.1.1 nobody here"),
    "421": ("421", says_and_drops("421 4.3.2 going down"), "421 4.3.2 going down"),
    "drop": ("connection lost", drops, "the connection was lost"),
    "reset": ("connection lost", resets, "Connection reset by peer"),
    "hang": ("no answer in time", hangs, "no answer in time"),
    "drip": ("no answer in time", drips(b"250 2.0.0 fine\r\n"), "no answer in time"),
    "garbage": ("no SMTP", says_bytes(b"what?\r\n"), "what?"),
    "wrong answer": ("no SMTP", says("199 5 apples"), "199 5 apples"),
}
STEPS = {
    SmtpStage.MAIL: Step.MAIL,
    SmtpStage.RCPT: Step.RCPT,
    SmtpStage.DATA: Step.DATA,
    SmtpStage.DOT: Step.DOT,
}


@pytest.mark.parametrize("phase", STEPS)
@pytest.mark.parametrize(("column", "action", "reply"), FAULTS.values(), ids=FAULTS)
async def test_each_fault_in_each_phase_has_one_outcome_and_ends_with_its_message(
    server: SmtpNeighbour, phase: SmtpStage, column: str, action: Action, reply: str
) -> None:
    server.script(STEPS[phase], action)

    async with connect(server.port, impatient=True) as mail:
        delivery = await send(mail, "jana@example.com")
        following = await send(mail, "pavol@example.com")

    assert (delivery.outcome, delivery.phase) == (OUTCOMES[phase, column], phase)
    assert reply in delivery.reply
    assert following.outcome is Outcome.ACCEPTED
    assert [message.recipient for message in server.accepted] == ["pavol@example.com"]


@pytest.mark.parametrize("action", [drops, resets, hangs])
async def test_a_connection_lost_in_the_body_is_deferred_without_a_mark(
    server: SmtpNeighbour, action: Action
) -> None:
    server.script(Step.BODY, action)
    marks = []

    async def mark() -> None:
        marks.append("dot")

    async with connect(server.port, impatient=True) as mail:
        # Larger than the buffers of both sockets, or the client could finish before it notices.
        delivery = await mail.send(envelope(content=b"x" * 20_000_000), before_dot=mark)

    assert (delivery.outcome, delivery.phase) == (Outcome.DEFERRED, SmtpStage.BODY)
    assert marks == []


@pytest.mark.parametrize("silence", [drops, resets, hangs])
async def test_a_message_accepted_without_a_reply_is_unknown(
    server: SmtpNeighbour, silence: Action
) -> None:
    server.script(Step.DOT, accepts_and(silence))

    async with connect(server.port) as mail:
        delivery = await send(mail)

    assert (delivery.outcome, delivery.phase) == (Outcome.UNKNOWN, SmtpStage.DOT)
    assert len(server.accepted) == 1


async def test_a_connection_lost_while_the_mark_is_written_is_deferred_since_no_dot_was_sent(
    server: SmtpNeighbour,
) -> None:
    server.script(Step.BODY, drops)

    async def mark() -> None:
        await server.until(lambda: mail._client is None or not mail._client.is_connected)

    async with connect(server.port) as mail:
        delivery = await mail.send(envelope(), before_dot=mark)

    assert (delivery.outcome, delivery.phase) == (Outcome.DEFERRED, SmtpStage.BODY)
    assert server.accepted == []


async def test_a_slow_reply_to_the_dot_counts(server: SmtpNeighbour) -> None:
    server.script(Step.DOT, drips(b"250 kept\r\n", pause=0.004))

    async with connect(server.port) as mail:
        delivery = await send(mail)

    assert (delivery.outcome, delivery.reply) == (Outcome.ACCEPTED, "250 kept")


async def test_the_answer_to_the_dot_has_more_time_than_a_command(server: SmtpNeighbour) -> None:
    server.script(Step.DOT, drips(b"250 kept\r\n", pause=0.04))
    settings = server_at(server.port, timeout=QUICK.dot)

    async with MailConnection(settings) as mail:
        delivery = await send(mail)

    assert delivery.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("phase", "code", "outcome"),
    [
        (SmtpStage.MAIL, 452, Outcome.DEFERRED),
        (SmtpStage.MAIL, 552, Outcome.REJECTED),
        (SmtpStage.MAIL, 553, Outcome.REJECTED),
        (SmtpStage.RCPT, 451, Outcome.DEFERRED),
        (SmtpStage.RCPT, 551, Outcome.REJECTED),
        (SmtpStage.RCPT, 552, Outcome.DEFERRED),
        (SmtpStage.RCPT, 554, Outcome.REJECTED),
        (SmtpStage.DATA, 250, Outcome.DEFERRED),
        (SmtpStage.DATA, 554, Outcome.REJECTED),
        (SmtpStage.DOT, 200, Outcome.ACCEPTED),
        (SmtpStage.DOT, 252, Outcome.ACCEPTED),
        (SmtpStage.DOT, 354, Outcome.UNKNOWN),
        (SmtpStage.DOT, 421, Outcome.DEFERRED),
        (SmtpStage.DOT, 452, Outcome.DEFERRED),
        (SmtpStage.DOT, 552, Outcome.REJECTED),
        (SmtpStage.DOT, 600, Outcome.UNKNOWN),
        (SmtpStage.DOT, -1, Outcome.UNKNOWN),
    ],
)
def test_each_reply_code_has_one_outcome(phase: SmtpStage, code: int, outcome: Outcome) -> None:
    assert judge(phase, code) is outcome


@pytest.mark.parametrize("phase", STEPS)
@pytest.mark.parametrize("code", [530, 535])
def test_a_reply_about_the_login_fails_no_message(phase: SmtpStage, code: int) -> None:
    assert login_required(code)
    assert judge(phase, code) is Outcome.DEFERRED
