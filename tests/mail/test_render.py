"""The content of digest and test mail; no foreign text changes their structure."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.branding import Branding, Logo, contrast_of
from notifier.domain.columns import COLUMNS
from notifier.domain.digest import Digest, compose
from notifier.domain.orders import Item
from notifier.domain.reading import Complete, Departure, Incomplete
from notifier.domain.recipients import Mailbox, Recipient
from notifier.domain.settings import Account, PlaceOfReturn
from notifier.errors import TemplatesBroken
from notifier.i18n.language import Money, load_language
from notifier.mail.lint.expected import expected_of
from notifier.mail.lint.findings import Severity
from notifier.mail.render import MOST_HTML_BYTES, RenderedMail, Renderer
from notifier.mail.templates import templates_root
from notifier.mail.view.frame import view_branding
from notifier.mail.view.listing import MOST_ROWS, list_orders
from tests.days import huge, normal
from tests.factories import (
    DAY,
    NOON,
    account,
    account_with_password,
    digest,
    file_account,
    mail_options,
    order,
    sender,
    snapshot,
)
from tests.mail import html
from tests.mail.lint_tools import strict_lint

RENDERER = Renderer()


def render(
    shown: Digest, *, language: str = "en", group: str | None = None, of: Account | None = None
) -> RenderedMail:
    return RENDERER.digest(shown, mail_options(of or account(), language, group), sender())


def visible(mail: RenderedMail) -> str:
    """Return the text part on one line, so that a wrapped sentence is found."""
    return " ".join(mail.text.split())


def waiting(number: int, **more: Any) -> Digest:
    """Make orders that were in the snapshot of the day before."""
    orders = [order(n, **more) for n in range(1, number + 1)]
    return digest(*orders, previous=snapshot(*orders))


def incomplete(*ids: int, unread: tuple[int, ...] = (7,), **more: Any) -> Digest:
    reading = Incomplete(NOON, tuple(map(order, ids)), "page 2 of 3 failed", unread, **more)
    return compose(account(), reading, snapshot(), DAY)


@pytest.mark.parametrize(
    ("shown", "english", "slovenian"),
    [
        pytest.param(
            digest(*map(order, range(1, 13)), previous=snapshot(*map(order, range(1, 10)))),
            "12 parcels to collect (3 new) – Mimovrste, 22 Nov",
            "12 pošiljk za prevzem (3 nove) – Mimovrste, 22. nov.",
            id="some new",
        ),
        pytest.param(
            waiting(1),
            "1 parcel to collect – Mimovrste, 22 Nov",
            "1 pošiljka za prevzem – Mimovrste, 22. nov.",
            id="nothing new",
        ),
        pytest.param(
            digest(),
            "Nothing to collect – Mimovrste, 22 Nov",
            "Ni pošiljk za prevzem – Mimovrste, 22. nov.",
            id="nothing",
        ),
        pytest.param(
            incomplete(1, 2),
            "2 parcels to collect (2 new, list incomplete) – Mimovrste, 22 Nov",
            "2 pošiljki za prevzem (2 novi, seznam ni popoln) – Mimovrste, 22. nov.",
            id="incomplete",
        ),
        pytest.param(
            incomplete(),
            "The list could not be read in full – Mimovrste, 22 Nov",
            "Seznama ni bilo mogoče prebrati v celoti – Mimovrste, 22. nov.",
            id="nothing that could be read",
        ),
    ],
)
def test_the_subject_says_how_many_wait_and_are_new(
    shown: Digest, english: str, slovenian: str
) -> None:
    assert render(shown).subject == english
    assert render(shown, language="sl").subject == slovenian


def test_the_preheader_names_the_oldest_and_where_it_is() -> None:
    before = snapshot(order(1), order(2), o2=date(2026, 11, 12))

    mail = render(digest(order(1), order(2), previous=before))

    assert mail.preheader == "Oldest: 2, waiting 10 days – Branch Center"
    assert mail.preheader in mail.html


def test_everything_about_an_order_is_shown() -> None:
    full = order(
        4500001,
        items=(Item("Lamp", 2, sku="L-9", price=Money(Decimal("45.50"), "EUR")),),
        cod=Money(Decimal(91), "EUR"),
        first_delivery_attempt=datetime(2026, 11, 12, 23, 30, tzinfo=UTC),
    )

    mail = render(digest(full, previous=snapshot(full, o4500001=date(2026, 11, 15))))

    content = visible(mail)
    for words in ("4500001", "7 days, overdue", "€91.00", "COD €91.00", "2 × Lamp (L-9)"):
        assert words in content
    assert "shipped 10 Nov · first delivery attempt 13 Nov · first seen 15 Nov" in content
    assert "Your no. EXT-4500001" in content
    assert html.links(html.parse(mail.html))[:2] == [
        "https://portal.example/orders/4500001",
        "https://tracking.example/4500001",
    ]


def test_the_place_to_collect_is_the_accounts_and_is_shown_once() -> None:
    mail = render(waiting(3))

    assert mail.html.count("Branch Center") == 2  # the preheader has it, too
    assert "Example street 1" in mail.text
    assert "Mon–Fri 8–18" in mail.text
    assert "Collect here" not in render(waiting(3), of=account(place=None)).text


def test_sections_come_in_order_and_empty_ones_do_not_come() -> None:
    headings = re.findall(r"<h2[^>]*>([^<]*)", render(normal()).html)

    assert [h.replace("\u00a0", " ").replace("&nbsp;", " ") for h in headings] == [
        "New (2)",
        "Still waiting (4)",
        "No longer waiting since 21 Nov (2)",
    ]
    assert "Collected since" not in render(waiting(1)).text


def test_orders_that_left_the_list_are_shown_with_their_outcome() -> None:
    gone = {n + 1: how for n, how in enumerate(Departure)}
    before = snapshot(*map(order, gone))

    content = render(compose(account(), Complete(NOON, (), gone), before, DAY)).text

    for words in ("collected", "delivered after all", "lost", "cancelled", "no longer ready"):
        assert words in content


def test_the_first_digest_calls_nothing_new_and_says_since_when_it_watches() -> None:
    mail = render(compose(account(), Complete(NOON, (order(1), order(2))), None, DAY))

    assert "We have watched this account since 22 Nov" in visible(mail)
    assert "(2)" in mail.text
    assert not re.search(r"\bnew \(|\d new|overdue,", visible(mail))


def test_an_incomplete_list_says_what_was_not_read_and_never_that_nothing_waits() -> None:
    mail = render(incomplete(unread=(7, 8), candidates=50))

    assert "This list is incomplete" in mail.text
    assert "Orders read: 48 of 50." in visible(mail)
    assert "Not read: 7, 8" in mail.text
    assert "page 2 of 3 failed" in mail.text
    assert "Nothing to collect" not in mail.text + mail.html
    assert "nothing waits" not in visible(mail)


def test_an_unread_order_has_its_number_not_its_id() -> None:
    shown = incomplete(unread=(2**62,), numbers={2**62: "SI-17"})

    assert "Not read: SI-17" in render(shown).text
    assert "https://portal.example/orders/SI-17" in render(shown).html


@pytest.mark.parametrize("language", ["en", "sl"])
def test_the_mail_of_a_file_mentions_no_portal_and_no_marketplace(language: str) -> None:
    of = file_account(attachments=())
    early = date(2026, 12, 1)
    shown = (
        incomplete(1, unread=()),
        incomplete(1),
        replace(huge(500), day=early),
        replace(waiting(1), day=early),
    )

    content = " ".join(visible(render(one, language=language, of=of)) for one in shown).lower()

    assert "500" in content
    assert [word for word in ("portal", "marketplace", "tržnic", "pin") if word in content] == []


def test_an_incomplete_list_without_known_ids_says_so() -> None:
    assert "did not return the whole list" in visible(render(incomplete(1, unread=())))


def test_a_very_long_list_of_missing_ids_is_counted() -> None:
    mail = render(incomplete(1, unread=tuple(range(10_000, 12_000)), candidates=2001))

    assert "and 1,960 more" in visible(mail)


def test_an_order_that_was_not_read_today_is_shown_with_a_note() -> None:
    before = snapshot(order(1))

    content = visible(render(compose(account(), Incomplete(NOON, (), "why", (1,)), before, DAY)))

    assert "1 parcel to collect" in content
    assert "Could not be read today; shown as it was last time." in content


def test_days_without_a_digest_are_listed() -> None:
    skipped = (date(2026, 11, 20), date(2026, 11, 21))

    assert "No digest was sent on 20 Nov and 21 Nov." in visible(
        render(replace(waiting(1), skipped_days=skipped))
    )


def test_a_day_without_parcels_says_how_many_orders_were_read() -> None:
    mail = render(compose(account(), Complete(NOON, (), candidates=148), snapshot(), DAY))

    assert "The whole list was read (148 orders), and nothing waits for you." in visible(mail)


@pytest.mark.parametrize(("day", "reminded"), [(1, True), (5, True), (6, False), (22, False)])
def test_the_first_days_of_a_month_remind_of_the_pickup_password(day: int, reminded: bool) -> None:
    content = visible(render(replace(waiting(1), day=date(2026, 12, day))))

    assert ("Have the pickup password at hand" in content) is reminded


def test_sums_are_shown_per_currency() -> None:
    crowns = order(2, items=(Item("Rug", 1, price=Money(Decimal(900), "CZK")),), currency="CZK")

    assert "CZK900.00 and €19.90" in render(digest(order(1), crowns)).text


def test_the_trend_ends_today_and_shows_where_no_list_was_read() -> None:
    days = ((date(2026, 11, 20), 3), (date(2026, 11, 21), None))

    content = visible(render(replace(waiting(5), trend=days)))

    assert "20 Nov – 22 Nov: between 3 and 5 3 – 5" in content
    assert "Last" not in render(waiting(5)).text


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        (None, "because your address is named in the configuration."),
        ("warehouse", "because you are in the contact group “warehouse”."),
    ],
)
def test_the_footer_says_why_you_get_it_and_names_nobody_else(
    group: str | None, reason: str
) -> None:
    mail = render(waiting(1), group=group)

    assert reason in visible(mail)
    assert reason in mail.html
    others = [recipient.mailbox.address for recipient in account().recipients]
    assert not [other for other in others if other in mail.text + mail.html]


def test_the_footer_says_as_of_when_and_how_much_is_shown() -> None:
    content = visible(render(digest(order(1), order(2))))

    assert "As of Sunday, 22 November 2026, 13:00 (Europe/Ljubljana); 2 orders checked." in content
    assert "Orders shown: 2 of 2." in content
    assert "admin@example.com" in content


# What fits


def test_ten_thousand_orders_make_a_mail_that_is_shown_whole() -> None:
    shown = huge(10_000)

    mail = render(shown)

    assert 0.9 * MOST_HTML_BYTES < len(mail.html.encode()) <= MOST_HTML_BYTES
    assert len(mail.text.encode()) < MOST_HTML_BYTES
    # Wording more rows than a mail can show would make a huge digest slow.
    assert len(list_orders(shown, mail_options(), load_language("en")).ranked) == MOST_ROWS


def test_orders_without_room_are_counted_by_age_with_a_reference_to_the_file() -> None:
    shown = huge(1_000)

    mail = render(shown)

    # The longest waiting ones, as far as they fit; the sentence counts all others.
    ids = html.order_ids(html.parse(mail.html))
    assert ids == [str(entry.order.id) for entry in shown.present[: len(ids)]]
    rest = 1_000 - len(ids)
    (content,) = re.findall(r"(\d+) more waiting parcels are not shown: (.*?)\.", visible(mail))
    assert int(content[0]) == rest
    assert sum(int(n) for n in re.findall(r"(\d+) \(", content[1])) == rest
    assert "Everything that waits is in the attached CSV file." in visible(mail)


def test_without_an_attachment_the_mail_refers_to_the_portal() -> None:
    content = visible(render(huge(500), of=account(attachments=())))

    assert "Look the others up in the portal." in content
    assert "CSV" not in content


def test_monstrous_orders_still_fit() -> None:
    quote = '"' * 1_000
    monster = {
        "items": tuple(Item(quote, 1, sku=quote) for _ in range(500)),
        "tracking_numbers": tuple(quote for _ in range(500)),
        "external_id": quote,
        "tracking_url": "https://tracking.example/" + "x" * 400,
    }

    mail = render(waiting(30, **monster))

    assert len(mail.html.encode()) <= MOST_HTML_BYTES
    assert "and 492 more items, and 488 more parcels" in visible(mail)


def test_one_order_too_many_is_left_out_with_the_oldest_kept() -> None:
    orders = [order(n, items=(Item("x" * 190, 1),) * 8) for n in range(1, 60)]
    seen = {f"o{n}": date(2026, 11, 21) - timedelta(days=n % 9) for n in range(1, 60)}
    shown = digest(*orders, previous=snapshot(*orders, **seen))

    ids = html.order_ids(html.parse(render(shown).html))

    assert 0 < len(ids) < 59
    assert ids == [str(entry.order.id) for entry in shown.present[: len(ids)]]


# Foreign text

ALLOWED = re.compile(
    r"https://portal\.example/orders/[17]|https://tracking\.example/1"
    r"|mailto:admin@example\.com(\?subject=Unsubscribe%3A%20ljubljana)?"
)
LINK = re.compile(r"(?i)\b(?:https?|ftp|file)://[^\s)\"'<>]*|\bwww\.\S+")


def foreign(text: str) -> Digest:
    """Build a digest with this text in every field that others can fill."""
    typed = f"x{text}"
    one = order(
        1,
        external_id=typed,
        tracking_numbers=(typed, typed),
        items=(Item(typed, 1, sku=typed, article_id=typed),),
    )
    return compose(account(), Incomplete(NOON, (one,), typed, (7,)), snapshot(), DAY)


EVIL = (
    *("<b>", "</td></tr>", "<a href=//evil.example>", "https://evil.example/", "www.evil.com"),
    *("\r\nBcc: a@evil.example", "\n  4500001  new", "\n-- \n", "{{ 7*7 }}", "{% raw %}"),
    *("{count}", "%s", "&lt;", "&#60;", "]]>", "<!--", "-->", "\u202e", "\u200b", "'", '"', " "),
)
hostile = st.text() | st.lists(st.sampled_from(EVIL)).map("".join)


@settings(max_examples=50, deadline=None)
@given(hostile)
def test_no_foreign_text_adds_an_element_a_link_or_a_line(text: str) -> None:
    mail = render(foreign(text))

    root = html.parse(mail.html)
    # The same elements and attributes as without the text: it stayed text.
    assert html.shape(root) == html.shape(html.parse(render(foreign("")).html))
    assert [link for link in html.links(root) if not ALLOWED.fullmatch(link)] == []
    assert not LINK.search(mail.text.replace("https://tracking.example/1\n", ""))
    assert re.findall(r"(?m)^  \d+  ", mail.text) == ["  1  "]
    assert not re.search(r"(?m)^-- ?$", mail.text)


@settings(max_examples=30, deadline=None)
@given(hostile)
def test_no_text_of_the_configuration_adds_an_element_or_a_line(text: str) -> None:
    def shown(typed: str) -> RenderedMail:
        shop = account(name=typed, place=PlaceOfReturn(typed, typed, typed))
        day = replace(foreign(""), account_name=typed)
        return render(day, group=typed, of=shop)

    mail = shown(f"x{text}")

    assert html.shape(html.parse(mail.html)) == html.shape(html.parse(shown("x").html))
    assert re.findall(r"(?m)^  \d+  ", mail.text) == ["  1  "]
    assert "\n" not in mail.subject + mail.preheader


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://evil.example/<b>",
        'https://evil.example/"onclick="x',
        "https://user@evil.example/",
        "https://evil.example/\n1",
        "https://evil.example/\u202e",
        "https://evil.example/" + "x" * 500,
        "data:text/html,x",
    ],
)
def test_an_address_of_a_carrier_that_cannot_be_trusted_is_no_link(url: str) -> None:
    mail = render(waiting(1, tracking_url=url))

    assert "evil" not in mail.html + mail.text
    assert "javascript" not in mail.html
    assert "MD1" in mail.text


# The test mail


def test_the_test_mail_says_that_it_arrived_and_what_the_digest_will_be() -> None:
    reader = account().recipients[1]

    mail = RENDERER.test(account(), sender(), replace(reader, language="en"))

    assert mail.subject == "Test mail – Mimovrste"
    content = visible(mail)
    assert "This is a test, and it has arrived." in content
    assert "The digest of the parcels to collect will come to this address." in content
    assert "Daily at 06:00 (Europe/Ljubljana)" in content
    assert "office@example.com" not in mail.text + mail.html
    html.parse(mail.html)


def test_the_test_mail_promises_no_digest_to_an_admin_who_gets_none() -> None:
    admin = Recipient(Mailbox("admin@example.com"), "en")

    assert "goes to other addresses" in visible(RENDERER.test(account(), sender(), admin))


# Templates


def test_an_own_template_replaces_the_built_in_one(tmp_path: Path) -> None:
    own = tmp_path / "mail" / "digest"
    own.mkdir(parents=True)
    (own / "subject.txt").write_text("Ours: {{ mail.headline.subject }}")

    mail = Renderer(tmp_path).digest(waiting(1), mail_options(account(), "en"), sender())

    assert mail.subject == "Ours: 1 parcel to collect – Mimovrste, 22 Nov"
    assert mail.html == render(waiting(1)).html


@pytest.mark.parametrize(
    "broken",
    ["{{ mail.nonsense }}", "{% for %}", "{{ ''.__class__.__mro__ }}", "{{ 1 / 0 }}"],
)
def test_a_broken_own_template_does_not_keep_the_mail_from_being_made(
    broken: str, tmp_path: Path
) -> None:
    own = tmp_path / "mail" / "digest"
    own.mkdir(parents=True)
    (own / "body.html").write_text(broken)

    mail = Renderer(tmp_path).digest(waiting(1), mail_options(account(), "en"), sender())

    assert "1 parcel to collect" in mail.text
    assert "Your own templates could not be used" in mail.text
    assert "Your own templates could not be used" in mail.html
    assert mail.broken


@pytest.mark.parametrize(
    ("name", "says_nothing"),
    [
        ("subject.txt", " \n"),
        ("body.txt", "{# nothing #}"),
        ("body.html", ""),
        ("body.html", "<style>p { color: red }</style><p>&nbsp;</p><!-- nothing -->"),
        ("body.html", "<div style='display: none'>{{ mail.headline.preheader }}</div>"),
    ],
)
def test_an_own_template_that_prints_nothing_is_broken(
    name: str, says_nothing: str, tmp_path: Path
) -> None:
    own = tmp_path / "mail" / "digest"
    own.mkdir(parents=True)
    (own / name).write_text(says_nothing)

    mail = Renderer(tmp_path).digest(waiting(1), mail_options(account(), "en"), sender())

    assert mail.broken == f"no text is visible in {name}"
    assert "1 parcel to collect" in mail.text


def test_an_own_test_mail_that_prints_nothing_is_broken(tmp_path: Path) -> None:
    (tmp_path / "mail" / "test").mkdir(parents=True)
    (tmp_path / "mail" / "test" / "body.txt").write_text("")

    with pytest.raises(TemplatesBroken, match="no text is visible in body"):
        Renderer(tmp_path).test(account(), sender(), Recipient(Mailbox("a@example.com"), "en"))


WORDS = re.compile(r"[^\W\d_]{2,}")


@pytest.mark.parametrize(
    "path",
    sorted(templates_root().glob("mail/**/*.*")),
    ids=lambda path: path.relative_to(templates_root()).as_posix(),
)
def test_a_template_has_no_word_that_is_not_in_the_catalogs(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    layout = re.sub(r"(?s)\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", source)
    if path.suffix == ".html":
        labels = re.findall(r'(?:title|alt|aria-label|placeholder)="([^"]*)"', layout)
        layout = re.sub(r"(?s)<style.*?</style>|<!--.*?-->|<[^>]*>|&\w+;", "", layout)
        layout += " ".join(labels)

    assert WORDS.findall(layout) == []


def test_the_built_in_templates_are_found() -> None:
    assert (templates_root() / "mail" / "digest" / "body.html").is_file()


@pytest.mark.parametrize(("group", "times"), [("warehouse", 1), ("office", 0), (None, 0)])
def test_the_pickup_password_is_shown_to_the_groups_that_may_see_it(
    group: str | None, times: int
) -> None:
    mail = Renderer().digest(
        digest(order(1)), mail_options(account_with_password("4711"), "en", group), sender()
    )

    assert mail.html.count("Pickup password: 4711") == times
    assert mail.text.count("Pickup password: 4711") == times


def test_the_pickup_password_is_not_shown_if_nothing_is_to_collect() -> None:
    mail = Renderer().digest(
        digest(), mail_options(account_with_password("4711"), "en", "warehouse"), sender()
    )

    assert "4711" not in mail.html + mail.text


@pytest.mark.parametrize(
    ("header", "text"), [("#12404f", "#ffffff"), ("#7a1f3d", "#ffffff"), ("#ffd24a", "#000000")]
)
def test_an_account_has_its_own_colours_and_its_title_can_be_read_on_them(
    header: str, text: str
) -> None:
    look = Branding(header, "#7a1f3d", Logo("png", b"png"))
    shop = account(branding=look)

    mail = Renderer().digest(digest(order(1)), mail_options(shop, "en"), sender())

    assert f'bgcolor="{header}"' in mail.html
    (title,) = re.findall(r'<h1 style="([^"]*)"', mail.html)
    assert f"color:{text}" in title.replace("color: ", "color:")
    assert 'src="cid:logo@ready-to-return.invalid"' in mail.html
    found = strict_lint(mail, expected_of(digest(order(1)), mail_options(shop, "en"), sender()))
    assert [finding for finding in found if finding.severity is Severity.ERROR] == []


@given(st.integers(0, 0xFFFFFF))
def test_text_on_any_header_has_the_contrast_of_text(number: int) -> None:
    look = view_branding(Branding(f"#{number:06x}"))

    assert contrast_of(look.title, look.header) >= 4.5
    assert contrast_of(look.small, look.header) >= 4.5


def test_without_a_logo_there_is_no_picture() -> None:
    assert "<img" not in render(digest(order(1))).html


SEEN = {
    "external_id": "Your no. EXT-4500001",
    "tracking": "MD4500001",
    "tracking_url": "https://tracking.example/4500001",
    "items": "Kuhalnik",
    "value": "€35.00",
    "cod": "COD €34.99",
    "shipped": "shipped 10 Nov",
    "first_attempt": "first delivery attempt 5 Nov",
    "first_seen": "first seen 8 Nov",
}


@pytest.mark.parametrize("left_out", SEEN)
def test_a_column_that_is_not_chosen_is_the_only_one_left_out(left_out: str) -> None:
    columns = tuple(name for name in COLUMNS if name != left_out)

    mail = render(normal(), of=account(columns=columns))
    row = mail.text.split("\n  4500001 ")[1].split("\n  4500007 ")[0]
    content = " ".join(row.split())

    assert {name for name, words in SEEN.items() if words not in content} == {left_out}
    html = " ".join(mail.html.replace("\u00a0", " ").split())
    assert ("Kuhalnik" in html) == (left_out != "items")
    assert ("tracking.example/4500001" in html) == (left_out != "tracking_url")


def test_the_number_of_an_order_and_its_days_are_always_shown() -> None:
    mail = render(normal(), of=account(columns=("order",)))

    assert "4500001  14 days, overdue\n" in mail.text
    assert "14 days" in mail.html.replace("\u00a0", " ")


def order_as_shown(*columns: str) -> tuple[str, str]:
    """Return an order with two items, as text and HTML show it with these columns."""
    mail = render(normal(), of=account(columns=("order", *columns)))
    text = mail.text.split("\n  4500007 ")[1].split("\n  4500012 ")[0]
    html = mail.html.replace("\u00a0", " ").replace("&nbsp;", " ")
    cells = html[html.index(">4500007<") : html.index(">4500012<")]
    return text, re.sub(r"<[^>]+>", " ", cells)


@pytest.mark.parametrize("part", [0, 1], ids=["text", "html"])
@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (("external_id", "tracking"), ("Your no.", "MD4500007")),
        (("tracking", "external_id"), ("MD4500007", "Your no.")),
        (("shipped", "first_seen"), ("shipped 10 Nov", "first seen 14 Nov")),
        (("first_seen", "shipped"), ("first seen 14 Nov", "shipped 10 Nov")),
    ],
)
def test_values_that_share_a_place_come_in_the_order_of_the_columns(
    columns: tuple[str, ...], words: tuple[str, str], part: int
) -> None:
    content = order_as_shown(*columns)[part]

    assert 0 <= content.find(words[0]) < content.find(words[1])


@pytest.mark.parametrize(
    ("columns", "words", "absent"),
    [
        (("items",), "2 × Namizna svetilka", "ŠK-10453/A"),
        (("sku",), "2 × ŠK-10453/A", "Namizna"),
        (("pieces",), "3 pieces", "×"),
        ((), "8 days", "3 pieces"),
    ],
)
def test_an_order_is_shown_with_the_chosen_columns(
    columns: tuple[str, ...], words: str, absent: str
) -> None:
    for content in order_as_shown(*columns):
        assert words in " ".join(content.split())
        assert absent not in content


def test_cash_on_delivery_can_come_before_the_value() -> None:
    html = render(normal(), of=account(columns=("order", "cod", "value"))).html
    cell = html[html.index(">4500001<") : html.index(">4500007<")].replace("\u00a0", " ")

    assert cell.index("COD €34.99") < cell.index("€35.00")
