"""Replies are stored short and printable, however hostile the server is."""

from __future__ import annotations

import pytest

from notifier.domain.ledger import Outcome
from notifier.errors import MailUnavailable
from notifier.smtp.replies import MAX_CHARACTERS, printable
from tests.neighbours.smtp import SmtpNeighbour, Step, floods, says_bytes
from tests.smtp.sending import connect, send

SAYINGS = {
    "escape": (b"\x1b[31mred\x1b[0m\x07", "[31mred [0m"),
    "NUL": (b"a\0b", "a b"),
    "C1": ("a\x9bb".encode(), "a b"),
    "not UTF-8": (b"a\xff\xfeb", "a b"),
    "bidi": ("a\u202eb\u200fc".encode(), "a b c"),
    "separators": ("a\u2028b\u0085c".encode(), "a b c"),
    "bare CR": (b"a\rb", "a b"),
    "Slovene": ("zavrnjeno: predolgo čakanje".encode(), "zavrnjeno: predolgo čakanje"),
    "long": (b"x" * 8000, "x" * (MAX_CHARACTERS - 4)),
}
FLOODS = {
    "a line without end": b"2" * 65536,
    "lines without an end": b"250-x\r\n" * 1000,
    "empty lines": b"\r\n" * 1000,
    "NULs": b"\0" * 65536,
}


@pytest.mark.parametrize(("saying", "kept"), SAYINGS.values(), ids=SAYINGS)
@pytest.mark.parametrize(("step", "outcome"), [(Step.RCPT, "rejected"), (Step.DOT, "accepted")])
async def test_a_reply_is_stored_as_one_printable_line(
    server: SmtpNeighbour, saying: bytes, kept: str, step: Step, outcome: str
) -> None:
    code = "550" if step is Step.RCPT else "250"
    server.script(step, says_bytes(f"{code} ".encode() + saying + b"\r\n"))

    async with connect(server.port) as mail:
        delivery = await send(mail)

    assert (str(delivery.outcome), delivery.reply) == (outcome, f"{code} {kept}")


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
async def test_a_flood_instead_of_a_greeting_is_cut_off(
    server: SmtpNeighbour, flood: bytes
) -> None:
    server.script(Step.GREETING, floods(flood))

    async with connect(server.port) as mail:
        with pytest.raises(MailUnavailable) as raised:
            await send(mail)

    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < MAX_CHARACTERS + 200


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        (Step.MAIL, Outcome.DEFERRED),
        (Step.RCPT, Outcome.DEFERRED),
        (Step.DATA, Outcome.DEFERRED),
        (Step.DOT, Outcome.UNKNOWN),
    ],
)
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
async def test_a_flood_instead_of_an_answer_is_cut_off_and_the_next_message_gets_through(
    server: SmtpNeighbour, step: Step, flood: bytes, outcome: Outcome
) -> None:
    server.script(step, floods(flood))

    async with connect(server.port) as mail:
        delivery = await send(mail, "jana@example.com")
        following = await send(mail, "pavol@example.com")

    assert delivery.outcome is outcome
    assert delivery.reply.isprintable()
    assert len(delivery.reply) <= MAX_CHARACTERS
    assert following.outcome is Outcome.ACCEPTED


async def test_a_line_of_ten_megabytes_is_not_read_to_its_end(server: SmtpNeighbour) -> None:
    server.script(Step.RCPT, says_bytes(b"550 " + b"x" * 10_000_000 + b"\r\n"))

    async with connect(server.port) as mail:
        delivery = await send(mail)

    assert (delivery.outcome, delivery.reply) == (Outcome.DEFERRED, "Response too long")


@pytest.mark.parametrize("text", ["", "\0\x7f\u200b", "\udcff"])
def test_a_text_without_anything_printable_is_empty(text: str) -> None:
    assert printable(text) == ""
