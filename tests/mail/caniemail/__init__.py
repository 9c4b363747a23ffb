"""What mail programs show, as caniemail.com has measured it, and what a mail asks of them.

`features.json` is made by `tools/caniemail.py`, which says where it comes from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from notifier.mail.html import Document, parse_html
from tests.mail.lint_tools.css import Declaration, declarations, sheet

TABLE = Path(__file__).parent / "features.json"

GMAIL = "Gmail"
GMAIL_ON_A_PHONE = "Gmail in a phone's browser"
OUTLOOK = "Outlook for Windows"
OUTLOOK_COM = "outlook.com"
APPLE_MAIL = "Apple Mail"
THUNDERBIRD = "Thunderbird"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature that caniemail.com has tested."""

    support: dict[str, str]
    """By program: y, a (partly), n or u (unknown), and the numbers of the notes after it."""
    notes: dict[str, str]

    def lacking(self, letters: str = "anu") -> frozenset[str]:
        """Return the programs without full support; with "n" those without any."""
        return frozenset(name for name, support in self.support.items() if support[0] in letters)


@cache
def features() -> dict[str, Feature]:
    """Return all tested features by caniemail's names."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return {
        slug: Feature(
            dict(zip(table["programs"], entry["support"], strict=True)), entry.get("notes", {})
        )
        for slug, entry in table["features"].items()
    }


def used(html: str) -> frozenset[str]:
    """Return the features that a mail uses, by caniemail's names or, without one, plain names.

    Comments for Outlook are left out: see `used_by_outlook`.
    """
    page = parse_html(html)
    return frozenset([*_of_document(html), *_of_page(page)])


def used_by_outlook(html: str) -> frozenset[str]:
    """Return the features that a mail uses for Outlook for Windows alone, in <!--[if mso]>."""
    hidden = (
        re.fullmatch(r"(?s)\[if mso\]>(.*)<!\[endif\]", c.text) for c in parse_html(html).comments
    )
    return frozenset(name for found in hidden if found for name in _of_page(parse_html(found[1])))


def _of_document(html: str) -> Iterator[str]:
    if html.lower().startswith("<!doctype html>"):
        yield "html-doctype"
    if "<!--" in html:
        yield "html-comments"


def _of_page(page: Document) -> Iterator[str]:
    for element in page.elements:
        yield _ELEMENTS.get(element.tag) or _known(f"html-{element.tag}", f"<{element.tag}>")
        for name, value in element.attributes.items():
            yield from _of_attribute(element.tag, name, value)
    for text in page.texts:
        if text.element is not None and text.element.tag == "style":
            yield from _of_sheet(text.text)


_ELEMENTS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "html-h1-h6"),
    **dict.fromkeys(("table", "thead", "tbody", "tr", "th", "td"), "html-table"),
    **dict.fromkeys(("ul", "ol", "li", "dl", "dt", "dd"), "html-lists"),
    **dict.fromkeys(("b", "strong"), "html-strong"),
}


def _of_attribute(tag: str, name: str, value: str) -> Iterator[str]:
    if name == "style":
        yield from _of_declarations(declarations(value))
    elif name == "href" and value.startswith("mailto:"):
        yield "html-mailto-links"
    elif name == "href" and value.startswith("#"):
        yield "html-anchor-links"
    elif tag == "meta" and name == "name":
        yield _known(f"html-meta-{value}", f"<meta {value}>")
    else:
        yield _known(f"html-{name}", f"{name}=")


def _of_sheet(css: str) -> Iterator[str]:
    read = sheet(css)
    if "/*" in css:
        yield "css-comments"
    for at_rule in read.at_rules:
        yield _known(f"css-at-{at_rule.name}", f"@{at_rule.name}")
    for rule in read.rules:
        yield from (_known(f"css-at-media-{n}", f"@media ({n})") for n in _asked(rule.condition))
        if len(rule.selectors) > 1:
            yield "css-selector-grouping"
        for selector in rule.selectors:
            yield from _of_selector(selector)
        yield from _of_declarations(rule.declarations)


def _asked(condition: str) -> list[str]:
    """Return the features that a media query uses; caniemail counts widths as @media itself."""
    return [name for name in re.findall(r"\(([\w-]+)", condition) if not name.endswith("-width")]


def _of_selector(selector: str) -> Iterator[str]:
    for sign, feature in _COMBINATORS.items():
        if re.search(
            rf"\s*{re.escape(sign)}\s*" if sign.strip() else r"[\w*\])]\s+[\w.#:*\[]", selector
        ):
            yield feature
    for compound in re.split(r"[\s>+~]+", selector):
        simple = re.findall(r"::?[\w-]+|[.#]?[\w-]+|\*|\[", compound)
        yield from map(_of_simple, simple)
        if sum(part[0] != ":" for part in simple) > 1:
            yield "css-selector-chaining"


_COMBINATORS = {
    ">": "css-selector-child",
    "+": "css-selector-adjacent-sibling",
    "~": "css-selector-general-sibling",
    " ": "css-selector-descendant",
}


def _of_simple(part: str) -> str:
    if part.startswith(":"):
        kind = "element" if part.startswith("::") else "class"
        return _known(f"css-pseudo-{kind}-{part.strip(':')}", part)
    by_sign = {".": "class", "#": "id", "*": "universal", "[": "attribute"}
    return f"css-selector-{by_sign.get(part[0], 'type')}"


def _of_declarations(block: tuple[Declaration, ...]) -> Iterator[str]:
    for one in block:
        short = re.sub(r"^(padding|margin|border)-(top|right|bottom|left)(-\w+)?$", r"\1", one.name)
        yield _known(f"css-{short}", one.name)
        if one.important:
            yield "css-important"
        if one.name == "display":
            yield _known(f"css-display-{one.value}", "css-display")
        yield from _of_value(one.value)


def _of_value(value: str) -> Iterator[str]:
    for unit in re.findall(r"(?<![\w#-])-?[\d.]+([a-z]+|%)", value):
        yield _known(f"css-unit-{'percent' if unit == '%' else unit}", f"unit {unit}")
    for function in re.findall(r"([\w-]+)\(", value):
        yield _FUNCTIONS.get(function) or _known(f"css-{function}", f"{function}()")
    for word in re.findall(r"(?<![\w-])(system-ui|initial|(?:fit|min|max)-content)", value):
        yield _WORDS.get(word, "css-intrinsic-size")


_FUNCTIONS = {
    "var": "css-variables",
    "calc": "css-unit-calc",
    **{name: f"css-function-{name}" for name in ("min", "max", "clamp", "light-dark")},
}
_WORDS = {"system-ui": "css-sytem-ui", "initial": "css-unit-initial"}


def _known(slug: str, otherwise: str) -> str:
    """A name of caniemail's, or a plain one of what it has not measured."""
    return slug if slug in features() else otherwise
