"""Mail servers of other authors receive our mail unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.domain.ledger import Outcome
from notifier.smtp.connection import MailConnection, SmtpStage
from tests.mail.golden import digest_mail
from tests.neighbours.postfix import postfix, smtp_sink
from tests.smtp.sending import SENDER, envelope, server_at, unmarked

CONTENT = (
    b"From: Parcels <parcels@example.com>\r\n"
    b"To: jana@example.com\r\n"
    b"Subject: =?utf-8?q?12_z=C3=A1silek?=\r\n"
    b"Date: Sun, 22 Nov 2026 06:05:00 +0100\r\n"
    b"Message-ID: <digest-1@example.com>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n"
    b"\r\n"
    b".\r\n..two\r\n.three\r\nFrom here =C4=8D\r\n" + b"x" * 76 + b"\r\n\r\n. \r\nend\r\n"
)
# Both keep mail with the line ends of files.
KEPT = CONTENT.replace(b"\r\n", b"\n")


def connect(port: int) -> MailConnection:
    """Return a connection with the usual time limits."""
    # A whole mail server may be slow on a busy machine.
    return MailConnection(server_at(port))


async def test_smtp_sink_keeps_every_byte_and_both_addresses(tmp_path: Path) -> None:
    async with smtp_sink(tmp_path) as port, connect(port) as mail:
        deliveries = [
            await mail.send(envelope(recipient, content=CONTENT), before_dot=unmarked)
            for recipient in ("jana@example.com", "pavol@example.com")
        ]

    assert [delivery.outcome for delivery in deliveries] == [Outcome.ACCEPTED] * 2
    kept = sorted(file.read_bytes() for file in tmp_path.iterdir())
    assert [content.rstrip(b"\n").endswith(KEPT.rstrip(b"\n")) for content in kept] == [True] * 2
    assert [address in kept[0] for address in (SENDER.encode(), b"jana@")] == [True] * 2
    assert [address in kept[1] for address in (SENDER.encode(), b"pavol@")] == [True] * 2


@pytest.mark.parametrize("language", ["en", "sl"])
async def test_postfix_delivers_a_digest_with_all_its_parts_and_every_byte(language: str) -> None:
    _, message = digest_mail(language, "normal")
    async with postfix() as server, connect(server.port) as mail:
        accepted = await mail.send(envelope(content=message.content), before_dot=unmarked)
        await server.drained()
        (kept,) = [file.read_bytes() for file in server.mailbox.iterdir()]

    assert accepted.outcome is Outcome.ACCEPTED
    sent = message.content.replace(b"\r\n", b"\n")
    assert kept.partition(b"\nFrom: ")[2] == sent.removeprefix(b"From: ")


async def test_postfix_delivers_every_byte_and_refuses_strangers_permanently() -> None:
    async with postfix() as server, connect(server.port) as mail:
        stranger = envelope("jana@elsewhere.example", content=CONTENT)
        refused = await mail.send(stranger, before_dot=unmarked)
        accepted = await mail.send(envelope(content=CONTENT), before_dot=unmarked)
        await server.drained()
        (kept,) = [file.read_bytes() for file in server.mailbox.iterdir()]

    assert (refused.outcome, refused.phase) == (Outcome.REJECTED, SmtpStage.RCPT)
    assert accepted.outcome is Outcome.ACCEPTED
    assert "queued as" in accepted.reply
    assert kept.partition(b"\nFrom: ")[2] == KEPT.removeprefix(b"From: ")
