"""What a lint finds wrong with a mail, and that nothing in one can make it fail."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.orders import Item
from notifier.mail.html import parse_html
from notifier.mail.lint import Expected, LintFinding, Severity, expected_of, lint
from notifier.mail.lint.cascade import Scheme
from notifier.mail.lint.contrast import seen
from notifier.mail.lint.css import declarations, sheet
from notifier.mail.render import RenderedMail, Renderer
from tests.days import huge
from tests.factories import account, digest, order, sender
from tests.mail.golden import digest_mail

STYLE = "p { margin: 0; }"
BODY = "<p>4500001 and 4500002 wait: 2 parcels</p>"
HTML = f"""\
<!DOCTYPE html>
<html lang="en">
<head><title>2 parcels</title><style>{STYLE}</style></head>
<body><div style="display:none; mso-hide:all">Oldest: 4500001</div>
{BODY}
</body>
</html>
"""
MAIL = RenderedMail("en", "2 parcels", "Oldest: 4500001", "2 parcels\n4500001\n4500002\n", HTML)
EXPECTED = Expected(
    frozenset({"portal.example", "example.com"}), ("4500001", "4500002"), numbers=("2",)
)
NOTE, WARNING, ERROR = Severity


def found(mail: RenderedMail) -> tuple[LintFinding, ...]:
    return lint(mail, EXPECTED)


def with_body(html: str) -> RenderedMail:
    return replace(MAIL, html=HTML.replace(BODY, BODY + html))


def with_style(css: str) -> RenderedMail:
    return replace(MAIL, html=HTML.replace(STYLE, css))


def test_a_good_mail_has_no_finding() -> None:
    assert found(MAIL) == ()


@pytest.mark.parametrize(
    ("html", "severity", "what"),
    [
        ("<script>1</script>", ERROR, "mail programs take <script> out"),
        ('<form action="x">a</form>', ERROR, "mail programs take <form> out"),
        ("<input>", ERROR, "mail programs take <input> out"),
        ("<iframe></iframe>", ERROR, "mail programs take <iframe> out"),
        ("<object></object>", ERROR, "mail programs take <object> out"),
        ("<svg></svg>", ERROR, "mail programs take <svg> out"),
        ("<video></video>", ERROR, "mail programs take <video> out"),
        ("<audio></audio>", ERROR, "mail programs take <audio> out"),
        ('<link rel="stylesheet" href="x">', ERROR, "mail programs take <link> out"),
        ('<base href="/">', ERROR, "mail programs take <base> out"),
        (
            '<meta http-equiv="Refresh" content="0">',
            ERROR,
            "mail programs do not go to another page",
        ),
        ('<p onclick="x()">a</p>', ERROR, "nothing runs in a mail: onclick"),
        (
            '<img alt="a" src="https://example.com/a.png">',
            ERROR,
            "src would be loaded from a server",
        ),
        ('<img alt="a" src="//example.com/a.png">', ERROR, "src would be loaded from a server"),
        ('<img alt="a" src="logo.png">', ERROR, 'src "logo.png" is not in the mail'),
        ('<img alt="a" src="cid:logo">', ERROR, 'src "cid:logo" is not in the mail'),
        ('<img alt="a" src="data:image/png;base64,AA">', WARNING, "Gmail and Outlook do not show"),
        (
            '<p background="https://example.com/a.png">a</p>',
            ERROR,
            "background would be loaded from a server",
        ),
        (
            "<p style=\"background: #fff url('https://example.com/a')\">a</p>",
            ERROR,
            "background would be loaded from a server",
        ),
        (
            '<!--[if mso]><v:fill src="https://example.com/a.png"/><![endif]-->',
            ERROR,
            "Outlook for Windows would load something",
        ),
        ('<img src="data:,a">', WARNING, "who does not see the image is told nothing"),
        ("<table><tr><td>a</td></tr></table>", WARNING, "screen readers take it for a table"),
        (
            '<table role="presentation"><tr><th>a</th></tr></table>',
            WARNING,
            "a heading does not say of what",
        ),
        ('<a href="">a</a>', WARNING, "it leads nowhere"),
        ("<p hidden>a</p>", WARNING, "outlook.com show what is hidden"),
        (
            '<p style="padding: 4px">a</p>',
            NOTE,
            "Outlook for Windows lacks padding outside of cells",
        ),
        ('<b style="display: block">a</b>', NOTE, "Outlook for Windows lacks display: block"),
        ('<a href="https://evil.example/">a</a>', ERROR, "it leads to evil.example, which is"),
        ('<a href="https://notexample.com/">a</a>', ERROR, "it leads to notexample.com"),
        ('<a href="https://example.com@evil.example/">a</a>', ERROR, "it leads to evil.example"),
        ('<a href="http://portal.example/">a</a>', WARNING, "it leads there without encryption"),
        ('<a href="/orders">a</a>', ERROR, '"/orders" leads nowhere'),
        ('<a href="#top">a</a>', ERROR, '"#top" leads nowhere'),
        ('<a href="javascript:a()">a</a>', ERROR, '"javascript:a()" is opened by no mail program'),
        ('<a href="https://[">a</a>', ERROR, "it leads to https://["),
        ("<p>see www.evil.example</p>", ERROR, "it leads to www.evil.example"),
        ('<p style="color:#999999">a</p>', ERROR, "#999999 on #ffffff has a contrast of 2.85"),
        ('<p style="color:#777">a</p>', WARNING, "#777777 on #ffffff has a contrast of 4.48"),
        ('<p style="color:white"><b>a</b></p>', ERROR, "#ffffff on #ffffff has a contrast of 1.0"),
        ('<p bgcolor="#0000c0"><a href="tel:1">a</a></p>', ERROR, "#0000ee on #0000c0 has"),
        (
            '<p style="background:#000;color:rgba(255, 255, 255, .2)">a</p>',
            ERROR,
            "#ffffff on #000000 has",
        ),
        ("<p>{{ mail.day }}</p>", ERROR, '"{{ mail.day }}" looks like a template'),
        ("<p>a {count} b</p>", ERROR, '"{count}" looks like a template'),
        ("<p>a {% if</p>", ERROR, '"{%" looks like a template'),
        ("<style>p { margin: 0 }</style>", WARNING, "there are 2 style elements"),
        (
            "<style>p { margin: 0 }</style>",
            WARNING,
            "Gmail and Outlook for Windows take no styles from the body",
        ),
        ("<![x[", ERROR, "from here on no program can be relied on"),
        ("&#" + "9" * 5000 + ";", ERROR, "from here on no program can be relied on"),
        ("<i>" * 300, WARNING, "elements are nested 100 deep"),
        (f"<p>{'a' * 95_000}</p>", WARNING, "and Gmail hides what is beyond 102,400"),
        (f"<p>{'a' * 103_000}</p>", ERROR, "bytes, and Gmail hides the end"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)
def test_of_a_page_it_finds(html: str, severity: Severity, what: str) -> None:
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
        '<p style="color:#767676">a</p>',
        '<p style="color:#fff;display:none;mso-hide:all">a</p>',
        '<table role="none"><tr><td>a</td></tr></table>',
        '<table><tr><th scope="col">a</th></tr></table>',
        '<img alt="" width="1">',
        "<p>a<p>b<ul><li>c<li>d</ul>",
    ],
)
def test_nothing_is_wrong_with(html: str) -> None:
    assert found(with_body(html)) == ()


def test_what_stands_before_a_picture_is_not_judged_by_its_colour() -> None:
    picture = "background: linear-gradient(#000, #111)"

    findings = found(with_body(f'<p style="color: #fff; {picture}">a</p>'))

    assert [one.what for one in findings] == ["Outlook for Windows and outlook.com lack a gradient"]


@pytest.mark.parametrize(
    ("css", "severity", "what"),
    [
        ("position: absolute", WARNING, "Gmail, Outlook for Windows and outlook.com lack position"),
        ("float: left", WARNING, "Outlook for Windows lacks float"),
        ("display: flex", WARNING, "Outlook for Windows lacks display: flex"),
        ("display: inline-grid", WARNING, "Outlook for Windows lacks display: grid"),
        ("grid-template-columns: 1fr 1fr", WARNING, "lack the columns of a grid"),
        ("flex-direction: column", WARNING, "lack the direction of a flex"),
        ("visibility: hidden", WARNING, "Gmail and Outlook for Windows lack visibility"),
        ("margin-inline: 2px", WARNING, "lack a logical property"),
        ("width: 50vw", WARNING, "lacks a length in rem, or in parts of the window"),
        ("color: oklch(0.5 0 0)", WARNING, "outlook.com and Thunderbird lack a colour of lch()"),
        ("color: light-dark(#111, #eee)", WARNING, "lack light-dark()"),
        ("column-gap: 3px", WARNING, "lack gap"),
        ("display: none", WARNING, "Outlook for Windows lacks display: none"),
        ("background: linear-gradient(red, blue)", WARNING, "lack a gradient"),
        ("max-width: 600px", WARNING, "Outlook for Windows lacks max-width"),
        ("object-fit: cover", WARNING, "lacks object-fit"),
        ("color: var(--ink)", WARNING, "lack var()"),
        ("--ink: red", NOTE, "lack a variable"),
        ("width: calc(100% - 2px)", WARNING, "lack calc()"),
        ("width: min(10px, 5%)", WARNING, "lack min(), max() or clamp()"),
        ("border-color: rgba(0,0,0,.5)", WARNING, "lacks a transparent colour"),
        ("transform: none", WARNING, "lack transform"),
        ("color: rgb(0 0 0 / 1)", WARNING, "Gmail drops all styles beside a colour"),
        ("filter: none", NOTE, "lack filter"),
        ("border-top-left-radius: 3px", NOTE, "lacks border-radius"),
        ("box-shadow: 0 0 2px red", NOTE, "lack a shadow"),
        ("text-shadow: 0 0 2px red", NOTE, "and outlook.com lack a shadow of text"),
        ("animation: a 1s", NOTE, "outlook.com and Thunderbird lack an animation"),
        ("transition: all 1s", NOTE, "lack a transition"),
    ],
)
def test_of_a_style_it_finds_who_lacks_it(css: str, severity: Severity, what: str) -> None:
    inline = found(with_body(f'<p style="{css}">a</p>'))
    in_head = found(with_style(f".a {{ margin: 0; {css} }}"))

    for findings in (inline, in_head):
        (finding,) = [one for one in findings if what in one.what]
        assert finding.severity is severity
        assert finding.remedy


@pytest.mark.parametrize(
    "css",
    [
        "position: static",
        "float: none",
        "display: none; mso-hide: all",
        "background-color: #eee; background-image: linear-gradient(red, blue)",
        "width: 90px; width: calc(100% - 2px)",
        "color: #111; color: var(--ink)",
        "border-color: #ccc; border-color: rgba(0,0,0,.5)",
        "width: 600px; max-width: 600px",
        "padding: 0",
        "width: 90px; width: 9rem",
    ],
)
def test_a_style_with_a_fallback_is_no_finding(css: str) -> None:
    assert found(with_body(f'<p style="{css}">a</p>')) == ()


def test_a_table_for_outlook_makes_up_for_max_width() -> None:
    table = '<table role="presentation" width="600"><tr><td>'
    html = f'<!--[if mso]>{table}<![endif]--><p style="max-width: 600px">a</p>'

    assert found(with_body(html)) == ()


def test_what_stands_in_a_media_query_is_an_extra_that_outlook_never_sees() -> None:
    findings = found(
        with_style("@media (max-width: 599px) { .a { float: left; position: absolute; } }")
    )

    assert [(one.severity, one.what) for one in findings] == [
        (NOTE, "Gmail and outlook.com lack position")
    ]


@pytest.mark.parametrize(
    ("css", "severity", "what"),
    [
        ("@import 'a.css';", ERROR, "@import would load something from a server"),
        ("@font-face { src: url(a.woff) }", ERROR, "@font-face would load something"),
        (
            "@media print { @font-face { src: url(a) } }",
            ERROR,
            "@font-face would load something from a server",
        ),
        (".a { list-style: url(x) }", ERROR, "list-style would be loaded from a server"),
        (
            "@media all { @media print { .a { margin: 0 } } }",
            WARNING,
            "Gmail drops the whole style element",
        ),
        ("@supports (a: b) { .a { margin: 0 } }", NOTE, "and Thunderbird lack @supports"),
        ("@keyframes a { to { margin: 0 } }", NOTE, "and outlook.com lack @keyframes"),
        ("a:hover { color: red }", NOTE, "lack :hover"),
        ("a:visited { color: red }", NOTE, "and Apple Mail lack :focus, :active or :visited"),
        ("p:first-child { margin: 0 }", NOTE, "lack a selector by place"),
        ("p::before { content: 'a' }", WARNING, "lack ::before or ::after"),
        (".a.b { margin: 0 }", NOTE, "and outlook.com lack a selector of several names"),
        (f"/* {'a' * 17_000} */", WARNING, "Gmail drops styles beyond 16,384 bytes"),
        ("p { color: #fff }", ERROR, "#ffffff on #ffffff has a contrast of 1.0"),
        (
            "@media (prefers-color-scheme: dark) { body { background: #000 } p { color: #111 } }",
            ERROR,
            "#111111 on #000000 has a contrast of 1.11 where the reader has dark colours",
        ),
    ],
)
def test_of_a_style_sheet_it_finds(css: str, severity: Severity, what: str) -> None:
    (finding, *_) = [one for one in found(with_style(css)) if what in one.what]

    assert finding.severity is severity
    assert finding.where.startswith("line ")


@pytest.mark.parametrize(
    ("change", "severity", "what", "where"),
    [
        ({"broken": "no"}, ERROR, "the built-in ones made the mail: no", "your own templates"),
        ({"subject": " "}, ERROR, "it is empty", "the subject"),
        ({"subject": "a\nb"}, ERROR, "it has more than one line", "the subject"),
        ({"subject": "a" * 79}, WARNING, "it has 79 characters", "the subject"),
        ({"subject": "{{ a }}"}, ERROR, "looks like a template", "the subject"),
        ({"preheader": "{% a %}"}, ERROR, "looks like a template", "the preview line"),
        ({"preheader": "Other"}, NOTE, "there is no preview line", "the HTML part"),
        ({"text": ""}, ERROR, "there is none", "the text part"),
        ({"text": "a" * 79}, WARNING, "a line is longer than 78", "the text part, line 1"),
        ({"text": "http://example.com"}, WARNING, "without encryption", "the text part, line 1"),
        ({"text": "\nhttps://evil.example"}, ERROR, "leads to evil", "the text part, line 2"),
        ({"text": "2 4500001"}, ERROR, "order 4500002 is not in it (1 of 2)", "the text part"),
        ({"text": "2 4500001 EXT-4500002"}, ERROR, "order 4500002 is not", "the text part"),
        ({"text": "4500001 4500002"}, ERROR, "headline number 2 is not in it", "the text part"),
        ({"html": ""}, ERROR, "no order is in it", "the HTML part"),
        ({"html": "<p>4500002"}, ERROR, "order 4500001 is not in it, though", "the HTML part"),
        ({"html": "<p>4500001"}, WARNING, "no program is told the language", "the HTML part"),
        ({"html": '<html lang="sl">'}, WARNING, 'it is said to be in "sl"', "line 1, <html>"),
        ({"html": "<p>4500001"}, WARNING, "it has no title", "the HTML part"),
        (
            {"html": '<p>4500002</p><p style="display:none">4500001</p>'},
            ERROR,
            "order 4500001 is not in it",
            "the HTML part",
        ),
    ],
)
def test_of_the_parts_it_finds(
    change: dict[str, str], severity: Severity, what: str, where: str
) -> None:
    findings = [one for one in found(replace(MAIL, **change)) if what in one.what]

    assert (findings[0].severity, findings[0].where) == (severity, where)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"Message-ID", b"X-Other", "error: the header Message-ID: there is none; write one"),
        (b"Subject:", b"Date: x\r\nSubject:", "error: the header Date: there are several"),
        (b"+0100", b"-0000", "warning: the header Date: it has no time zone"),
        (b"Date: Sun", b"Date: someday\r\nX: Sun", 'error: the header Date: "someday" is none'),
        (b"Message-ID: <", b"Message-ID: <<", "error: the header Message-ID:"),
        (b"MIME-Version: 1.0\r\n", b"", "error: the header MIME-Version: there is none"),
    ],
)
def test_of_the_head_of_a_finished_mail_it_finds(old: bytes, new: bytes, said: str) -> None:
    parts, message = digest_mail("en", "normal")
    assert old in message.content

    findings = lint(parts, Expected(), message.content.replace(old, new, 1))

    assert [one for one in map(str, findings) if one.startswith(said)]


def test_what_a_seller_has_typed_is_no_left_over_of_a_template() -> None:
    titles = ("{{ Wi-Fi }} {count}", "50 %} off", "{%", "{{ " + "long " * 60)
    day = digest(order(items=tuple(Item(title, 1) for title in titles), external_id="{#1#}"))
    parts = Renderer().digest(day, account(), sender(), language="en", group=None)

    found_in_it = lint(parts, expected_of(day, account(), sender(), "en"))

    assert [one for one in found_in_it if one.severity is not NOTE] == []


def test_the_same_finding_is_told_once_with_its_first_place_and_how_many_more() -> None:
    (finding,) = found(with_body('<p class="a" style="float:left">a</p>' * 3))

    assert str(finding) == (
        'warning: line 5, <p class="a"> and 2 more: Outlook for Windows lacks float; '
        'use cells of a table, or align="left" of a table or an image'
    )


def test_the_gravest_comes_first() -> None:
    findings = found(with_body('<p style="border-radius: 2px; float: left">a</p><form></form>'))

    assert [finding.severity for finding in findings] == [ERROR, WARNING, NOTE]


def test_a_list_that_was_cut_for_lack_of_room_is_as_expected() -> None:
    day = huge(1_000)
    parts = Renderer().digest(day, account(), sender(), language="en", group=None)
    expected = expected_of(day, account(), sender(), "en")

    assert [one for one in lint(parts, expected) if one.severity is not NOTE] == []
    assert len(expected.orders) > len(re.findall('scope="row"', parts.html)) - 2


def test_an_order_may_be_called_as_people_call_it_and_a_carrier_be_linked_to() -> None:
    day = digest(order(7, external_id=None, tracking_url="https://carrier.example/7"))

    expected = expected_of(day, account(), sender(), "sl")

    assert expected.orders == ("7",)
    assert expected.hosts == {"portal.example", "carrier.example", "example.com"}


# The pages it reads


@pytest.mark.parametrize(
    ("css", "colour"),
    [
        ("p { color: #111 } .a { color: #222 }", "#222222"),
        (".a { color: #222 } p { color: #111 }", "#222222"),
        ("#i { color: #333 } .a { color: #222 }", "#333333"),
        ("p { color: #111 !important } #i { color: #333 }", "#111111"),
        ("div p { color: #444 } div > p { color: #555 }", "#555555"),
        ("table p, body > p { color: #444 } * { color: #666 }", "#666666"),
        ("p:first-child, p[class] { color: #777 }", "#000000"),
        ("@media print { p { color: #888 } }", "#000000"),
        ("@media screen { p { color: #999 } }", "#999999"),
        ("body { color: #abc } p { color: inherit }", "#aabbcc"),
        ('p { content: "}"; color: #123 } /* p { color: #456 } */', "#112233"),
    ],
)
def test_the_colour_of_a_text_is_that_of_the_rule_that_wins(css: str, colour: str) -> None:
    html = f'<style>{css}</style><body><div><p id="i" class="a b">text</p></div></body>'

    (text,) = seen(parse_html(html), Scheme.LIGHT)

    assert str(text.look.colour) == colour


def test_a_rule_is_found_on_its_line() -> None:
    read = sheet("\n/* a\nb */\n@media print {\n\n .a\n { x: y }\n}", line=10)

    assert [(rule.selectors, rule.line) for rule in read.rules] == [((".a",), 15)]
    assert [(rule.name, rule.line) for rule in read.at_rules] == [("media", 13)]


def test_a_declaration_ends_outside_of_quotes_and_parentheses() -> None:
    read = declarations("A: url(data:a;b); b: ';' ! important; c; d:; e: f")

    assert [(one.name, one.value, one.important) for one in read] == [
        ("a", "url(data:a;b)", False),
        ("b", "';'", True),
        ("e", "f", False),
    ]


def test_a_monstrous_page_is_read_in_moments() -> None:
    style = "<style>" + "p b { color: red } " * 2_000 + "</style>"

    findings = found(with_body(style + "<b>x" * 30_000))

    assert "bytes, and Gmail hides the end" in findings[0].what


# What nothing can do

PIECES = (
    *("<", ">", "</", "/>", "<!", "<!--", "-->", "<![", "<![CDATA[", "]]>", "<?", "&#", "&#x", ";"),
    *("<style>", "</style>", "<script>", "<table>", "<td>", "<th>", "</p>", "<p ", 'style="', '"'),
    *("{", "}", "(", ")", "@media", "@import ", "/*", "*/", "url(", "color:", "#12345", "rgba(1,"),
    *("<a href='", "http://", "https://[", "www.", "lang=", "<html ", "bgcolor=", "'", "=", "\x00"),
    *("1" * 5_000, "<title>", "<textarea>", "\ud800", ":", ",", "*", ".", "#", " > ", "!important"),
)
anything = st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join)


@settings(max_examples=300, deadline=None)
@given(html=anything, text=anything, subject=anything)
def test_no_mail_makes_it_fail(html: str, text: str, subject: str) -> None:
    for finding in lint(RenderedMail("en", subject, text, text, html), EXPECTED):
        assert finding.what
        assert finding.where
        assert finding.remedy


@settings(max_examples=200, deadline=None)
@given(anything)
def test_no_style_makes_it_fail(css: str) -> None:
    lint(with_style(css), EXPECTED)
    lint(replace(MAIL, html=f"<p style='{css}' class=a>a"), EXPECTED)


@settings(max_examples=200, deadline=None)
@given(st.binary() | anything.map(lambda text: text.encode("utf-8", "replace")))
def test_no_head_makes_it_fail(content: bytes) -> None:
    lint(MAIL, EXPECTED, content)
    lint(MAIL, EXPECTED, b"Date: " + content)
