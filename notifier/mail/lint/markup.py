"""What a mail must not be made of, and what it must not do without."""

from __future__ import annotations

import re
from collections.abc import Iterator

from notifier.mail.html import DEEPEST, Document, Element
from notifier.mail.lint.findings import LintFinding, error, warning
from notifier.mail.view.look import LOGO_ID

FORBIDDEN = {
    "script": "nothing runs in a mail, and filters hold it against one",
    "form": "link to a page that has it",
    "input": "link to a page that has it",
    "button": "use a link",
    "select": "link to a page that has it",
    "textarea": "link to a page that has it",
    "iframe": "link to the page",
    "frame": "link to the page",
    "object": "link to it",
    "embed": "link to it",
    "applet": "link to it",
    "svg": "say it in words, or with the cells of a table",
    "canvas": "say it in words, or with the cells of a table",
    "video": "link to it",
    "audio": "link to it",
    "link": "write the styles into the head of the mail",
    "base": "write every address in full",
}
"""Elements that mail programs take out or filters object to, and what to do without them."""

_SCOPES = ("row", "col", "rowgroup", "colgroup")
_ADDRESSES = ("src", "srcset", "background", "poster", "data", "lowsrc", "dynsrc")
_REMOTE = re.compile(r"(?i)\s*(https?:|ftp:|//)")
_REMOTE_HIDDEN = re.compile(r"(?i)\b(?:src|background)\s*=\s*[\"']?\s*(?:https?:|//)|url\(")


def wrong_markup(page: Document, language: str) -> Iterator[LintFinding]:
    """All that can be told of elements and attributes alone."""
    for element in page.elements:
        yield from _forbidden(element)
        yield from _fetched(element)
        yield from _mute(element)
    yield from _unseen(page)
    yield from _head(page, language)
    yield from _tables(page)
    if page.unreadable_from is not None:
        yield error(
            "from here on no program can be relied on to read it",
            f"line {page.unreadable_from}",
            "mend what begins with <!, or a character of too many digits (&#…;)",
        )


def _forbidden(element: Element) -> Iterator[LintFinding]:
    if instead := FORBIDDEN.get(element.tag):
        yield error(f"mail programs take <{element.tag}> out", element, instead)
    if element.attributes.get("http-equiv", "").lower() == "refresh":
        yield error("mail programs do not go to another page", element, "link to the page")
    for name in element.attributes:
        if re.fullmatch(r"on[a-z]+", name):
            yield error(f"nothing runs in a mail: {name}", element, "take the attribute out")


def _fetched(element: Element) -> Iterator[LintFinding]:
    """What would be loaded from a server, which then knows who opened the mail."""
    if element.tag in FORBIDDEN:
        return
    for name in _ADDRESSES:
        address = element.attributes.get(name, "")
        if _REMOTE.match(address):
            yield error(
                f"{name} would be loaded from a server, which learns who opened the mail; "
                "many programs do not load it",
                element,
                "do without, or say it in words",
            )
        elif address.lower().startswith("data:"):
            yield warning(
                "Gmail and Outlook do not show what is written into the mail as data:",
                element,
                "do without, or say it in words",
            )
        elif address and address != f"cid:{LOGO_ID}":
            yield error(
                f'{name} "{address[:60]}" is not in the mail', element, "do without, or say it"
            )


def _mute(element: Element) -> Iterator[LintFinding]:
    if element.tag == "img" and "alt" not in element.attributes:
        yield warning(
            "who does not see the image is told nothing",
            element,
            'say in alt what it shows, or alt="" if it says nothing',
        )
    if "hidden" in element.attributes:
        yield warning(
            "Gmail, Outlook for Windows and outlook.com show what is hidden",
            element,
            "leave it out, or write display: none; mso-hide: all",
        )
    if element.tag == "a" and not element.attributes.get("href", "-").strip():
        yield warning("it leads nowhere", element, "give it an address, or take the element out")


def _unseen(page: Document) -> Iterator[LintFinding]:
    """What Outlook for Windows alone reads may load something, too."""
    for comment in page.comments:
        if "mso" in comment.text and _REMOTE_HIDDEN.search(comment.text):
            yield error(
                "Outlook for Windows would load something from a server",
                f"line {comment.line}, a comment",
                "do without",
            )


def _head(page: Document, language: str) -> Iterator[LintFinding]:
    root = next(page.named("html"), None)
    told = root.attributes.get("lang", "") if root else ""
    if not told.strip():
        yield warning(
            "no program is told the language, and screen readers guess it",
            root or "the HTML part",
            f'write <html lang="{language}">',
        )
    elif _language(told) != _language(language):
        yield warning(
            f'it is said to be in "{told}", and is in "{language}"',
            root,
            f'write <html lang="{language}">',
        )
    titles = (t.text.strip() for t in page.texts if t.element and t.element.tag == "title")
    if not any(titles):
        yield warning(
            "it has no title, which screen readers say first",
            "the HTML part",
            "write <title> into its head",
        )


def _language(code: str) -> str:
    """Without the country: "sl-SI" and "sl_SI" are "sl"."""
    return re.split("[-_]", code.strip().lower(), maxsplit=1)[0]


def _tables(page: Document) -> Iterator[LintFinding]:
    """A table lays out, and says so, or has headings that say what they are the headings of."""
    headed: set[Element | None] = set()
    for heading in page.named("th"):
        headed.add(_table_of(heading))
        if heading.attributes.get("scope", "").lower() not in _SCOPES:
            yield warning(
                "a heading does not say of what",
                heading,
                'write scope="col" or scope="row"',
            )
    for table in page.named("table"):
        plain = table.attributes.get("role", "").lower() not in ("presentation", "none")
        if plain and table not in headed:
            yield warning(
                "screen readers take it for a table of values",
                table,
                'write role="presentation", or give it headings with a scope',
            )
    if any(sum(1 for _ in e.ancestors()) >= DEEPEST for e in page.elements[-1:]):
        yield warning(
            f"elements are nested {DEEPEST} deep",
            page.elements[-1],
            "close what is open; programs give up on so many",
        )


def _table_of(element: Element) -> Element | None:
    return next((above for above in element.ancestors() if above.tag == "table"), None)
