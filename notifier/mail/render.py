"""Render mails to text and HTML with templates, once for all readers with equal options."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from css_inline import CSSInliner

from notifier.domain.alarms import Alarm
from notifier.domain.digest import Digest
from notifier.domain.recipients import Recipient
from notifier.domain.settings import Account, MailOptions, Sender
from notifier.errors import TemplatesBroken
from notifier.i18n.language import load_language
from notifier.mail.html import parse_html
from notifier.mail.sandbox import sandboxed
from notifier.mail.templates import environment, templates_root
from notifier.mail.view.admin_mails import view_alarms, view_review
from notifier.mail.view.banners import templates_banner
from notifier.mail.view.digest import view_digest
from notifier.mail.view.frame import MailView
from notifier.mail.view.listing import ListView, list_orders
from notifier.mail.view.recipient_mails import view_notice, view_test_mail

logger = logging.getLogger(__name__)

# Gmail hides everything after 102,400 bytes behind a link: rows and footer.
MOST_HTML_BYTES = 95_000

# They keep a date, an amount or a command on one line while the text part is wrapped; afterwards
# its readers are better served by ordinary spaces, which they can search for and copy.

_HARD_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class RenderedMail:
    """A mail before it has a recipient; `text` and `html` are whole documents with LF line ends."""

    language: str
    subject: str
    preheader: str
    text: str
    html: str
    broken: str = ""
    """The error of the operator's own templates; empty without an error."""


TemplateRenderer = Callable[[str, str, Mapping[str, object]], str]
"""Renders a template by name, language and plain values."""


class Renderer:
    """Renders every kind of mail; templates in the folder `own` replace built-in ones by name.

    If the operator's own templates fail, the built-in ones make the digest, and a banner
    reports it.
    """

    def __init__(self, own: Path | None = None) -> None:
        self._builtin = environment(templates_root())
        self._own = own
        # Some mail programs ignore style sheets, so the styles are also written inline. An own
        # template must not make the inliner fetch an address or read a file.
        self._inliner = CSSInliner(load_remote_stylesheets=False, minify_css=True)

    def digest(self, digest: Digest, options: MailOptions, sender: Sender) -> RenderedMail:
        """Render the digest for readers with these options."""
        if self._own is None:
            return self._digest(self._render, digest, options, sender)
        try:
            return self.own_digest(digest, options, sender)
        except Exception as error:  # noqa: BLE001 - own templates can fail in any way
            logger.warning("own templates of the digest cannot be used: %s", error)
            broken = str(error) or type(error).__name__
        # Outside of the handler, so that an error of ours is not reported as one of the templates.
        return self._digest(self._render, digest, options, sender, broken)

    def own_digest(self, digest: Digest, options: MailOptions, sender: Sender) -> RenderedMail:
        """Render the digest by the operator's own templates alone.

        Raises TemplatesBroken if they fail or one of them prints nothing visible, and any error
        that their output causes later.
        """
        if self._own is None:
            raise TemplatesBroken("digest.templates_dir is not set, so there are no own templates")
        with sandboxed(self._own) as sandbox:
            return _readable(self._digest(sandbox.render, digest, options, sender))

    def _digest(
        self,
        render: TemplateRenderer,
        digest: Digest,
        options: MailOptions,
        sender: Sender,
        broken: str = "",
    ) -> RenderedMail:
        language = load_language(options.language)
        view = view_digest(digest, options, sender, language)
        listing = list_orders(digest, options, language)
        if broken:
            view = replace(view, banners=(templates_banner(broken, language), *view.banners))

        def part(name: str, orders: ListView) -> str:
            return render(f"mail/digest/{name}", view.language, {"mail": view, "orders": orders})

        def html_with(orders: ListView) -> str:
            # Measured with the inline styles, which add many bytes to each row.
            return self._inliner.inline(part("body.html", orders))

        orders, html = _with_most_rows(len(listing.ranked), listing.first, html_with)
        return RenderedMail(
            language=view.language,
            subject=_one_line(part("subject.txt", orders)),
            preheader=view.headline.preheader,
            text=_tidied(part("body.txt", orders)),
            html=html,
            broken=broken,
        )

    def test(self, account: Account, sender: Sender, recipient: Recipient) -> RenderedMail:
        """Render the test mail to one recipient; raise TemplatesBroken if own templates fail."""
        # No built-in ones in their place: the test mail also tests the operator's own templates.
        view = view_test_mail(account, sender, recipient, load_language(recipient.language))
        if self._own is None:
            return self._plain("mail/test", view, self._render)
        with sandboxed(self._own) as sandbox:
            return _readable(self._plain("mail/test", view, sandbox.render))

    def notice(
        self,
        account: Account,
        sender: Sender,
        day: date,
        tried_at: datetime,
        *,
        recipient: Recipient,
    ) -> RenderedMail:
        """Render the notice that a day's list could not be read, by the built-in templates."""
        language = load_language(recipient.language)
        view = view_notice(account, sender, day, tried_at, language=language, group=recipient.group)
        return self._plain("mail/notice", view, self._render)

    def alarms(
        self, begun: Sequence[Alarm], ended: Sequence[Alarm], zone: ZoneInfo, *, language: str
    ) -> RenderedMail:
        """Render the alarm mail, by the built-in templates: own ones may be the problem."""
        view = view_alarms(begun, ended, zone, load_language(language))
        return self._plain("mail/alarm", view, self._render)

    def review(self, accounts: Sequence[Account], *, language: str) -> RenderedMail:
        """Render the review of the recipients, by the built-in templates."""
        view = view_review(accounts, load_language(language))
        return self._plain("mail/review", view, self._render)

    def _plain(self, folder: str, view: MailView, render: TemplateRenderer) -> RenderedMail:
        def part(name: str) -> str:
            return render(f"{folder}/{name}", view.language, {"mail": view})

        return RenderedMail(
            language=view.language,
            subject=_one_line(part("subject.txt")),
            preheader=view.preheader,
            text=_tidied(part("body.txt")),
            html=self._inliner.inline(part("body.html")),
        )

    def _render(self, name: str, language: str, values: Mapping[str, object]) -> str:
        """Render a built-in template; each is compiled once."""
        # Passed for each call, because one environment serves all languages.
        catalog, template = load_language(language), self._builtin.get_template(name)
        return template.render(values, _=catalog.gettext, ngettext=catalog.ngettext)


def _with_most_rows(
    rows: int, cut: Callable[[int], ListView], html_with: Callable[[ListView], str]
) -> tuple[ListView, str]:
    """Find by bisection the list with the most rows whose HTML is small enough.

    One rendering is enough if all rows fit.
    """
    # Adding up the sizes of single rows would be faster, but an own template may print a row in any
    # way. Without any row the HTML is accepted: everything else in it is limited.
    fits, too_many = 0, rows + 1
    best: tuple[ListView, str] | None = None
    most = rows  # the usual case first: all rows fit
    while best is None or too_many - fits > 1:
        shown = cut(most)
        html = html_with(shown)
        if _sent_size(html) <= MOST_HTML_BYTES or most == 0:
            fits, best = most, (shown, html)
        else:
            too_many = most
        most = (fits + too_many) // 2
    return best


def _readable(mail: RenderedMail) -> RenderedMail:
    """Return the same mail; raise TemplatesBroken if a part of it has no visible text."""
    visible = {
        "subject.txt": mail.subject,
        "body.txt": mail.text,
        "body.html": parse_html(mail.html).visible_text(),
    }
    if blank := [name for name, content in visible.items() if not content.strip()]:
        raise TemplatesBroken(f"no text is visible in {', '.join(blank)}")
    return mail


def _one_line(text: str) -> str:
    # A template file ends with a line end, and a header must not contain one.
    return " ".join(text.split())


def _tidied(text: str) -> str:
    """Replace hard spaces, and remove spaces at line ends and repeated empty lines."""
    # The templates would need a condition around each empty line to print none too many.
    text = _TRAILING.sub("", text.translate(_HARD_SPACES))
    return _EMPTY_LINES.sub("\n\n", text).strip("\n") + "\n"


def _sent_size(html: str) -> int:
    """Return the bytes of the HTML in a mail, in which a line end is two bytes (CRLF)."""
    return len(html.encode()) + html.count("\n")
