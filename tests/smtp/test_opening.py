"""A server that cannot be used raises an error with the way out."""

from __future__ import annotations

import socket

import pytest

from notifier.domain.ledger import Outcome
from notifier.domain.settings import Tls
from notifier.errors import MailRefused, MailUnavailable
from notifier.smtp.connection import MailConnection
from tests.neighbours.smtp import (
    Action,
    SmtpNeighbour,
    Step,
    drips,
    drops,
    hangs,
    resets,
    says,
    says_and_drops,
)
from tests.smtp.outcome_table import read_table
from tests.smtp.sending import connect, send, server_at

OUTCOMES = read_table()
ERRORS = {"later": MailUnavailable, "refused": MailRefused}


@pytest.mark.parametrize("step", [Step.GREETING, Step.EHLO])
@pytest.mark.parametrize(
    ("column", "action", "words"),
    [
        ("421", says_and_drops("421 4.3.2 busy"), "421 4.3.2 busy"),
        ("4xx", says("450 later"), "try again later (450 later)"),
        ("5xx", says_and_drops("554 5.7.1 you are listed"), "554 5.7.1 you are listed"),
        ("connection lost", drops, "the connection was lost"),
        ("connection lost", resets, "Connection reset by peer"),
        ("no answer in time", hangs, "no answer in time"),
        ("no answer in time", drips(b"220 250 250 250"), "no answer in time"),
        ("no SMTP", says("HTTP/1.1 400 Bad Request"), "HTTP/1.1 400"),
        ("no SMTP", says("199 what"), "199 what"),
    ],
)
async def test_a_server_that_does_not_begin_a_session(
    server: SmtpNeighbour, step: Step, column: str, action: Action, words: str
) -> None:
    server.script(step, action)

    async with connect(server.port, impatient=True) as mail:
        with pytest.raises(ERRORS[OUTCOMES["connect", column]]) as raised:
            await send(mail)

    assert words in str(raised.value)
    assert f"mail server 127.0.0.1:{server.port}" in str(raised.value)
    assert server.accepted == []


async def test_a_closed_port_is_reported_with_the_options_to_check() -> None:
    # Bound but not listening: the port stays closed, and no other process can take it.
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with connect(nobody.getsockname()[1]) as mail:
            with pytest.raises(MailUnavailable, match=r"\(Connection refused\); check smtp\.host"):
                await send(mail)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        # Too long for a DNS query, so that the test needs no name server.
        pytest.param(".".join(["a" * 60] * 5), "not known", id="unknown"),
        pytest.param("a" * 64 + ".example", "label", id="impossible"),
    ],
)
async def test_a_host_without_an_address_is_reported(host: str, words: str) -> None:
    async with MailConnection(server_at(25, Tls.IMPLICIT, host=host)) as mail:
        with pytest.raises(MailUnavailable) as raised:
            await send(mail)

    assert words in str(raised.value)
    assert "smtp.host" in str(raised.value)


async def test_a_server_that_only_knows_helo_gets_helo_and_no_parameters(
    server: SmtpNeighbour,
) -> None:
    server.script(Step.EHLO, says("502 5.5.1 not here"))

    async with connect(server.port) as mail:
        delivery = await send(mail)

    assert delivery.outcome is Outcome.ACCEPTED
    assert server.accepted[0].mail_options == ()
    assert server.commands[:2] == ["EHLO", "HELO"]


@pytest.mark.parametrize("host", ["mail.example", "192.0.2.1", "127.0.0.1.example", "2001:db8::1"])
async def test_mail_without_tls_goes_to_this_machine_only(host: str) -> None:
    async with MailConnection(server_at(25, Tls.NONE, host=host)) as mail:
        with pytest.raises(MailRefused, match="for this machine only"):
            await send(mail)
