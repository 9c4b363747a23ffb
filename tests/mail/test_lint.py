"""The findings of the lint; no input makes it fail."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings

from notifier.domain.orders import Item
from notifier.mail.lint import LintFinding, Severity, expected_of, lint
from notifier.mail.render import RenderedMail, Renderer
from tests.days import huge
from tests.factories import account, digest, mail_options, order, sender
from tests.mail.small_mail import EXPECTED, MAIL, anything, with_body, with_style

NOTE, WARNING, ERROR = Severity


def found(mail: RenderedMail) -> tuple[LintFinding, ...]:
    return lint(mail, EXPECTED)


def test_a_good_mail_has_no_finding() -> None:
    assert found(MAIL) == ()


@pytest.mark.parametrize(
    ("html", "severity", "what"),
    [
        ("<script>1</script>", ERROR, "mail programs remove <script>"),
        ('<form action="x">a</form>', ERROR, "mail programs remove <form>"),
        ("<input>", ERROR, "mail programs remove <input>"),
        ("<iframe></iframe>", ERROR, "mail programs remove <iframe>"),
        ("<object></object>", ERROR, "mail programs remove <object>"),
        ("<svg></svg>", ERROR, "mail programs remove <svg>"),
        ("<video></video>", ERROR, "mail programs remove <video>"),
        ("<audio></audio>", ERROR, "mail programs remove <audio>"),
        ('<link rel="stylesheet" href="x">', ERROR, "mail programs remove <link>"),
        ('<base href="/">', ERROR, "mail programs remove <base>"),
        (
            '<meta http-equiv="Refresh" content="0">',
            ERROR,
            "mail programs ignore a refresh",
        ),
        ('<p onclick="x()">a</p>', ERROR, "mail programs remove onclick"),
        (
            '<img alt="a" src="https://example.com/a.png">',
            ERROR,
            "src loads something from a server",
        ),
        ('<img alt="a" src="//example.com/a.png">', ERROR, "src loads something from a server"),
        ('<img alt="a" src="logo.png">', ERROR, 'the file of src "logo.png" is not in the mail'),
        ('<img alt="a" src="cid:logo">', ERROR, 'the file of src "cid:logo" is not in the mail'),
        ('<img alt="a" src="data:image/png;base64,AA">', WARNING, "Gmail and Outlook do not show"),
        (
            '<p background="https://example.com/a.png">a</p>',
            ERROR,
            "background loads something from a server",
        ),
        (
            "<p style=\"background: #fff url('https://example.com/a')\">a</p>",
            ERROR,
            "the style loads something from a server",
        ),
        (
            '<!--[if mso]><v:fill src="https://example.com/a.png"/><![endif]-->',
            ERROR,
            "the comment for Outlook loads something from a server",
        ),
        ('<img src="data:,a">', WARNING, "the image has no alt text"),
        (
            "<table><tr><td>a</td></tr></table>",
            WARNING,
            "screen readers read the table as a table of data",
        ),
        (
            '<table role="presentation"><tr><th>a</th></tr></table>',
            WARNING,
            "the table heading does not say which cells",
        ),
        ('<a href="">a</a>', WARNING, "the link has no address"),
        (
            '<a href="https://evil.example/">a</a>',
            ERROR,
            "the link leads to evil.example, which is",
        ),
        ('<a href="https://notexample.com/">a</a>', ERROR, "the link leads to notexample.com"),
        (
            '<a href="https://example.com@evil.example/">a</a>',
            ERROR,
            "the link leads to evil.example",
        ),
        ('<a href="http://portal.example/">a</a>', WARNING, "the link is not encrypted"),
        ('<a href="/orders">a</a>', ERROR, 'the link "/orders" does not work in a mail'),
        ('<a href="#top">a</a>', ERROR, 'the link "#top" does not work in a mail'),
        (
            '<a href="javascript:a()">a</a>',
            ERROR,
            'mail programs do not open the link "javascript:a()"',
        ),
        ('<a href="https://[">a</a>', ERROR, "the link leads to https://["),
        ("<p>see www.evil.example</p>", ERROR, "the link leads to www.evil.example"),
        ("<p>{{ mail.day }}</p>", ERROR, '"{{ mail.day }}" looks like template code'),
        ("<p>a {count} b</p>", ERROR, '"{count}" looks like template code'),
        ("<p>a {% if</p>", ERROR, '"{%" looks like template code'),
        ("<![x[", ERROR, "the HTML is broken from here on"),
        ("&#" + "9" * 5000 + ";", ERROR, "the HTML is broken from here on"),
        ("<i>" * 300, WARNING, "elements are nested 100 deep"),
        (
            f"<p>{'a' * 95_000}</p>",
            WARNING,
            "bytes, and Gmail hides everything after 102,400",
        ),
        (
            f"<p>{'a' * 103_000}</p>",
            ERROR,
            "bytes, and Gmail hides everything after 102,400",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_the_html_of_a_mail_has_the_finding(html: str, severity: Severity, what: str) -> None:
    findings = found(with_body(html))

    (finding, *_) = [one for one in findings if what in one.what]
    assert finding.severity is severity
    assert finding.remedy


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://PORTAL.example/orders/1">a</a>',
        '<a href="https://www.example.com/">a</a>',
        '<a href="mailto:admin@elsewhere.example?subject=a">a</a>',
        '<table role="none"><tr><td>a</td></tr></table>',
        '<table><tr><th scope="col">a</th></tr></table>',
        '<img alt="" width="1">',
        "<p>a<p>b<ul><li>c<li>d</ul>",
    ],
)
def test_nothing_is_wrong_with(html: str) -> None:
    assert found(with_body(html)) == ()


@pytest.mark.parametrize(
    ("css", "line"),
    [
        ("@import 'a.css';", 3),
        ("\n@font-face { src: url(a.woff) }", 4),
        ("@media print { @font-face { src: local(a) } }", 3),
        (".a { color: red }\n.a { list-style: url( 'x') }", 4),
    ],
)
def test_in_a_style_sheet_it_finds_what_is_loaded(css: str, line: int) -> None:
    (finding,) = found(with_style(css))

    assert (finding.severity, finding.where) == (ERROR, f"line {line}")
    assert "the style sheet loads something from a server" in finding.what


@pytest.mark.parametrize(
    ("change", "severity", "what", "where"),
    [
        ({"broken": "no"}, ERROR, "the built-in ones made the mail: no", "your own templates"),
        ({"subject": " "}, ERROR, "it is empty", "the subject"),
        ({"subject": "a\nb"}, ERROR, "it has more than one line", "the subject"),
        ({"subject": "a" * 79}, WARNING, "it has 79 characters", "the subject"),
        ({"subject": "{{ a }}"}, ERROR, "looks like template code", "the subject"),
        ({"preheader": "{% a %}"}, ERROR, "looks like template code", "the preview line"),
        ({"preheader": "Other"}, NOTE, "there is no preview line", "the HTML part"),
        ({"text": ""}, ERROR, "it is empty", "the text part"),
        ({"text": "a" * 79}, WARNING, "the line is longer than 78", "the text part, line 1"),
        ({"text": "http://example.com"}, WARNING, "is not encrypted", "the text part, line 1"),
        ({"text": "\nhttps://evil.example"}, ERROR, "leads to evil", "the text part, line 2"),
        ({"text": "2 4500001"}, ERROR, "order 4500002 is missing (1 of 2)", "the text part"),
        ({"text": "2 4500001 EXT-4500002"}, ERROR, "order 4500002 is missing", "the text part"),
        ({"text": "4500001 4500002"}, ERROR, "headline number 2 is missing", "the text part"),
        ({"html": ""}, ERROR, "it contains no order", "the HTML part"),
        ({"html": "<p>4500002"}, ERROR, "order 4500001 is missing, though", "the HTML part"),
        ({"html": "<p>4500001"}, WARNING, "no language is declared", "the HTML part"),
        (
            {"html": '<html lang="sl">'},
            WARNING,
            'the language is declared as "sl"',
            "line 1, <html>",
        ),
        ({"html": "<p>4500001"}, WARNING, "there is no title", "the HTML part"),
        (
            {"html": '<p>4500002</p><p style="color:red; Display : none">4500001</p>'},
            ERROR,
            "order 4500001 is missing",
            "the HTML part",
        ),
        (
            {"html": "<p>4500002</p><div hidden><b>4500001</b></div>"},
            ERROR,
            "order 4500001 is missing",
            "the HTML part",
        ),
    ],
)
def test_the_parts_of_a_mail_have_the_finding(
    change: dict[str, str], severity: Severity, what: str, where: str
) -> None:
    findings = [one for one in found(replace(MAIL, **change)) if what in one.what]

    assert (findings[0].severity, findings[0].where) == (severity, where)


def test_braces_in_the_text_of_a_seller_are_no_template_code() -> None:
    titles = ("{{ Wi-Fi }} {count}", "50 %} off", "{%", "{{ " + "long " * 60)
    day = digest(order(items=tuple(Item(title, 1) for title in titles), external_id="{#1#}"))
    mail = Renderer().digest(day, mail_options(account(), "en"), sender())

    found_in_it = lint(mail, expected_of(day, mail_options(account(), "en"), sender()))

    assert [one for one in found_in_it if one.severity is not NOTE] == []


def test_the_same_finding_is_reported_once_with_its_first_place_and_how_many_more() -> None:
    (finding,) = found(with_body('<img class="a" width="1">' * 3))

    assert str(finding) == (
        'warning: line 5, <img class="a"> and 2 more: the image has no alt text for readers who '
        'do not see it; describe it in alt, or write alt="" if it is decoration'
    )


def test_the_most_serious_comes_first() -> None:
    findings = found(replace(with_body("<img><form></form>"), preheader="Other"))

    assert [finding.severity for finding in findings] == [ERROR, WARNING, NOTE]


def test_a_list_cut_for_lack_of_room_has_no_finding() -> None:
    day = huge(1_000)
    mail = Renderer().digest(day, mail_options(account(), "en"), sender())
    expected = expected_of(day, mail_options(account(), "en"), sender())

    assert [one for one in lint(mail, expected) if one.severity is not NOTE] == []
    assert len(expected.orders) > len(re.findall('scope="row"', mail.html)) - 2


def test_an_order_has_its_number_and_a_link_to_the_carrier() -> None:
    day = digest(order(7, external_id=None, tracking_url="https://carrier.example/7"))

    expected = expected_of(day, mail_options(account(), "sl"), sender())

    assert expected.orders == ("7",)
    assert expected.hosts == {"portal.example", "carrier.example", "example.com"}


def test_a_monstrous_page_is_read_in_moments() -> None:
    style = "<style>" + "p b { color: red } " * 2_000 + "</style>"

    attribute = "<p style='color: url(" + " " * 50_000 + ")'>"

    findings = found(with_body(attribute + style + "<b>x" * 30_000))

    assert "bytes, and Gmail hides everything after" in findings[0].what


@settings(max_examples=300, deadline=None)
@given(html=anything, text=anything, subject=anything)
def test_no_mail_makes_it_fail(html: str, text: str, subject: str) -> None:
    for finding in lint(RenderedMail("en", subject, text, text, html), EXPECTED):
        assert finding.what
        assert finding.where
        assert finding.remedy
