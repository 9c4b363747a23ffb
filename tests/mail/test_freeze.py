"""Frozen messages: the final bytes for one recipient."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.branding import Branding, Logo
from notifier.domain.ledger import FrozenMessage
from notifier.domain.recipients import Mailbox, Recipient
from notifier.domain.settings import Sender
from notifier.errors import VerificationError
from notifier.mail.freeze import Attachment, freeze, freeze_test
from notifier.mail.headers import Header, headers_of
from notifier.mail.render import RenderedMail
from notifier.mail.verify import verify
from tests.factories import DAY, NOON, account, sender

RENDERED = RenderedMail(
    language="sl",
    subject="12 pošiljk za prevzem (3 nove) – Mimovrste, 22. nov.",
    preheader="",
    text="Dober dan\n",
    html="<p>Dober dan</p>\n",
)
JANA = Recipient(Mailbox("jana@example.com", "Jana Šiška"), "sl", "warehouse")
CSV = Attachment("orders-2026-11-22.csv", "text/csv", "\ufeffNaročilo;Čaka\r\n1;2\r\n".encode())
HEADERS = [
    "From",
    "To",
    "Reply-To",
    "Date",
    "Message-ID",
    "Subject",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "List-Id",
    "List-Unsubscribe",
    "Content-Language",
    "X-Mailer",
    "MIME-Version",
    "Content-Type",
]


def frozen(
    rendered: RenderedMail = RENDERED,
    attachments: tuple[Attachment, ...] = (CSV,),
    *,
    to: Recipient = JANA,
    by: Sender | None = None,
    day: date = DAY,
    edition: int = 1,
    at: datetime = NOON,
    **more: Any,
) -> FrozenMessage:
    return freeze(
        rendered,
        attachments,
        recipient=to,
        account=account(**more),
        sender=by or sender(),
        day=day,
        edition=edition,
        at=at,
    )


def read(message: FrozenMessage) -> EmailMessage:
    return email.message_from_bytes(message.content, policy=email.policy.default)


def body_of(mail: EmailMessage, kind: Literal["plain", "html"]) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def head(message: FrozenMessage) -> list[bytes]:
    return message.content.split(b"\r\n\r\n")[0].split(b"\r\n")


def test_every_header_is_there_once_and_no_other() -> None:
    assert list(read(frozen())) == HEADERS


def test_headers_say_who_when_and_how_to_leave() -> None:
    mail = read(frozen())

    assert mail["From"] == "Ready to return <parcels@example.com>"
    assert mail["To"] == "Jana Šiška <jana@example.com>"
    assert mail["Reply-To"] == "Admin <admin@example.com>"
    assert mail["Date"].datetime == NOON
    assert mail["Date"].endswith("+0100")
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.com>", mail["Message-ID"])
    assert mail["Subject"] == RENDERED.subject
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply, RN, NRN"
    assert mail["List-Id"] == "<ljubljana.ready-to-return.example.com>"
    assert mail["List-Unsubscribe"] == (
        "<mailto:admin@example.com?subject=Unsubscribe%3A%20ljubljana>"
    )
    assert mail["Content-Language"] == "sl"


def test_an_idempotency_header_is_written_if_configured() -> None:
    by = replace(sender(), idempotency_header="X-Idempotency-Key")

    key = read(frozen(by=by))["X-Idempotency-Key"]

    assert key == read(frozen(by=by, at=NOON + timedelta(hours=1)))["X-Idempotency-Key"]
    assert key != read(frozen(by=by, edition=2))["X-Idempotency-Key"]
    assert frozen(by=by).message_id == f"<{key}@example.com>"


def test_text_comes_before_html_and_files_around_both() -> None:
    kinds = [part.get_content_type() for part in read(frozen()).walk()]

    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/csv",
    ]
    alone = [part.get_content_type() for part in read(frozen(attachments=())).walk()]
    assert alone == ["multipart/alternative", "text/plain", "text/html"]


def test_bodies_and_files_arrive_as_they_were() -> None:
    # Lines that a mail server or mailbox would change: leading dots, "From " and long ones.
    long = "č" * 3_000 + "\n.\n..two dots\nFrom here on\n" + "x = 1 " * 500 + "\n"
    big = Attachment("orders-2026-11-22.csv.gz", "application/gzip", bytes(range(256)) * 40)

    mail = read(frozen(replace(RENDERED, text=long, html=f"<p>{long}</p>"), (big,)))

    assert body_of(mail, "plain") == long
    assert body_of(mail, "html") == f"<p>{long}</p>\n"
    (file,) = mail.iter_attachments()
    assert file.get_filename() == big.filename
    assert file.get_content() == big.content


def test_it_is_ascii_with_crlf_and_short_lines() -> None:
    name = Mailbox("jana@example.com", "Jana Šiška z zelo dolgim imenom " * 5)
    subject = "Ena zelo dolga zadeva s šumniki in številkami, 1 od 2 " * 3

    content = frozen(replace(RENDERED, subject=subject), to=replace(JANA, mailbox=name)).content

    assert content.isascii()
    assert not re.search(rb"[^\r]\n|\r[^\n]", content)
    # An address cannot be folded, and `email` would encode it (see headers.py).
    foldable = [line for line in content.split(b"\r\n") if b"<mailto:" not in line]
    assert max(map(len, foldable)) <= 78


def test_an_encoded_word_is_no_longer_than_it_may_be() -> None:
    """RFC 2047, 2: at most 75 characters."""
    subject = "Šššš čččč žžžž " * 13

    words = re.findall(rb"=\?[^ \r]*\?=", frozen(replace(RENDERED, subject=subject)).content)

    assert len(words) > 3
    assert max(map(len, words)) <= 75


def test_a_long_unsubscribe_address_is_not_folded_or_encoded() -> None:
    long = Mailbox(f"{'a' * 60}@{'b' * 60}.{'c' * 60}.example.com")

    (line,) = [
        line
        for line in head(frozen(by=replace(sender(), admin=long)))
        if line.startswith(b"List-Unsubscribe")
    ]

    assert line == (
        f"List-Unsubscribe: <mailto:{long.address}?subject=Unsubscribe%3A%20ljubljana>".encode()
    )


def test_the_same_arguments_make_the_same_bytes() -> None:
    assert frozen() == frozen()


@pytest.mark.parametrize(
    "change",
    [
        {"day": date(2026, 11, 23)},
        {"edition": 2},
        {"to": replace(JANA, mailbox=Mailbox("pavol@example.com"))},
        {"id": "zagreb"},
    ],
    ids=["day", "edition", "recipient", "account"],
)
def test_another_mail_has_another_message_id(change: dict[str, Any]) -> None:
    assert frozen(**change).message_id != frozen().message_id


def test_the_message_id_outlives_a_later_instant_and_tells_no_address() -> None:
    later = frozen(at=NOON + timedelta(hours=1))

    # A run that is repeated after a crash must not look like another mail.
    assert later.message_id == frozen().message_id
    assert "jana" not in frozen().message_id


def test_the_message_has_its_envelope() -> None:
    by = replace(sender(), envelope=Mailbox("bounces@example.com"))

    message = frozen(by=by)

    assert (message.recipient, message.envelope_from) == ("jana@example.com", "bounces@example.com")
    assert (message.language, message.subject) == ("sl", RENDERED.subject)
    assert read(message)["Message-ID"] == message.message_id


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Jana", b"To: Jana <jana@example.com>"),
        ("Novak, Jana (d.o.o.)", b'To: "Novak, Jana (d.o.o.)" <jana@example.com>'),
        ('Jana "J" \\ Novak', b'To: "Jana \\"J\\" \\\\ Novak" <jana@example.com>'),
        ("", b"To: jana@example.com"),
    ],
)
def test_names_are_quoted_where_they_must_be(name: str, written: bytes) -> None:
    to = replace(JANA, mailbox=Mailbox("jana@example.com", name))

    assert written in head(frozen(to=to))


def test_an_address_beyond_ascii_is_written_as_it_is_and_only_for_its_own_recipient() -> None:
    message = frozen(to=replace(JANA, mailbox=Mailbox("jürgen@example.com", "Jürgen")))

    assert "<jürgen@example.com>".encode() in b"\r\n".join(head(message))
    assert message.recipient == "jürgen@example.com"
    assert frozen().content.isascii()


def test_an_address_beyond_ascii_for_replies_asks_no_server_for_more_than_it_offers() -> None:
    admin = Mailbox("žana@example.com")
    by = replace(sender(), reply_to=admin, admin=admin)

    message = frozen(by=by)

    assert message.content.isascii()
    assert "Reply-To" not in read(message)
    assert "mailto:%C5%BEana@example.com" in read(message)["List-Unsubscribe"]
    to = replace(JANA, mailbox=Mailbox("jürgen@example.com"))
    assert b"Reply-To" in frozen(by=by, to=to).content


@pytest.mark.parametrize(
    "text",
    [
        "x\r\nBcc: eve@evil.example",
        "x\nBcc: eve@evil.example\n\nbody",
        "=?utf-8?q?=0d=0aBcc:_eve=40evil.example?=",
        "=?utf-8?b?DQpCY2M6IGV2ZUBldmlsLmV4YW1wbGU=?=",
        "x\u2028Bcc: eve@evil.example",
        "x\x00\x1b[31m\u202e",
    ],
)
def test_no_subject_or_name_becomes_a_header(text: str) -> None:
    to = replace(JANA, mailbox=Mailbox("jana@example.com", text))

    message = frozen(replace(RENDERED, subject=text), to=to)

    assert list(read(message)) == HEADERS
    assert len(read(message)["To"].addresses) == 1


evil = st.text() | st.lists(
    st.sampled_from(["=?", "?=", "utf-8?q?", "=0d=0a", "\r\n", " ", ",", "<a@b.example>", ":", "č"])
).map("".join)


@settings(deadline=None)
@given(subject=evil, name=evil)
def test_any_text_makes_a_mail_with_the_intended_headers(subject: str, name: str) -> None:
    to = replace(JANA, mailbox=Mailbox("jana@example.com", name))

    mail = read(frozen(replace(RENDERED, subject=subject), (), to=to))

    assert list(mail) == HEADERS
    assert [address.addr_spec for address in mail["To"].addresses] == ["jana@example.com"]


@pytest.mark.parametrize("length", [67, 68, 69, 150])
def test_a_subject_may_begin_with_a_long_word(length: int) -> None:
    subject = f"{'x' * length} waits"

    mail = read(frozen(replace(RENDERED, subject=subject)))

    assert mail["Subject"] == subject


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_any_text_arrives_as_it_was(text: str) -> None:
    mail = read(frozen(replace(RENDERED, text=f"{text}\n"), ()))

    assert body_of(mail, "plain") == f"{text}\n"


# The verification


def verify_example(content: bytes, headers: tuple[Header, ...] | None = None) -> None:
    meant = headers_of(RENDERED, "x", NOON, recipient=JANA, account=account(), sender=sender())
    verify(
        content,
        headers or tuple(h for h in meant if h.name != "Message-ID"),
        bodies=[("text/plain", b"Dober dan\n"), ("text/html", b"<p>Dober dan</p>\n")],
        files=[(CSV.filename, CSV.content_type, CSV.content)],
    )


def without_id() -> bytes:
    return re.sub(rb"Message-ID: [^\r]*\r\n", b"", frozen().content)


def test_the_intended_mail_passes_the_verification() -> None:
    verify_example(without_id())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"Date:", b"Bcc: eve@evil.example\r\nDate:", "headers are"),
        (b"Auto-Submitted: auto-generated\r\n", b"", "headers are"),
        (
            b"Auto-Submitted: auto-generated",
            b"Auto-Submitted: no",
            "Auto-Submitted has another meaning",
        ),
        (b"<jana@example.com>", b"<eve@evil.example>", "To has another meaning"),
        (b"<jana@example.com>", b"<jana@example.com>, eve@evil.example", "To has another meaning"),
        (b"Dober dan\r\n", b"Slab dan\r\n", "text or HTML"),
        (b"orders-2026-11-22.csv", b"orders.exe", "attachments"),
        (b"\r\nDate:", b"\nDate:", "CRLF"),
        (b"Dober dan\r\n", b"Dober dan" + b" " * 80 + b"\r\n", "body line"),
        (b"Dober dan\r\n", "Dobér dan\r\n".encode(), "not ASCII"),
        (b"X-Mailer: ", b"X-Mailer: " + b"x" * 1_000, "header line"),
        (b"--\r\n", b"\r\n", "broken"),
    ],
)
def test_a_mail_that_differs_is_refused(old: bytes, new: bytes, message: str) -> None:
    content = without_id()
    assert old in content

    with pytest.raises(VerificationError, match=message):
        verify_example(content.replace(old, new))


# The test mail


def test_a_test_mail_has_no_files_and_another_id_each_time() -> None:
    def test_mail(at: datetime) -> FrozenMessage:
        return freeze_test(RENDERED, recipient=JANA, account=account(), sender=sender(), at=at)

    assert list(read(test_mail(NOON))) == HEADERS
    assert test_mail(NOON) == test_mail(NOON)
    assert test_mail(NOON).message_id != test_mail(NOON + timedelta(seconds=1)).message_id


def test_a_file_of_text_is_not_hidden_in_base64() -> None:
    mail = email.message_from_bytes(frozen().content, policy=email.policy.default)
    (file,) = mail.iter_attachments()

    assert file["Content-Transfer-Encoding"] == "quoted-printable"
    assert file.get_payload(decode=True) == CSV.content


LOGO = Logo("png", b"\x89PNG\r\n\x1a\n not much of a picture")


def test_a_logo_belongs_to_the_html_and_is_no_attachment() -> None:
    rendered = replace(RENDERED, html='<img src="cid:logo@ready-to-return.invalid" alt="">\n')

    mail = read(frozen(rendered, branding=Branding(logo=LOGO)))

    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "text/csv",
    ]
    (picture,) = (part for part in mail.walk() if part.get_content_maintype() == "image")
    assert picture["Content-ID"] == "<logo@ready-to-return.invalid>"
    assert picture.get_content_disposition() == "inline"
    assert picture.get_payload(decode=True) == LOGO.content
    assert [part.get_filename() for part in mail.iter_attachments()] == [CSV.filename]
    boundaries = [part.get_boundary() for part in mail.walk() if part.is_multipart()]
    # An equal boundary inside another would end the outer part (RFC 2046, 5.1.2).
    assert len(set(boundaries)) == 3


def test_a_logo_that_the_html_does_not_show_is_not_sent() -> None:
    assert b"image/png" not in frozen(branding=Branding(logo=LOGO)).content
