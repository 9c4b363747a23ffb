"""The pick-up sheet: paper to tick off and to sign."""

from __future__ import annotations

import re
import shutil
import subprocess
from io import BytesIO
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from notifier.domain.digest import Digest
from notifier.domain.orders import Item
from notifier.domain.settings import Account, PlaceOfReturn
from notifier.i18n.language import available_languages
from notifier.mail.attachments.sheet import ORDERS_PER_TABLE, pickup_sheet
from notifier.mail.attachments.sheet_layout import COLUMNS, LEFT, RIGHT, barcode, printable
from tests.days import huge, incomplete, normal
from tests.factories import account, digest, mail_options, order

LETTERS = "áčďéěíňóřšťúůýž äĺľôŕ áéíóöőúüű ąćęłńóśźż čćđšž €×–…„“”»«’ ÁČĎŐŰŁĄĘŚŹŻĐ"
"""The letters of all languages, and the other characters in our texts."""

# Texts that are hard to lay out: endless words, wide letters, and those that the fonts lack.
HOSTILE = (
    "x" * 2_000,
    "مرحبا " * 400,
    "\u202eabc\u202c",
    "漢字" * 900,
    "W" * 60,
    "Ǆ" * 2_000,
    "Ǆ lj " * 400,
    "😀" * 99,
    "\x00",
)

needs_eyes = pytest.mark.skipif(
    not (shutil.which("pdftoppm") and shutil.which("zbarimg")),
    reason="NOT CHECKED: barcodes as a scanner sees them (Debian: poppler-utils, zbar-tools)",
)


def pages(shown: Digest, language: str = "en", of: Account | None = None) -> list[str]:
    """Return the text of each page."""
    content = pickup_sheet(shown, mail_options(of or account(), language)).content
    return [page.extract_text() for page in PdfReader(BytesIO(content)).pages]


class Word(NamedTuple):
    """A word of a printed page and its edges, in points from the page's left and top."""

    text: str
    left: float
    right: float
    top: float
    bottom: float


def words(file: Path) -> list[Word]:
    """Return the words that poppler finds on the pages."""
    run = ["pdftotext", "-bbox", str(file), "-"]
    found = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    number = '="([0-9.]+)"'
    edges = f"xMin{number} yMin{number} xMax{number} yMax{number}"
    return [
        Word(text, float(left), float(right), float(top), float(bottom))
        for left, top, right, bottom, text in re.findall(f"<word {edges}>(.*?)</word>", found)
    ]


def numbers(shown: Digest) -> list[str]:
    return [str(entry.order.id) for entry in shown.present]


@pytest.mark.parametrize("count", [1, 100, 2 * ORDERS_PER_TABLE + 1])
def test_it_has_every_order_that_waits_in_the_order_of_the_mail(count: int) -> None:
    shown = huge(count)

    printed = re.findall(r"^(46\d{5})$", "\n".join(pages(shown)), re.MULTILINE)

    assert printed == numbers(shown)


def test_it_says_on_top_where_to_go_and_how_much_to_fetch() -> None:
    (page,) = pages(normal())

    assert page.index("Branch Center") < page.index("4500001")
    for text in ("Pick-up sheet", "6 parcels to collect", "Example street 1", "Mon–Fri 8–18"):
        assert text in page
    for text in ("MD4500012", "MD4500013", "2 × Namizna svetilka »Čmrlj« LED,", "ŠK-10453/A"):
        assert text in page


def test_it_is_signed_on_its_last_page_only() -> None:
    first, *_, last = pages(huge(100))

    assert "Signature" not in first
    assert last.index("Signature") > last.index("MD46")


def test_each_page_has_its_number_and_the_headings_again() -> None:
    printed = pages(huge(100))

    assert len(printed) > 9
    for number, page in enumerate(printed, 1):
        assert f"{number}/{len(printed)}" in page
        assert "Tracking number" in page
        assert "Mimovrste" in page


def test_a_list_that_is_not_whole_says_so() -> None:
    assert "so more parcels may wait for you" in "".join(pages(incomplete()))


def test_it_is_in_the_language_of_its_reader() -> None:
    (page,) = pages(normal(), "sl")

    assert "Prevzemni list" in page
    assert "6 pošiljk za prevzem" in page


@pytest.mark.parametrize("language", available_languages())
def test_every_language_can_be_printed(language: str) -> None:
    assert "□" not in "".join(pages(normal(), language))


def test_all_letters_of_the_seven_languages_can_be_printed() -> None:
    assert printable(LETTERS) == LETTERS


def test_unprintable_characters_are_one_box() -> None:
    assert printable("a 漢字 b") == "a □ b"


def test_a_title_that_cannot_be_printed_shows_a_box() -> None:
    (page,) = pages(digest(order(1, items=(Item("漢字", 1),))))

    assert "1 × □" in page


@needs_eyes
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_leaves_its_column(text: str, tmp_path: Path) -> None:
    items = tuple(Item(text, 9, sku=text) for _ in range(50))
    foul = order(1, items=items, external_id=text, tracking_numbers=(text,) * 50, number=text)
    file = tmp_path / "sheet.pdf"
    file.write_bytes(pickup_sheet(digest(foul), mail_options(account(place=None))).content)

    ends = (*accumulate(COLUMNS, initial=LEFT), RIGHT)[1:]
    found = words(file)
    top = next(word.bottom for word in found if word.text == "Items")
    below = next(word.top for word in found if word.text == "Everything")
    for word in found:
        if top < word.top < below:
            end = next(end for end in ends if word.left < end - 1)
            assert word.right <= end, word


@pytest.mark.parametrize("text", HOSTILE)
def test_one_order_never_takes_more_than_a_page(text: str) -> None:
    items = tuple(Item(text, 9, sku=text) for _ in range(50))
    foul = order(1, items=items, external_id=text, tracking_numbers=(text,) * 50, number=text)
    place = PlaceOfReturn(text, text, text)

    assert len(pages(digest(foul), of=account(name=text, place=place))) <= 3


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_printed(text: str) -> None:
    foul = order(1, items=(Item(text, 1, sku=text),), external_id=text, tracking_numbers=(text,))

    assert pages(digest(foul))


@needs_eyes
def test_a_scanner_reads_the_numbers(tmp_path: Path) -> None:
    file = tmp_path / "sheet.pdf"
    shown = digest(order(7), order(4500001), order(2, number="RET-2026/0042"))
    file.write_bytes(pickup_sheet(shown, mail_options(account(), "en")).content)
    drawn = ["pdftoppm", "-r", "200", "-png", "-singlefile", str(file), str(tmp_path / "sheet")]
    subprocess.run(drawn, check=True)

    read = subprocess.run(
        ["zbarimg", "-q", "--raw", str(tmp_path / "sheet.png")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert sorted(read.stdout.split()) == ["4500001", "7", "RET-2026/0042"]


@pytest.mark.parametrize(
    ("text", "fits"),
    [("4500001", True), ("RET-2026/0042", True), ("ŠT-1", False), ("", False), ("X" * 40, False)],
)
def test_a_barcode_is_printed_only_where_a_scanner_could_read_it(text: str, fits: bool) -> None:
    assert (barcode(text) is not None) is fits


@pytest.mark.parametrize("count", range(6, 16))
def test_an_order_and_the_lines_to_sign_stay_whole_at_the_end_of_a_page(count: int) -> None:
    printed = pages(huge(count))

    for number in numbers(huge(count)):
        (page,) = (page for page in printed if f"MD{number}" in page)
        assert f"EXT-{number}" in page
    assert "Everything ticked above" in printed[-1]
    assert "Signature" in printed[-1]


def test_the_same_digest_makes_the_same_bytes() -> None:
    file = pickup_sheet(normal(), mail_options(account(), "sl"))

    assert file == pickup_sheet(normal(), mail_options(account(), "sl"))
    assert (file.filename, file.content_type) == ("pickup-2026-11-22.pdf", "application/pdf")
