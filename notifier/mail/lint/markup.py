"""Check the HTML of a mail: nothing removed or loaded, nothing missing for screen readers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from notifier.mail.html import DEEPEST, Document, Element
from notifier.mail.lint.findings import LintFinding, error, warning
from notifier.mail.view.frame import LOGO_ID

REMOVED = {
    "script": "remove it: nothing runs in a mail, and spam filters object to it",
    "form": "link to a page with the form",
    "input": "link to a page with the form",
    "button": "use a link",
    "select": "link to a page with the form",
    "textarea": "link to a page with the form",
    "iframe": "link to the page",
    "frame": "link to the page",
    "object": "link to it",
    "embed": "link to it",
    "applet": "link to it",
    "svg": "use words, or the cells of a table",
    "canvas": "use words, or the cells of a table",
    "video": "link to it",
    "audio": "link to it",
    "link": "write the styles into a <style> element in the head",
    "base": "write every address in full",
}
"""Elements that mail programs remove or spam filters object to, and what to use instead."""

_SCOPES = ("row", "col", "rowgroup", "colgroup")
_ADDRESSES = ("src", "srcset", "background", "poster", "data", "lowsrc", "dynsrc")
# "//host" is an address, too: it takes the scheme of the page. Possessive quantifiers ("*+") keep
# the time linear for any input.
_REMOTE = re.compile(r"(?i)\s*(https?:|ftp:|//)")
_REMOTE_IN_COMMENT = re.compile(r"(?i)\b(?:src|background)\s*+=\s*+[\"']?\s*+(?:https?:|//)|url\(")
_REMOTE_IN_STYLE = re.compile(
    r"(?i)@import\b|@font-face\b|\b(?:url|image-set|src)\(\s*+[\"']?\s*+(?!data:|#)[^\s\"')]"
)


def check_markup(html: Document, language: str) -> Iterator[LintFinding]:
    """Check the elements, attributes and comments of the HTML part."""
    if html.unreadable_from is not None:
        yield error(
            "the HTML is broken from here on, and mail programs may show anything",
            f"line {html.unreadable_from}",
            "correct what begins with <!, or a character reference with too many digits (&#…;)",
        )
    for element in html.elements:
        yield from _removed(element)
        yield from _loaded(element)
        if element.tag == "img" and "alt" not in element.attributes:
            yield warning(
                "the image has no alt text for readers who do not see it",
                element,
                'describe it in alt, or write alt="" if it is decoration',
            )
    yield from _nesting(html)
    yield from _loaded_by_styles(html)
    yield from _loaded_by_outlook(html)
    yield from _head(html, language)
    yield from _tables(html)


def _removed(element: Element) -> Iterator[LintFinding]:
    if instead := REMOVED.get(element.tag):
        yield error(f"mail programs remove <{element.tag}>", element, instead)
    if element.attributes.get("http-equiv", "").lower() == "refresh":
        yield error("mail programs ignore a refresh", element, "link to the page")
    for name in element.attributes:
        if re.fullmatch(r"on[a-z]+", name):
            yield error(f"mail programs remove {name}", element, "remove the attribute")


def _loaded(element: Element) -> Iterator[LintFinding]:
    """Check the attributes that name a file: only the logo comes with the mail."""
    # One finding is enough: a removed element loads nothing.
    if element.tag in REMOVED:
        return
    for name in _ADDRESSES:
        address = element.attributes.get(name, "")
        if _REMOTE.match(address):
            yield _from_a_server(name, element)
        elif address.lower().startswith("data:"):
            yield warning(
                "Gmail and Outlook do not show images written as data:",
                element,
                "remove the image, or say it in words",
            )
        elif address and address != f"cid:{LOGO_ID}":
            yield error(
                f'the file of {name} "{address[:60]}" is not in the mail',
                element,
                "remove it, or say it in words",
            )


def _loaded_by_styles(html: Document) -> Iterator[LintFinding]:
    for element in html.elements:
        if _REMOTE_IN_STYLE.search(element.attributes.get("style", "")):
            yield _from_a_server("the style", element)
    for piece in html.texts:
        inside_style = piece.element is not None and piece.element.tag == "style"
        if inside_style and (found := _REMOTE_IN_STYLE.search(piece.text)):
            line = piece.line + piece.text.count("\n", 0, found.start())
            yield _from_a_server("the style sheet", f"line {line}")


def _loaded_by_outlook(html: Document) -> Iterator[LintFinding]:
    """Check the comments, which Outlook for Windows reads as HTML if they ask for it."""
    # "mso": the condition in <!--[if mso]> and its variants.
    for comment in html.comments:
        if "mso" in comment.text and _REMOTE_IN_COMMENT.search(comment.text):
            yield _from_a_server("the comment for Outlook", f"line {comment.line}")


def _from_a_server(what: str, where: Element | str) -> LintFinding:
    return error(
        f"{what} loads something from a server, which learns who opened the mail; "
        "many mail programs block it",
        where,
        "remove it, or say it in words",
    )


def _head(html: Document, language: str) -> Iterator[LintFinding]:
    root = next(html.named("html"), None)
    declared = root.attributes.get("lang", "") if root else ""
    if _language(declared) != _language(language):
        yield warning(
            f'the language is declared as "{declared}" but is "{language}"'
            if declared.strip()
            else "no language is declared, so screen readers have to guess it",
            root or "the HTML part",
            f'write <html lang="{language}">',
        )
    titles = (t.text.strip() for t in html.texts if t.element and t.element.tag == "title")
    if not any(titles):
        yield warning(
            "there is no title, which screen readers announce first",
            "the HTML part",
            "write a <title> into the head",
        )


def _language(code: str) -> str:
    """Return the language without its country: "sl" for "sl-SI" and "sl_SI"."""
    return re.split("[-_]", code.strip().lower(), maxsplit=1)[0]


def _tables(html: Document) -> Iterator[LintFinding]:
    """Check that each table is marked as layout, or has headings that name their direction."""
    with_headings: set[Element | None] = set()
    for heading in html.named("th"):
        with_headings.add(next((e for e in heading.ancestors() if e.tag == "table"), None))
        if heading.attributes.get("scope", "").lower() not in _SCOPES:
            yield warning(
                "the table heading does not say which cells it belongs to",
                heading,
                'write scope="col" or scope="row"',
            )
    for table in html.named("table"):
        is_layout = table.attributes.get("role", "").lower() in ("presentation", "none")
        if not is_layout and table not in with_headings:
            yield warning(
                "screen readers read the table as a table of data",
                table,
                'write role="presentation", or give it headings with a scope',
            )


def _nesting(html: Document) -> Iterator[LintFinding]:
    # Elements left open nest until the end, so the last one is among the deepest.
    last = html.elements[-1] if html.elements else None
    if last and sum(1 for _ in last.ancestors()) >= DEEPEST:
        yield warning(
            f"elements are nested {DEEPEST} deep, more than mail programs can show",
            last,
            "close the elements that are still open",
        )
