"""The findings of the stricter lint of our own mails; no input makes it fail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.mail.html import parse_html
from notifier.mail.lint import Expected, LintFinding, Severity
from notifier.mail.render import RenderedMail
from tests.mail.golden import digest_mail
from tests.mail.lint_tools import strict_lint
from tests.mail.lint_tools.cascade import Scheme
from tests.mail.lint_tools.contrast import seen
from tests.mail.lint_tools.css import declarations, sheet
from tests.mail.small_mail import EXPECTED, MAIL, anything, with_body, with_style

NOTE, WARNING, ERROR = Severity


def found(mail: RenderedMail) -> tuple[LintFinding, ...]:
    return strict_lint(mail, EXPECTED)


def test_a_good_mail_has_no_finding() -> None:
    assert found(MAIL) == ()


@pytest.mark.parametrize(
    ("html", "severity", "what"),
    [
        ("<p hidden>a</p>", WARNING, "outlook.com show what is hidden"),
        (
            '<p style="padding: 4px">a</p>',
            NOTE,
            "Outlook for Windows lacks padding outside of cells",
        ),
        ('<b style="display: block">a</b>', NOTE, "Outlook for Windows lacks display: block"),
        ('<p style="color:#999999">a</p>', ERROR, "#999999 on #ffffff has a contrast of 2.85"),
        ('<p style="color:#777">a</p>', WARNING, "#777777 on #ffffff has a contrast of 4.48"),
        ('<p style="color:white"><b>a</b></p>', ERROR, "#ffffff on #ffffff has a contrast of 1.0"),
        ('<p bgcolor="#0000c0"><a href="tel:1">a</a></p>', ERROR, "#0000ee on #0000c0 has"),
        (
            '<p style="background:#000;color:rgba(255, 255, 255, .2)">a</p>',
            ERROR,
            "#ffffff on #000000 has",
        ),
        ("<style>p { margin: 0 }</style>", WARNING, "there are 2 style elements"),
        (
            "<style>p { margin: 0 }</style>",
            WARNING,
            "Gmail and Outlook for Windows take no styles from the body",
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
        '<p style="color:#767676">a</p>',
        '<p style="color:#fff;display:none;mso-hide:all">a</p>',
    ],
)
def test_nothing_is_wrong_with(html: str) -> None:
    assert found(with_body(html)) == ()


def test_text_on_a_picture_is_not_checked_for_contrast() -> None:
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
def test_a_style_has_the_finding_of_who_lacks_it(css: str, severity: Severity, what: str) -> None:
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


def test_a_style_in_a_media_query_is_an_extra_that_outlook_never_reads() -> None:
    findings = found(
        with_style("@media (max-width: 599px) { .a { float: left; position: absolute; } }")
    )

    assert [(one.severity, one.what) for one in findings] == [
        (NOTE, "Gmail and outlook.com lack position")
    ]


@pytest.mark.parametrize(
    ("css", "severity", "what"),
    [
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
def test_a_style_sheet_has_the_finding(css: str, severity: Severity, what: str) -> None:
    (finding, *_) = [one for one in found(with_style(css)) if what in one.what]

    assert finding.severity is severity
    assert finding.where.startswith("line ")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"Message-ID", b"X-Other", "error: the header Message-ID: it is missing; write one"),
        (b"Subject:", b"Date: x\r\nSubject:", "error: the header Date: it occurs more than once"),
        (b"+0100", b"-0000", "warning: the header Date: it has no time zone"),
        (
            b"Date: Sun",
            b"Date: someday\r\nX: Sun",
            'error: the header Date: "someday" is not a date',
        ),
        (b"Message-ID: <", b"Message-ID: <<", "error: the header Message-ID:"),
        (b"MIME-Version: 1.0\r\n", b"", "error: the header MIME-Version: it is missing"),
    ],
)
def test_the_headers_of_a_finished_mail_have_the_finding(
    old: bytes, new: bytes, expected: str
) -> None:
    mail, message = digest_mail("en", "normal")
    assert old in message.content

    findings = strict_lint(mail, Expected(), message.content.replace(old, new, 1))

    assert [one for one in map(str, findings) if one.startswith(expected)]


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


@settings(max_examples=200, deadline=None)
@given(anything)
def test_no_style_makes_it_fail(css: str) -> None:
    strict_lint(with_style(css), EXPECTED)
    strict_lint(replace(MAIL, html=f"<p style='{css}' class=a>a"), EXPECTED)


@settings(max_examples=200, deadline=None)
@given(st.binary() | anything.map(lambda text: text.encode("utf-8", "replace")))
def test_no_head_makes_it_fail(content: bytes) -> None:
    strict_lint(MAIL, EXPECTED, content)
    strict_lint(MAIL, EXPECTED, b"Date: " + content)
