"""The frozen bytes arrive unchanged, and the mark is written before the dot."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.ledger import Outcome
from tests.neighbours.smtp import SmtpNeighbour
from tests.smtp.sending import connect, envelope, send, unmarked

# Lines with dots and short lines, where dot-stuffing can go wrong; a CR or LF would end a line.
LINES = st.lists(
    st.one_of(
        st.sampled_from([b".", b"..", b".x", b"", b"x.", b" ."]),
        st.binary(max_size=8).map(lambda raw: raw.translate(None, b"\r\n")),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(lines=LINES, ended=st.booleans())
async def test_every_body_arrives_byte_for_byte(lines: list[bytes], ended: bool) -> None:
    content = b"Subject: x\r\n\r\n" + b"\r\n".join(lines) + (b"\r\n" if ended else b"")

    async with SmtpNeighbour() as server, connect(server.port) as mail:
        delivery = await mail.send(envelope(content=content), before_dot=unmarked)

    assert delivery.outcome is Outcome.ACCEPTED
    end = b"" if content.endswith(b"\r\n") else b"\r\n"
    assert server.accepted[0].content == content + end


@pytest.mark.parametrize(
    ("content", "on_the_wire"),
    [
        (b".\r\n", b"..\r\n.\r\n"),
        (b"..\r\n", b"...\r\n.\r\n"),
        (b"a\r\n.b", b"a\r\n..b\r\n.\r\n"),
        (b"a.\r\n", b"a.\r\n.\r\n"),
        (b"", b"\r\n.\r\n"),
    ],
)
async def test_a_line_that_begins_with_a_dot_gets_another(
    server: SmtpNeighbour, content: bytes, on_the_wire: bytes
) -> None:
    async with connect(server.port) as mail:
        await mail.send(envelope(content=content), before_dot=unmarked)

    assert server.body == on_the_wire


@pytest.mark.parametrize("size", [100, 3_000_000])
async def test_the_mark_is_written_between_the_body_and_the_dot(
    server: SmtpNeighbour, size: int
) -> None:
    content = b"x" * size + b"\r\n"
    came = []

    async def mark() -> None:
        await server.until(lambda: len(server.body) >= len(content))
        came.append(server.body)

    async with connect(server.port) as mail:
        delivery = await mail.send(envelope(content=content), before_dot=mark)

    assert came == [content]
    assert delivery.outcome is Outcome.ACCEPTED
    assert server.body == content + b".\r\n"


async def test_without_a_mark_no_dot_is_sent_and_nothing_is_accepted(
    server: SmtpNeighbour,
) -> None:
    async def mark() -> None:
        raise OSError(28, "No space left on device")

    async with connect(server.port) as mail:
        with pytest.raises(OSError, match="No space left"):
            await mail.send(envelope(content=b"whole\r\n"), before_dot=mark)
        await server.until(lambda: bool(server.unfinished))
        following = await send(mail)

    assert server.unfinished == [b"whole\r\n"]
    assert following.outcome is Outcome.ACCEPTED
    assert len(server.accepted) == 1
