"""Every feature of our mails is supported by mail programs, or has a known fallback."""

from __future__ import annotations

import re
from functools import cache

import pytest

from notifier.domain.branding import Branding, Logo
from notifier.i18n.language import available_languages
from notifier.mail.html import Element, parse_html
from notifier.mail.render import Renderer
from tests.days import DAYS
from tests.factories import account, mail_options, sender
from tests.mail.caniemail import (
    APPLE_MAIL,
    GMAIL,
    GMAIL_ON_A_PHONE,
    OUTLOOK,
    OUTLOOK_COM,
    THUNDERBIRD,
    features,
    used,
    used_by_outlook,
)
from tests.mail.golden import OTHERS, digest_mail
from tests.mail.lint_tools.css import declarations
from tests.mail.lint_tools.support import (
    FEATURES,
    LACK_AT_RULES,
    LACK_MEDIA,
    SELECTORS,
    Program,
)

OWN_LOOK = "own-look"
MAILS = [(language, name) for language in available_languages() for name in (*DAYS, *OTHERS)]
MAILS.append(("en", OWN_LOOK))
each_mail = pytest.mark.parametrize(("language", "name"), MAILS)

# Gmail's apps ignore style sheets for accounts of other providers, and so does its site on a phone.
_STYLE_SHEET = frozenset({GMAIL, GMAIL_ON_A_PHONE})
_NO_DARK = frozenset({GMAIL, GMAIL_ON_A_PHONE, OUTLOOK, OUTLOOK_COM})
_STAYS_WIDE = "The inline styles apply: a table, wide enough for every column."

FALLBACKS: dict[str, tuple[frozenset[str], str]] = {
    # Narrow screens and dark colours: extras in one style sheet.
    "html-style": (_STYLE_SHEET | {OUTLOOK}, "The elements have all necessary styles inline."),
    "css-at-media": (_STYLE_SHEET | {OUTLOOK, OUTLOOK_COM, THUNDERBIRD}, _STAYS_WIDE),
    "css-at-media-prefers-color-scheme": (
        _STYLE_SHEET | {OUTLOOK, THUNDERBIRD},
        "Light colours, or those that the program chooses: each text has its own background.",
    ),
    "css-color-scheme": (_NO_DARK, "The program decides by itself whether it darkens the mail."),
    "html-meta-color-scheme": (
        _NO_DARK | {APPLE_MAIL},
        "On an iPhone the property has the same meaning.",
    ),
    "css-selector-class": (_STYLE_SHEET, _STAYS_WIDE),
    "css-selector-type": (_STYLE_SHEET, _STAYS_WIDE),
    "css-selector-descendant": (_STYLE_SHEET, _STAYS_WIDE),
    "css-selector-grouping": (_STYLE_SHEET, _STAYS_WIDE),
    "css-float": (frozenset({GMAIL, OUTLOOK}), "Used in @media; Gmail lacks other values."),
    "css-clear": (
        frozenset({GMAIL, GMAIL_ON_A_PHONE, OUTLOOK, THUNDERBIRD}),
        "Used in @media, where it belongs to float.",
    ),
    "css-important": (
        _STYLE_SHEET | {OUTLOOK},
        "Only in style sheets, in lower case and after a space, which all of them take.",
    ),
    # These hide the preview line.
    "css-display": (
        frozenset({GMAIL, OUTLOOK}),
        "In the elements: none; and block, of a logo.",
    ),
    "css-display-none": (
        frozenset({GMAIL_ON_A_PHONE, OUTLOOK}),
        "It has no height in the one, and mso-hide for the other; there is no table in it.",
    ),
    "css-max-height": (frozenset({OUTLOOK}), "mso-hide hides the element."),
    "css-overflow": (
        frozenset({GMAIL, GMAIL_ON_A_PHONE, OUTLOOK, OUTLOOK_COM, APPLE_MAIL}),
        "mso-hide hides the element; the others lack only the directions.",
    ),
    # Sizes and room.
    "css-max-width": (frozenset({OUTLOOK}), "It is a table's, and around it is one of 600 pixels."),
    "css-margin": (
        frozenset({GMAIL, GMAIL_ON_A_PHONE, OUTLOOK, OUTLOOK_COM}),
        "None is negative; auto is that of the table, which Outlook's own around it centres.",
    ),
    "css-padding": (frozenset({OUTLOOK}), "Only in cells; the padding of a badge is decoration."),
    "css-height": (frozenset({OUTLOOK}), "Only of cells."),
    "css-width": (frozenset({OUTLOOK}), "Used in @media."),
    "html-height": (frozenset({OUTLOOK}), "The bars of a chart are as many dots high on any."),
    "html-width": (frozenset({OUTLOOK}), "Widths are percents of 600 pixels."),
    "css-line-height": (frozenset({OUTLOOK}), "Lines of text may be looser; a gap's is exact."),
    # Looks.
    "css-border": (frozenset({OUTLOOK}), "At most 4 pixels, and only of cells."),
    "css-border-radius": (frozenset({OUTLOOK}), "Corners are square."),
    "css-font-size": (frozenset({OUTLOOK}), "All are in pixels, none in rem."),
    "css-font-weight": (frozenset({OUTLOOK}), "600 is as bold as 700."),
    "css-text-align": (
        frozenset({GMAIL, GMAIL_ON_A_PHONE, OUTLOOK}),
        "It is left, right or center, which all of them support.",
    ),
    "css-text-decoration": (
        frozenset({GMAIL, OUTLOOK}),
        "The number of an order is underlined like other links, or one value is all there is.",
    ),
    "css-white-space": (frozenset({GMAIL, OUTLOOK}), "A badge of two words may take two lines."),
    "css-word-break": (
        frozenset({GMAIL, GMAIL_ON_A_PHONE, OUTLOOK_COM, APPLE_MAIL}),
        "All but keep-all; without, a number longer than the screen makes the page wider.",
    ),
    "html-img": (
        frozenset({THUNDERBIRD}),
        "Unknown to caniemail, and shown by it: a logo, no words.",
    ),
    "html-body": (
        frozenset({GMAIL, GMAIL_ON_A_PHONE, OUTLOOK_COM}),
        "The table in it has its colours, too.",
    ),
    "html-doctype": (frozenset({OUTLOOK, THUNDERBIRD}), "Nothing is laid out by what it changes."),
}
"""The programs without full support for a feature of our mails, and what the reader gets there."""

NOT_MEASURED = frozenset(
    {
        # As old as HTML in mails.
        *("<html>", "<head>", "<title>", "<meta>", "<a>", "<br>", "color", "border-color"),
        *("alt=", "border=", "charset=", "class=", "colspan=", "content=", "href=", "scope="),
        *("src=", "bgcolor="),
        # For one program each, and nothing to the others.
        *("<meta viewport>", "<meta format-detection>", "<meta supported-color-schemes>"),
        *("supported-color-schemes", ":root", "mso-hide", "mso-line-height-rule"),
        # Read by css-inline, which leaves it in the mail: this style sheet is not inlined.
        "data-css-inline=",
    }
)
"""Features that caniemail has no data about."""

FOR_OUTLOOK = frozenset({"html-style", "html-width", "css-important"})
"""Features in comments for Outlook that it supports in part, and enough for our use of them."""


@cache
def html(language: str, name: str) -> str:
    if name == OWN_LOOK:
        return in_own_colours_with_a_logo(language)
    other = OTHERS.get(name)
    mail, _ = other(language) if other else digest_mail(language, name)
    return mail.html


def in_own_colours_with_a_logo(language: str) -> str:
    shop = account(branding=Branding("#ffd24a", "#7a1f3d", Logo("png", b"png")))
    return Renderer().digest(DAYS["normal"](), mail_options(shop, language), sender()).html


@cache
def asked(language: str, name: str) -> frozenset[str]:
    return used(html(language, name))


@cache
def asked_of_outlook(language: str, name: str) -> frozenset[str]:
    return used_by_outlook(html(language, name))


@each_mail
def test_every_feature_of_a_mail_is_supported_or_has_a_known_fallback(
    language: str, name: str
) -> None:
    measured = asked(language, name) - NOT_MEASURED

    lacking = {slug: who for slug in measured if (who := features()[slug].lacking())}
    assert lacking == {slug: FALLBACKS[slug][0] for slug in measured if slug in FALLBACKS}


@each_mail
def test_outlook_supports_what_its_comments_use(language: str, name: str) -> None:
    measured = asked_of_outlook(language, name) & features().keys()

    assert "html-table" in measured
    assert {slug for slug in measured if OUTLOOK in features()[slug].lacking()} == FOR_OUTLOOK


def test_no_fallback_and_no_exception_is_unused() -> None:
    asked_at_all = frozenset().union(*(asked(*mail) for mail in MAILS))

    assert FALLBACKS.keys() - asked_at_all == set()
    assert NOT_MEASURED - asked_at_all == set()


def test_every_mail_program_shows_the_formats_of_a_logo() -> None:
    kinds = ("image-png", "image-jpg", "image-gif")

    assert [kind for kind in kinds if features()[kind].lacking("n")] == []


# The fallbacks rely on these facts about our mails


@each_mail
def test_inline_styles_use_only_what_outlook_shows(language: str, name: str) -> None:
    page = parse_html(html(language, name))
    styled = [
        (element, one)
        for element in page.elements
        for one in declarations(element.attributes.get("style", ""))
    ]

    assert {
        e.tag
        for e, one in styled
        if one.name.startswith("padding") and one.value != "0" and not _badge(e)
    } <= CELLS
    assert {e.tag for e, one in styled if one.name in ("height", "width")} <= CELLS
    assert {e.tag for e, one in styled if re.match("border(-top|-left|-bottom)?$", one.name)} <= (
        CELLS | {"table", "img"}
    )
    assert {one.value for e, one in styled if one.name == "display" and e.tag != "img"} == {"none"}
    assert {e.tag for e, one in styled if one.name == "max-width"} == {"table"}
    assert {one.value for _, one in styled if one.name == "float" or one.important} == set()
    assert "-" not in "".join(one.value for _, one in styled if one.name.startswith("margin"))


CELLS = frozenset({"td", "th"})


def _badge(element: Element) -> bool:
    return "b" in element.attributes.get("class", "").split()


@each_mail
def test_important_is_written_as_every_program_reads_it(language: str, name: str) -> None:
    written = re.findall(r"(?i).?!\s*important", html(language, name))

    assert set(written) == {" !important"}


# What the lint says of mail programs

MEASURED_AS = {
    "position": ("css-position",),
    "float": ("css-float",),
    "display: flex": ("css-display-flex",),
    "display: grid": ("css-display-grid",),
    "the columns of a grid": ("css-grid-template",),
    "the direction of a flex": ("css-flex-direction", "css-flex-wrap", "css-align-items"),
    "gap": ("css-gap",),
    "display: none": ("css-display-none",),
    "display: block": ("css-display",),
    "padding outside of cells": ("css-padding",),
    "visibility": ("css-visibility",),
    "a logical property": ("css-margin-inline-block", "css-padding-inline-block", "css-inset"),
    "a background image": ("css-background-image",),
    "a gradient": ("css-linear-gradient", "css-radial-gradient"),
    "max-width": ("css-max-width",),
    "min-width": ("css-min-width",),
    "object-fit": ("css-object-fit", "css-object-position"),
    "a variable": ("css-variables",),
    "var()": ("css-variables",),
    "calc()": ("css-unit-calc",),
    "min(), max() or clamp()": ("css-function-min", "css-function-max", "css-function-clamp"),
    "a length in rem, or in parts of the window": ("css-unit-rem", "css-unit-vh", "css-unit-vw"),
    "light-dark()": ("css-function-light-dark",),
    "a colour of lch() or lab()": ("css-modern-color",),
    "a transparent colour": ("css-rgba",),
    "transform": ("css-transform",),
    "border-radius": ("css-border-radius",),
    "a shadow": ("css-box-shadow",),
    "a shadow of text": ("css-text-shadow",),
    "opacity": ("css-opacity",),
    "filter": ("css-filter",),
    "an animation": ("css-animation",),
    "a transition": ("css-transition",),
    ":hover": ("css-pseudo-class-hover",),
    ":focus, :active or :visited": ("css-pseudo-class-active", "css-pseudo-class-visited"),
    "a selector by place, as :first-child": (
        "css-pseudo-class-first-child",
        "css-pseudo-class-nth-child",
    ),
    "::before or ::after": ("css-pseudo-element-before", "css-pseudo-element-after"),
    "a selector of several names, as .a.b": ("css-selector-chaining",),
    "@media": ("css-at-media",),
    "@supports": ("css-at-supports",),
}


def said_by_the_lint() -> dict[str, tuple[Program, ...]]:
    named = {one.name: one.lacking for one in (*FEATURES, *SELECTORS)}
    at_rules = {f"@{name}": lacking for name, lacking in LACK_AT_RULES.items()}
    return {**named, **at_rules, "@media": LACK_MEDIA}


@pytest.mark.parametrize(
    ("name", "slug"), [(n, s) for n, slugs in MEASURED_AS.items() for s in slugs]
)
def test_the_lint_names_programs_without_support_and_none_with_full_support(
    name: str, slug: str
) -> None:
    measured = features()[slug]

    named = set(said_by_the_lint()[name])

    assert measured.lacking("n") - {GMAIL_ON_A_PHONE} <= named
    assert named <= measured.lacking("an")


def test_each_rule_of_the_lint_is_compared_with_the_data() -> None:
    assert said_by_the_lint().keys() == MEASURED_AS.keys()
    assert {*Program} == {GMAIL, OUTLOOK, OUTLOOK_COM, APPLE_MAIL, THUNDERBIRD}
