"""The files in the mail of each recipient."""

from __future__ import annotations

import email
import email.policy
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from notifier.domain.branding import Branding, Logo
from notifier.domain.recipients import AttachmentKind, ContactGroup, Mailbox, Recipient, resolve
from notifier.domain.settings import CsvHeadings, StoreLocation
from notifier.i18n.language import Money
from notifier.mail.attachments.choice import MOST_ON_PAPER, attachments, fitting
from notifier.mail.freeze import Attachment
from notifier.services.context import Context
from notifier.services.make_messages import make_messages, render_for
from notifier.store import open_store
from tests import factories
from tests.days import empty, huge, normal
from tests.factories import account, digest, mail_options, order

CSV, XLSX, SHEET = AttachmentKind
ALL = (CSV, XLSX, SHEET)


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Context]:
    location = StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")
    async with open_store(location) as store:
        yield factories.context(store)


Kinds = tuple[AttachmentKind, ...] | None


def asked(*entries: str, **groups: tuple[tuple[str, ...], Kinds]) -> Kinds:
    """Return the attachments that the groups of jana@example.com request."""
    known = {name: ContactGroup(name, who, None, what) for name, (who, what) in groups.items()}
    found = resolve(entries, known, language="en")
    return next(one.attachments for one in found if one.mailbox.address == "jana@example.com")


JANA = ("jana@example.com",)


def test_a_recipient_without_a_choosing_group_gets_the_files_of_the_account() -> None:
    assert asked("jana@example.com") is None
    assert asked("a", a=(JANA, None)) is None


def test_a_group_chooses_for_its_members() -> None:
    assert asked("a", a=(JANA, (SHEET,))) == (SHEET,)
    assert asked("a", a=(JANA, ())) == ()


def test_a_recipient_in_several_groups_gets_the_files_of_all() -> None:
    assert asked("a", "b", a=(JANA, (SHEET,)), b=(JANA, (CSV,))) == (CSV, SHEET)
    assert asked("a", "b", a=(JANA, None), b=(JANA, (XLSX,))) == (XLSX,)
    assert asked("a", a=(("b",), (SHEET,)), b=(JANA, (XLSX,))) == (XLSX, SHEET)
    assert asked(*JANA, "a", a=(("JANA@EXAMPLE.COM",), (SHEET,))) == (SHEET,)


def test_a_group_outside_the_recipients_chooses_nothing() -> None:
    assert asked("a", a=(JANA, None), b=(JANA, ALL)) is None


def test_a_day_without_orders_has_no_files() -> None:
    assert attachments(empty(), mail_options(account(attachments=ALL), "en")) == {}


def test_all_chosen_files_are_attached() -> None:
    files = attachments(normal(), mail_options(account(attachments=ALL), "en"))

    assert [file.filename for file in files.values()] == [
        "orders-2026-11-22.csv",
        "orders-2026-11-22.xlsx",
        "pickup-2026-11-22.pdf",
    ]


def test_too_many_orders_have_no_sheet() -> None:
    files = attachments(huge(MOST_ON_PAPER + 1), mail_options(account(attachments=(CSV, SHEET))))

    assert list(files) == [CSV]


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ((10, 40, 50), [CSV, XLSX, SHEET]),
        ((10, 40, 51), [CSV, XLSX]),
        ((10, 91, 1), [CSV]),
        ((101, 1, 1), [CSV]),
    ],
)
def test_too_large_files_lose_the_sheet_then_the_workbook(
    sizes: tuple[int, ...], kept: list[AttachmentKind]
) -> None:
    files = {
        kind: Attachment(kind, "text/csv", b"x" * size)
        for kind, size in zip(AttachmentKind, sizes, strict=True)
    }

    assert list(fitting(files, most=100)) == kept


def test_a_file_that_cannot_be_made_is_left_out_and_the_others_are_sent() -> None:
    absurd = order(1, cod=Money(Decimal("1e400"), "EUR"))

    files = attachments(digest(absurd), mail_options(account(attachments=ALL), "en"))

    assert list(files) == [CSV, XLSX]


async def test_a_mail_with_all_attachments_passes_the_verification(context: Context) -> None:
    look = Branding("#7a1f3d", logo=Logo("png", b"\x89PNG\r\n\x1a\n"))
    ours = account(attachments=ALL, branding=look)

    (message,) = make_messages(
        replace(ours, recipients=(ours.recipients[1],)), normal(), context, 1
    ).messages

    mail = email.message_from_bytes(message.content, policy=email.policy.default)
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        "orders-2026-11-22.csv",
        "orders-2026-11-22.xlsx",
        "pickup-2026-11-22.pdf",
    ]


async def test_each_recipient_gets_the_files_of_their_groups(context: Context) -> None:
    office = Recipient(Mailbox("office@example.com"), "en")
    driver = Recipient(Mailbox("jana@example.com"), "en", None, attachments=(SHEET,))

    messages = make_messages(account(recipients=(office, driver)), normal(), context, 1).messages

    mails = [email.message_from_bytes(m.content, policy=email.policy.default) for m in messages]
    assert [[part.get_filename() for part in mail.iter_attachments()] for mail in mails] == [
        ["orders-2026-11-22.csv"],
        ["pickup-2026-11-22.pdf"],
    ]


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        ((CSV, XLSX), "Everything that waits is in the attached CSV file."),
        ((XLSX,), "Everything that waits is in the attached workbook."),
        ((SHEET,), "Look the others up in the portal."),
    ],
)
async def test_the_mail_names_the_file_with_the_orders_it_cannot_show(
    context: Context, kinds: tuple[AttachmentKind, ...], sentence: str
) -> None:
    reader = Recipient(Mailbox("jana@example.com"), "en", attachments=kinds)

    mail, _ = render_for(account().mail_options(reader), huge(500), context)

    assert sentence in mail.text.replace("\n", " ")


def test_files_have_the_columns_that_were_chosen_in_their_order() -> None:
    chosen = account(attachments=ALL, columns=("days", "order"), csv_headings=CsvHeadings.NAMES)

    files = attachments(digest(order(1)), mail_options(chosen, "en"))

    assert files[CSV].content.decode("utf-8-sig") == "days,order\r\n0,1\r\n"
    first = openpyxl.load_workbook(io.BytesIO(files[XLSX].content)).worksheets[0]
    assert [[cell.value for cell in row] for row in first.iter_rows()] == [
        ["Days waiting", "Order"],
        [0, 1],
    ]


async def test_each_recipient_gets_the_columns_of_their_group(context: Context) -> None:
    office = Recipient(Mailbox("office@example.com"), "en")
    driver = Recipient(Mailbox("jana@example.com"), "en", None, columns=("order", "tracking"))

    texts = [
        render_for(account(columns=("order", "items")).mail_options(who), normal(), context)[0].text
        for who in (office, driver)
    ]

    assert ["Kettle" in text for text in texts] == [True, False]
    assert ["MD4500022" in text for text in texts] == [False, True]


def test_the_innermost_group_that_chooses_columns_wins() -> None:
    groups = {
        "all": ContactGroup("all", ("drivers", "ana@example.com"), columns=("order", "value")),
        "drivers": ContactGroup("drivers", ("east",), columns=("order", "tracking")),
        "east": ContactGroup("east", ("jana@example.com",)),
    }

    found = {one.mailbox.address: one.columns for one in resolve(["all"], groups, language="en")}

    assert found == {
        "jana@example.com": ("order", "tracking"),
        "ana@example.com": ("order", "value"),
    }
