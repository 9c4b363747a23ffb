"""The login, and the errors about it."""

from __future__ import annotations

import base64

import pytest

from notifier.domain.ledger import Outcome
from notifier.errors import MailRefused, MailUnavailable
from notifier.smtp.connection import MailConnection, SmtpStage
from tests.neighbours.smtp import (
    Action,
    SmtpNeighbour,
    Step,
    drops,
    hangs,
    says,
    says_and_drops,
    says_bytes,
)
from tests.smtp.sending import QUICK, connect, send, server_at

LOGIN = ("digest", "kočka s pěti")


def logged_in(server: SmtpNeighbour, login: tuple[str, str] = LOGIN) -> MailConnection:
    """Return a connection that logs in, without TLS, since the server is on this machine."""
    return MailConnection(server_at(server.port, login=login), timeouts=QUICK)


@pytest.mark.parametrize("mechanisms", [("PLAIN",), ("LOGIN",), ("XOAUTH2", "LOGIN", "PLAIN")])
async def test_every_common_mechanism_is_used(mechanisms: tuple[str, ...]) -> None:
    async with SmtpNeighbour(mechanisms=mechanisms) as server, logged_in(server) as mail:
        server.require_login(*LOGIN)
        delivery = await send(mail)

    assert delivery.outcome is Outcome.ACCEPTED
    assert server.commands.count("AUTH") == 1


async def test_a_wrong_password_is_tried_once_and_the_error_names_the_way_out(
    server: SmtpNeighbour,
) -> None:
    server.require_login("digest", "another")

    async with logged_in(server) as mail:
        with pytest.raises(MailRefused) as raised:
            await send(mail)

    assert "535 5.7.8 wrong name or password" in str(raised.value)
    assert "check smtp.username and smtp.password" in str(raised.value)
    assert server.commands.count("AUTH") == 1
    assert server.accepted == []


async def test_a_server_that_disconnects_after_a_wrong_password_has_refused_it(
    server: SmtpNeighbour,
) -> None:
    server.require_login(*LOGIN)
    server.script(Step.AUTH, says_and_drops("535 5.7.8 go away"))

    async with logged_in(server) as mail:
        with pytest.raises(MailRefused, match="go away"):
            await send(mail)
        assert mail.phase is SmtpStage.LOGIN


async def test_a_mechanism_that_is_refused_as_such_is_followed_by_the_next(
    server: SmtpNeighbour,
) -> None:
    server.require_login(*LOGIN)
    server.script(Step.AUTH, says("504 5.7.4 not that way"))

    async with logged_in(server) as mail:
        delivery = await send(mail)

    assert delivery.outcome is Outcome.ACCEPTED
    assert server.commands.count("AUTH") == 2


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (says("454 4.7.0 try later"), "454 4.7.0 try later"),
        (says_and_drops("421 4.3.2 going down"), "421 4.3.2 going down"),
        (drops, "the connection was lost"),
        (hangs, "no answer in time"),
        (says("what?"), "what?"),
    ],
    ids=["454", "421", "drop", "hang", "garbage"],
)
async def test_a_login_that_cannot_be_checked_now_is_tried_again(
    server: SmtpNeighbour, action: Action, words: str
) -> None:
    server.require_login(*LOGIN)
    server.script(Step.AUTH, action)
    settings = server_at(server.port, login=LOGIN, timeout=QUICK.dot)

    async with MailConnection(settings, timeouts=QUICK) as mail:
        with pytest.raises(MailUnavailable) as raised:
            await send(mail)
        assert words in str(raised.value)
        assert mail.phase is SmtpStage.LOGIN
        assert (await send(mail)).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("action", "what"),
    [(drops, "the connection was lost"), (hangs, "no answer in time")],
    ids=["drop", "hang"],
)
async def test_silence_at_the_login_differs_from_an_unreachable_server(
    server: SmtpNeighbour, action: Action, what: str
) -> None:
    server.require_login(*LOGIN)
    server.script(Step.AUTH, action)
    settings = server_at(server.port, login=LOGIN, timeout=QUICK.dot)

    async with MailConnection(settings, timeouts=QUICK) as mail:
        with pytest.raises(MailUnavailable) as raised:
            await mail.open()

    assert (
        f":{server.port} accepted the connection, but did not answer the login ({what}); wait"
        in str(raised.value)
    )
    assert "cannot be reached" not in str(raised.value)


@pytest.mark.parametrize(
    ("mechanisms", "words"), [((), "none at all"), (("CRAM-MD5", "XOAUTH2"), "CRAM-MD5 XOAUTH2")]
)
async def test_a_server_without_a_supported_mechanism_is_refused(
    mechanisms: tuple[str, ...], words: str
) -> None:
    async with SmtpNeighbour(mechanisms=mechanisms) as server, logged_in(server) as mail:
        server.require_login(*LOGIN)
        with pytest.raises(MailRefused) as raised:
            await send(mail)

    assert words in str(raised.value)
    assert "smtp.username" in str(raised.value)
    assert server.commands == ["EHLO"]


async def test_without_a_login_none_is_tried(server: SmtpNeighbour) -> None:
    async with connect(server.port) as mail:
        await send(mail)

    assert "AUTH" not in server.commands


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
async def test_a_required_login_is_refused_in_every_phase(
    server: SmtpNeighbour, step: Step
) -> None:
    server.script(step, says("530 5.7.0 log in first"))

    async with connect(server.port) as mail:
        with pytest.raises(MailRefused) as raised:
            await send(mail)
        assert mail.phase is SmtpStage(step)

    assert "check smtp.username and smtp.password" in str(raised.value)
    assert server.accepted == []
    assert server.commands[-1] == "QUIT"


@pytest.mark.parametrize("code", [b"535", b"454", b"garbage"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_a_server_that_repeats_the_login_does_not_get_it_into_our_errors(
    code: bytes, mechanism: str
) -> None:
    username, password = LOGIN
    secrets = [
        password,
        base64.b64encode(password.encode()).decode(),
        base64.b64encode(f"\0{username}\0{password}".encode()).decode(),
    ]
    echo = says_bytes(code + " ".join(["", *secrets]).encode() + b"\r\n")

    async with SmtpNeighbour(mechanisms=(mechanism,)) as server, logged_in(server) as mail:
        server.require_login(*LOGIN)
        server.script(Step.AUTH, echo)
        with pytest.raises((MailRefused, MailUnavailable)) as raised:
            await send(mail)

    assert "••••" in str(raised.value)
    assert not any(secret in str(raised.value) for secret in secrets)


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
@pytest.mark.parametrize("answer", ["550 5.7.1 {}", "451 4.7.1 {}", "530 5.7.0 {}", "{}"])
async def test_a_login_that_the_server_repeats_later_is_masked(
    server: SmtpNeighbour, step: Step, answer: str
) -> None:
    name, password = LOGIN
    plain = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
    server.require_login(*LOGIN)
    server.script(step, says(answer.format(f"not you: {password} {plain}")))

    async with logged_in(server) as mail:
        try:
            told = (await send(mail)).reply
        except MailRefused as error:
            told = str(error)

    assert "not you: •••• ••••" in told
    assert password not in told
    assert plain not in told
