"""TLS as configured, or no mail: no fall-back, and no password without TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from notifier.domain.ledger import Outcome
from notifier.domain.settings import Tls
from notifier.errors import MailRefused, MailUnavailable, NotifierError
from notifier.smtp.connection import MailConnection, SmtpStage
from tests.neighbours.smtp import (
    Action,
    SmtpNeighbour,
    Step,
    drops,
    hangs,
    resets,
    says,
    says_and_drops,
    says_bytes,
)
from tests.smtp.sending import IMPATIENT, QUICK, envelope, send, server_at, unmarked

LOGIN = ("digest", "secret words")
BOTH = pytest.mark.parametrize("tls", [Tls.IMPLICIT, Tls.STARTTLS])


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates; `file` is what smtp.ca_file names."""

    ca: trustme.CA
    file: Path

    def certificate(self, *names: str, days: int = 1) -> ssl.SSLContext:
        """Return a server's certificate for these names; expired with negative `days`."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        end = datetime.now(UTC) + timedelta(days=days)
        begin = datetime.now(UTC) - timedelta(days=30)
        self.ca.issue_cert(*names, not_before=begin, not_after=end).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return Authority(ca, file)


def speaking(tls: Tls, certificate: ssl.SSLContext) -> SmtpNeighbour:
    """Return a server with TLS and a login."""
    server = SmtpNeighbour(tls=certificate, implicit=tls is Tls.IMPLICIT)
    server.require_login(*LOGIN)
    return server


def connect(
    server: SmtpNeighbour, tls: Tls, ca_file: Path | None, *, impatient: bool = False
) -> MailConnection:
    timeout = IMPATIENT if impatient else timedelta(seconds=5)
    settings = server_at(server.port, tls, login=LOGIN, ca_file=ca_file, timeout=timeout)
    return MailConnection(settings, timeouts=QUICK)


async def refused(mail: MailConnection, error: type[NotifierError] = MailRefused) -> str:
    """Send a message that must fail; return the text of the error."""
    async with mail:
        with pytest.raises(error) as raised:
            await send(mail)
    return str(raised.value)


@BOTH
async def test_with_tls_everything_that_matters_is_encrypted(
    authority: Authority, tls: Tls
) -> None:
    async with speaking(tls, authority.certificate("127.0.0.1")) as server:
        mail = connect(server, tls, authority.file)
        async with mail:
            delivery = await send(mail)

    assert delivery.outcome is Outcome.ACCEPTED
    in_the_clear = [
        received.line.split()[0] for received in server.received if not received.encrypted
    ]
    assert in_the_clear == (["EHLO", "STARTTLS"] if tls is Tls.STARTTLS else [])


@BOTH
async def test_a_large_body_arrives_whole_over_tls(authority: Authority, tls: Tls) -> None:
    content = b"Subject: x\r\n\r\n" + b"0123456789abcdef\r\n" * 100_000

    async with speaking(tls, authority.certificate("127.0.0.1")) as server:
        mail = connect(server, tls, authority.file)
        async with mail:
            delivery = await mail.send(envelope(content=content), before_dot=unmarked)

    assert delivery.outcome is Outcome.ACCEPTED
    assert server.accepted[0].content == content


@BOTH
@pytest.mark.parametrize("action", [drops, resets, hangs])
async def test_a_connection_lost_in_the_body_is_deferred_over_tls_too(
    authority: Authority, tls: Tls, action: Action
) -> None:
    async with speaking(tls, authority.certificate("127.0.0.1")) as server:
        server.script(Step.BODY, action)
        async with connect(server, tls, authority.file, impatient=True) as mail:
            # Larger than the buffers of both sockets, or the client could finish before it notices.
            big = envelope(content=b"x" * 20_000_000)
            delivery = await mail.send(big, before_dot=unmarked)

    assert (delivery.outcome, delivery.phase) == (Outcome.DEFERRED, SmtpStage.BODY)


@BOTH
@pytest.mark.parametrize(
    ("name", "days", "words"),
    [
        pytest.param("127.0.0.1", 1, "unable to get local issuer", id="unknown CA"),
        pytest.param("127.0.0.2", 1, "mismatch", id="wrong address"),
        pytest.param("mail.example", 1, "not valid for", id="wrong host"),
        pytest.param("127.0.0.1", -1, "certificate has expired", id="expired"),
    ],
)
async def test_an_invalid_certificate_ends_the_session_before_the_login(
    authority: Authority, tls: Tls, name: str, days: int, words: str
) -> None:
    ca_file = None if "issuer" in words else authority.file
    async with speaking(tls, authority.certificate(name, days=days)) as server:
        mail = connect(server, tls, ca_file)
        message = await refused(mail)

    assert words in message
    assert "smtp.ca_file" in message
    assert mail.phase is SmtpStage.TLS
    assert {received.line.split()[0] for received in server.received} <= {"EHLO", "STARTTLS"}
    assert server.accepted == []


async def test_without_starttls_nothing_is_sent(server: SmtpNeighbour) -> None:
    server.require_login(*LOGIN)

    message = await refused(connect(server, Tls.STARTTLS, None))

    assert "does not offer STARTTLS, so nothing was sent" in message
    assert server.commands == ["EHLO"]


@pytest.mark.parametrize(
    ("action", "error", "words"),
    [
        pytest.param(says("454 4.7.0 no TLS now"), MailUnavailable, "454 4.7.0", id="4xx"),
        pytest.param(says_and_drops("421 4.3.2 busy"), MailUnavailable, "421 4.3.2", id="421"),
        pytest.param(says("502 5.5.1 no TLS ever"), MailRefused, "502 5.5.1", id="5xx"),
        pytest.param(says("250 fine"), MailUnavailable, "250 fine", id="wrong answer"),
        pytest.param(says_bytes(b"what?\r\n"), MailUnavailable, "what?", id="garbage"),
        pytest.param(drops, MailUnavailable, "the connection was lost", id="drop"),
        pytest.param(resets, MailUnavailable, "Connection reset by peer", id="reset"),
        pytest.param(hangs, MailUnavailable, "no answer in time", id="hang"),
    ],
)
async def test_starttls_that_fails_ends_it(
    authority: Authority, action: Action, error: type[NotifierError], words: str
) -> None:
    async with speaking(Tls.STARTTLS, authority.certificate("127.0.0.1")) as server:
        server.script(Step.STARTTLS, action)
        mail = connect(server, Tls.STARTTLS, authority.file, impatient=True)
        message = await refused(mail, error)

    assert words in message
    assert mail.phase is SmtpStage.TLS
    assert server.commands == ["EHLO", "STARTTLS"]


async def test_plain_text_injected_before_tls_is_ignored(
    authority: Authority,
) -> None:
    evil = b"220 go ahead\r\n250-evil.example\r\n250-AUTH PLAIN\r\n250 DSN\r\n"
    server = SmtpNeighbour(tls=authority.certificate("127.0.0.1"), offers=())
    async with server:
        server.script(Step.STARTTLS, says_bytes(evil))
        settings = server_at(server.port, Tls.STARTTLS, ca_file=authority.file)
        async with MailConnection(settings) as mail:
            delivery = await send(mail)

    assert delivery.outcome is Outcome.ACCEPTED
    assert server.accepted[0].mail_options == ()


async def test_implicit_tls_on_a_plain_port_is_refused(server: SmtpNeighbour) -> None:
    message = await refused(connect(server, Tls.IMPLICIT, None))

    assert "the TLS handshake failed" in message
    assert 'port 465 goes with smtp.tls = "implicit"' in message
    assert "AUTH" not in server.commands
    assert server.accepted == []


async def test_starttls_on_a_port_for_implicit_tls_ends_with_a_time_out(
    authority: Authority,
) -> None:
    async with speaking(Tls.IMPLICIT, authority.certificate("127.0.0.1")) as server:
        mail = connect(server, Tls.STARTTLS, authority.file, impatient=True)
        message = await refused(mail, MailUnavailable)

    assert "no answer in time" in message
    assert "smtp.tls" in message


@pytest.mark.parametrize("silence", [drops, resets, hangs])
async def test_a_handshake_that_is_never_finished_is_tried_again(silence: Action) -> None:
    async with SmtpNeighbour() as server:
        server.script(Step.GREETING, silence)
        mail = connect(server, Tls.IMPLICIT, None, impatient=True)
        message = await refused(mail, MailUnavailable)

    assert "smtp.host" in message


async def test_a_server_that_only_knows_old_tls_is_refused(server: SmtpNeighbour) -> None:
    alert = bytes([21, 3, 1, 0, 2, 2, 70])  # fatal, protocol_version: RFC 8446, 6
    server.script(Step.GREETING, says_bytes(alert))

    message = await refused(connect(server, Tls.IMPLICIT, None))

    assert "the TLS handshake failed (tlsv1 alert protocol version)" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "No such file or directory"), ("no certificate", "not a file of PEM certificates")],
)
async def test_a_ca_file_that_cannot_be_used_is_named(
    tmp_path: Path, text: str | None, words: str
) -> None:
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    settings = server_at(465, Tls.IMPLICIT, ca_file=file)

    message = await refused(MailConnection(settings))

    assert f"smtp.ca_file {file}:" in message
    assert words in message
