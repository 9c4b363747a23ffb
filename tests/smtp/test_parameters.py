"""The parameters of MAIL and RCPT, depending on the extensions of the server."""

from __future__ import annotations

import pytest

from notifier.domain.ledger import Outcome
from notifier.smtp.connection import DeliveryOutcome, Envelope, SmtpStage
from tests.neighbours.smtp import Accepted, SmtpNeighbour, Step, says
from tests.smtp.sending import CONTENT, SENDER, connect, envelope, unmarked

JANA, UMLAUT = "jana@example.com", "jürgen@example.com"


async def deliver(
    offers: tuple[str, ...], *envelopes: Envelope
) -> tuple[list[DeliveryOutcome], list[Accepted]]:
    """Send messages to a server with these extensions; return outcomes and accepted messages."""
    async with SmtpNeighbour(offers=offers) as server, connect(server.port) as mail:
        deliveries = [await mail.send(one, before_dot=unmarked) for one in envelopes]
    return deliveries, server.accepted


@pytest.mark.parametrize(
    ("offers", "mail_options", "rcpt_options"),
    [
        ((), (), ()),
        (("SIZE",), (f"SIZE={len(CONTENT)}",), ()),
        (("SIZE 1000",), (f"SIZE={len(CONTENT)}",), ()),
        (("DSN",), ("RET=HDRS", "ENVID=digest-1"), ("NOTIFY=FAILURE,DELAY",)),
        (("dsn",), ("RET=HDRS", "ENVID=digest-1"), ("NOTIFY=FAILURE,DELAY",)),
        (("SMTPUTF8", "8BITMIME"), (), ()),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
async def test_a_parameter_is_sent_where_it_is_offered_and_nowhere_else(
    offers: tuple[str, ...], mail_options: tuple[str, ...], rcpt_options: tuple[str, ...]
) -> None:
    _, (accepted,) = await deliver(offers, envelope())

    assert accepted == Accepted(SENDER, JANA, CONTENT, mail_options, rcpt_options)


async def test_smtputf8_and_8bitmime_are_asked_for_by_the_message_that_needs_them() -> None:
    offers = ("SMTPUTF8", "8BITMIME")
    _, (plain, utf8, eight_bit) = await deliver(
        offers, envelope(JANA), envelope(UMLAUT), envelope(content="To: ü\r\n".encode())
    )

    assert plain.mail_options == ()
    assert (utf8.recipient, utf8.mail_options) == (UMLAUT, ("SMTPUTF8",))
    assert eight_bit.mail_options == ("BODY=8BITMIME",)


async def test_an_address_the_server_cannot_take_is_refused_by_name_and_the_others_get_theirs() -> (
    None
):
    (refused, fine), accepted = await deliver((), envelope(UMLAUT), envelope(JANA))

    assert (refused.outcome, refused.phase) == (Outcome.REJECTED, SmtpStage.RCPT)
    assert UMLAUT in refused.reply
    assert "SMTPUTF8" in refused.reply
    assert fine.outcome is Outcome.ACCEPTED
    assert [message.recipient for message in accepted] == [JANA]


async def test_a_sender_the_server_cannot_take_is_refused_by_name() -> None:
    (refused,), accepted = await deliver((), envelope(sender="jürgen@example.com"))

    assert (refused.outcome, refused.phase) == (Outcome.REJECTED, SmtpStage.MAIL)
    assert "jürgen@example.com" in refused.reply
    assert accepted == []


@pytest.mark.parametrize(
    "address",
    [
        "jana@example.com> NOTIFY=NEVER",
        "jana@example.com>\r\nRCPT TO:<pavol@example.com",
        "jana@example.com\n",
        "jana@example.com\0",
        "ja\udc80na@example.com",
        "jana",
        "",
        "two words@example.com",
    ],
    ids=ascii,
)
async def test_an_invalid_address_is_not_sent_and_disturbs_no_other_message(address: str) -> None:
    deliveries, accepted = await deliver(
        ("SMTPUTF8",), envelope(address), envelope(sender=address), envelope(JANA)
    )

    assert [(delivery.outcome, delivery.phase) for delivery in deliveries] == [
        (Outcome.REJECTED, SmtpStage.RCPT),
        (Outcome.REJECTED, SmtpStage.MAIL),
        (Outcome.ACCEPTED, SmtpStage.DOT),
    ]
    assert all(delivery.reply.isprintable() for delivery in deliveries)
    assert [message.recipient for message in accepted] == [JANA]


@pytest.mark.parametrize(
    ("envid", "on_the_wire"),
    [
        ("digest-1@example.com", "digest-1@example.com"),
        ("a+b=c d", "a+2Bb+3Dc+20d"),
        ("x\r\nRSET", "x+0D+0ARSET"),
        ("ü", "+C3+BC"),
    ],
)
async def test_the_name_for_bounces_is_xtext(envid: str, on_the_wire: str) -> None:
    _, (accepted,) = await deliver(("DSN",), envelope(envid=envid))

    assert accepted.mail_options == ("RET=HDRS", f"ENVID={on_the_wire}")


async def test_a_message_too_big_for_the_server_is_refused_before_it_is_sent(
    server: SmtpNeighbour,
) -> None:
    server.script(Step.MAIL, says("552 5.3.4 too big"), only=f"SIZE={len(CONTENT)}")

    async with connect(server.port) as mail:
        delivery = await mail.send(envelope(), before_dot=unmarked)

    assert (delivery.outcome, delivery.phase) == (Outcome.REJECTED, SmtpStage.MAIL)
    assert "DATA" not in server.commands
