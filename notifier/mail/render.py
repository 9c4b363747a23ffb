"""Digest to text and HTML: one rendering for readers with equal options."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from css_inline import CSSInliner
from jinja2 import Environment

from notifier.domain.alarms import Alarm
from notifier.domain.digest import Digest
from notifier.domain.recipients import Recipient
from notifier.domain.settings import Account, MailOptions, Sender
from notifier.errors import TemplatesBroken
from notifier.i18n.language import Language, load_language
from notifier.mail.html import parse_html
from notifier.mail.sandbox import sandboxed
from notifier.mail.templates import environment, templates_root
from notifier.mail.view.alarms import AlarmView, view_alarms
from notifier.mail.view.banners import templates_banner
from notifier.mail.view.digest import DigestView, view_digest
from notifier.mail.view.listing import ListView, OrderListing, list_orders
from notifier.mail.view.notice import NoticeView, view_notice
from notifier.mail.view.review import ReviewView, view_review
from notifier.mail.view.trial import TrialView, view_trial

logger = logging.getLogger(__name__)

MOST_HTML_BYTES = 95_000
"""Gmail hides what comes after about 102 KB behind a link."""

_HARD_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail before it has a recipient. `text` and `html` are whole documents with LF ends."""

    language: str
    subject: str
    preheader: str
    text: str
    html: str
    broken: str = ""
    """Why the operator's own templates did not make it; empty where they did, or are none."""


class Templates(Protocol):
    """What renders a template: this process for the built-in ones, another for own ones."""

    def render(self, name: str, language: str, values: Mapping[str, object]) -> str:
        """One template with plain values."""
        ...


@dataclass(frozen=True, slots=True)
class _BuiltIn:
    """The templates of this program, in this process; each is compiled once."""

    environment: Environment

    def render(self, name: str, language: str, values: Mapping[str, object]) -> str:
        words, template = load_language(language), self.environment.get_template(name)
        return template.render(values, _=words.gettext, ngettext=words.ngettext)


class Renderer:
    """The templates, read once. Those in `own` stand before the built-in ones of the same name.

    The operator's own ones are rendered in a process of their own. Should they fail, the built-in
    ones make the mail, and it says so.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._builtin = _BuiltIn(environment(templates_root()))
        self._own = own
        self._inliner = CSSInliner(load_remote_stylesheets=False, minify_css=True)

    def digest(self, digest: Digest, options: MailOptions, sender: Sender) -> RenderedMail:
        """Render the digest for readers with these options."""
        words = load_language(options.language)
        view = view_digest(digest, options, sender, words)
        broken = ""
        if self._own:
            try:
                return self.own_digest(digest, options, sender)
            except Exception as error:  # noqa: BLE001 - nothing in them may cost the day's mail
                logger.warning("own templates of the digest cannot be used: %s", error)
                broken = str(error) or type(error).__name__
                warning = templates_banner(str(error), words)
                view = replace(view, banners=(warning, *view.banners))
        parts = self._digest(self._builtin, view, list_orders(digest, options, words))
        return replace(parts, broken=broken)

    def own_digest(self, digest: Digest, options: MailOptions, sender: Sender) -> RenderedMail:
        """The digest by the operator's own templates alone.

        Raises TemplatesBroken, also where one of them says nothing at all, or whatever their
        output makes fail.
        """
        if self._own is None:
            raise TemplatesBroken("there are none: digest.templates_dir names no folder")
        words = load_language(options.language)
        view = view_digest(digest, options, sender, words)
        with sandboxed(self._own) as templates:
            return _readable(self._digest(templates, view, list_orders(digest, options, words)))

    def _digest(
        self, templates: Templates, view: DigestView, listing: OrderListing
    ) -> RenderedMail:
        page = _Page(templates, "mail/digest", listing.language)

        def html_with(orders: ListView) -> str:
            return self._inliner.inline(page.render("body.html", mail=view, orders=orders))

        orders, html = _with_most_rows(len(listing.ranked), listing.first, html_with)
        return RenderedMail(
            language=view.language,
            subject=_one_line(page.render("subject.txt", mail=view, orders=orders)),
            preheader=view.headline.preheader,
            text=_tidied(page.render("body.txt", mail=view, orders=orders)),
            html=html,
        )

    def test(self, account: Account, sender: Sender, recipient: Recipient) -> RenderedMail:
        """The test mail to one recipient: no orders, but that the set-up works.

        It tests the operator's own templates, too: an error in them is raised.
        """
        words = load_language(recipient.language)
        view = view_trial(account, sender, recipient, words)
        if self._own is None:
            return self._plain("mail/test", view, words, self._builtin)
        with sandboxed(self._own) as templates:
            return _readable(self._plain("mail/test", view, words, templates))

    def notice(
        self,
        account: Account,
        sender: Sender,
        day: date,
        tried_at: datetime,
        *,
        recipient: Recipient,
    ) -> RenderedMail:
        """The notice that a day's list could not be read; by the built-in templates."""
        words = load_language(recipient.language)
        view = view_notice(account, sender, day, tried_at, language=words, group=recipient.group)
        return self._plain("mail/notice", view, words, self._builtin)

    def alarms(
        self, begun: Sequence[Alarm], ended: Sequence[Alarm], zone: ZoneInfo, *, language: str
    ) -> RenderedMail:
        """The mail to the admin; always by the built-in templates, as own ones may be at fault."""
        words = load_language(language)
        view = view_alarms(begun, ended, zone, words)
        return self._plain("mail/alarm", view, words, self._builtin)

    def review(self, accounts: Sequence[Account], *, language: str) -> RenderedMail:
        """The mail to the admin about who gets the digests; by the built-in templates."""
        words = load_language(language)
        return self._plain("mail/review", view_review(accounts, words), words, self._builtin)

    def _plain(
        self,
        folder: str,
        view: TrialView | NoticeView | AlarmView | ReviewView,
        words: Language,
        templates: Templates,
    ) -> RenderedMail:
        """A mail without a list."""
        page = _Page(templates, folder, words)
        return RenderedMail(
            language=view.language,
            subject=_one_line(page.render("subject.txt", mail=view)),
            preheader=view.preheader,
            text=_tidied(page.render("body.txt", mail=view)),
            html=self._inliner.inline(page.render("body.html", mail=view)),
        )


@dataclass(frozen=True, slots=True)
class _Page:
    """The templates of one kind of mail, in one language."""

    templates: Templates
    folder: str
    language: Language

    def render(self, name: str, **values: object) -> str:
        return self.templates.render(f"{self.folder}/{name}", self.language.code, values)


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
        if _sent_size(html) <= MOST_HTML_BYTES or most == 0:
            fits, best = most, (shown, html)
        else:
            too_many = most
        most = (fits + too_many) // 2
    return best


def _readable(parts: RenderedMail) -> RenderedMail:
    """The same; raises TemplatesBroken where a part of it says nothing at all."""
    if blank := [name for name, content in _seen(parts) if not content.strip()]:
        raise TemplatesBroken(f"nothing is to be read in {', '.join(blank)}")
    return parts


def _seen(parts: RenderedMail) -> Iterator[tuple[str, str]]:
    """Each part, and what of it is for people to read."""
    yield "subject.txt", parts.subject
    yield "body.txt", parts.text
    yield "body.html", parse_html(parts.html).visible_text()


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _tidied(text: str) -> str:
    """The text part as people see it: no hard spaces, none at line ends, single empty lines."""
    text = _TRAILING.sub("", text.translate(_HARD_SPACES))
    return _EMPTY_LINES.sub("\n\n", text).strip("\n") + "\n"


def _sent_size(html: str) -> int:
    """Bytes of it in a mail, where a line ends with two."""
    return len(html.encode()) + html.count("\n")
