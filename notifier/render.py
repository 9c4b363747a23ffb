"""Digest to text and HTML: one rendering for each language and contact group."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from css_inline import CSSInliner
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifier.digest import Digest
from notifier.i18n import Language, load_language
from notifier.parts import Account, Sender
from notifier.recipients import Recipient
from notifier.view.digest import view_digest
from notifier.view.listing import ListView, list_orders
from notifier.view.trial import view_trial

MOST_HTML_BYTES = 95_000
"""Gmail hides what comes after about 102 KB behind a link."""

TEXT_WIDTH = 76

_PACKAGE = Path(__file__).parent
_HARD_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Parts:
    """A mail before it has a recipient. `text` and `html` are whole documents with LF ends."""

    language: str
    subject: str
    preheader: str
    text: str
    html: str


def templates_root() -> Path:
    """Where the built-in templates are: inside a wheel, beside the package in a checkout."""
    inside = _PACKAGE / "templates"
    return inside if inside.is_dir() else _PACKAGE.parent / "templates"


class Renderer:
    """The templates, read once. Those in `own` stand before the built-in ones of the same name."""

    def __init__(self, own: Path | None = None) -> None:
        self._templates = _environment(own)
        self._inliner = CSSInliner(load_remote_stylesheets=False, minify_css=True)

    def digest(
        self, digest: Digest, account: Account, sender: Sender, *, language: str, group: str | None
    ) -> Parts:
        """The digest for readers of one language and group (None: named themselves)."""
        words = load_language(language)
        view = view_digest(digest, account, sender, words, group)
        listing = list_orders(digest, account, words)

        def html_with(rows: ListView) -> str:
            return self._html("mail/digest/body.html", words, mail=view, orders=rows)

        rows, html = _with_most_rows(len(listing.ranked), listing.first, html_with)
        return Parts(
            language=language,
            subject=self._subject("mail/digest/subject.txt", words, mail=view, orders=rows),
            preheader=view.headline.preheader,
            text=self._text("mail/digest/body.txt", words, mail=view, orders=rows),
            html=html,
        )

    def test(self, account: Account, sender: Sender, recipient: Recipient) -> Parts:
        """The test mail to one recipient: no orders, but that the set-up works."""
        words = load_language(recipient.language)
        view = view_trial(account, sender, recipient, words)
        return Parts(
            language=recipient.language,
            subject=self._subject("mail/test/subject.txt", words, mail=view),
            preheader=view.preheader,
            text=self._text("mail/test/body.txt", words, mail=view),
            html=self._html("mail/test/body.html", words, mail=view),
        )

    def _html(self, name: str, language: Language, **values: object) -> str:
        return self._inliner.inline(self._render(name, language, values))

    def _text(self, name: str, language: Language, **values: object) -> str:
        text = self._render(name, language, values).translate(_HARD_SPACES)
        return _EMPTY_LINES.sub("\n\n", _TRAILING.sub("", text)).strip("\n") + "\n"

    def _subject(self, name: str, language: Language, **values: object) -> str:
        return " ".join(self._render(name, language, values).split())

    def _render(self, name: str, language: Language, values: dict[str, Any]) -> str:
        template = self._templates.get_template(name)
        return template.render(values, _=language.gettext, ngettext=language.ngettext)


def _with_most_rows(
    rows: int, cut: Callable[[int], ListView], html_with: Callable[[ListView], str]
) -> tuple[ListView, str]:
    """The list with as many of its rows as the HTML has room for, and that HTML.

    One rendering where everything fits; otherwise it is halved between what fits and what does
    not. Without any row the mail always fits, as all else in it is bounded.
    """
    fits, too_many = 0, rows + 1
    best: tuple[ListView, str] | None = None
    most = rows
    while best is None or too_many - fits > 1:
        shown = cut(most)
        html = html_with(shown)
        if len(html.encode()) <= MOST_HTML_BYTES or most == 0:
            fits, best = most, (shown, html)
        else:
            too_many = most
        most = (fits + too_many) // 2
    return best


def _environment(own: Path | None) -> Environment:
    """Templates see plain values only; even a built-in one has no way out of its sandbox."""
    folders = [folder for folder in (own, templates_root()) if folder]
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
        autoescape=_is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["wrapped"] = wrapped
    environment.filters["left"] = left
    environment.filters["right"] = right
    return environment


def _is_html(name: str | None) -> bool:
    return name is not None and name.endswith(".html")


def wrapped(text: str, indent: int = 0) -> str:
    """Lines of at most `TEXT_WIDTH` characters, all indented; words are never broken."""
    margin = " " * indent
    return textwrap.fill(
        text,
        TEXT_WIDTH,
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


def left(text: str, width: int) -> str:
    """Padded on its right."""
    return text.ljust(width)


def right(text: str, width: int) -> str:
    """Padded on its left."""
    return text.rjust(width)
