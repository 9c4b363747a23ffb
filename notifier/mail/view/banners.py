"""Banners at the top of a digest: problems with their remedies, and notices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from notifier.domain.digest import Digest, Gap
from notifier.domain.links import Link, portal_url
from notifier.domain.settings import MailOptions
from notifier.i18n.foreign_text import foreign
from notifier.i18n.language import Language

# A banner takes room from the rows, so it lists no more than a person looks up.
MOST_IDS = 40
MOST_DAYS = 14
PICKUP_PASSWORD_DAYS = 5
"""Days at the beginning of a month on which the mail reminds of the new pickup password."""


class Urgency(StrEnum):
    """The colour of a banner, as a class of the style sheet."""

    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Banner:
    """A title with sentences, and the orders they are about, if any."""

    urgency: Urgency
    title: str
    sentences: tuple[str, ...]
    orders: tuple[Link, ...] = ()
    orders_label: str = ""
    reason: str = ""
    """The technical cause in English, for the admin."""
    reason_label: str = ""


def view_banners(digest: Digest, options: MailOptions, language: Language) -> Iterator[Banner]:
    """Word the banners of a digest, the most serious first."""
    if digest.gap:
        yield _incomplete(digest, digest.gap, options, language)
    if digest.skipped_days:
        yield _skipped(digest, language)
    if digest.is_first and digest.present:
        yield _first(digest, language)
    # The marketplace mails a new password at the beginning of a month; a file has none.
    starts_month = digest.day.day <= PICKUP_PASSWORD_DAYS
    if digest.present and starts_month and not options.reads_file:
        yield _pickup_password(language)


def _incomplete(digest: Digest, gap: Gap, options: MailOptions, language: Language) -> Banner:
    shown = gap.unread[:MOST_IDS]
    numbers = map(gap.display_number, shown)
    links = [Link(foreign(number), portal_url(options.order_url, number)) for number in numbers]
    if rest := len(gap.unread) - len(shown):
        links.append(Link(language.ngettext("and {count} more", "and {count} more", rest)))
    return Banner(
        Urgency.WARNING,
        language.gettext("This list is incomplete"),
        (
            _how_incomplete(digest, gap, options, language),
            _until_then(options, language),
        ),
        orders=tuple(links),
        orders_label=language.gettext("Not read:") if links else "",
        # It may repeat the response of a server.
        reason=foreign(gap.why),
        reason_label=language.gettext("Technical reason:"),
    )


def _until_then(options: MailOptions, language: Language) -> str:
    if options.reads_file:
        # The orders come from a file, so the portal of the marketplace may not have them.
        return language.gettext(
            "You need not do anything: the next digest reads them again. Until then, look them "
            "up where the list comes from."
        )
    return language.gettext(
        "You need not do anything: the next digest reads them again. Until then, look them up in "
        "the portal."
    )


def _how_incomplete(digest: Digest, gap: Gap, options: MailOptions, language: Language) -> str:
    if not gap.unread and options.reads_file:
        return language.gettext(
            "Not all of the list could be read, so more parcels may wait for you."
        )
    if not gap.unread:
        return language.gettext(
            "The marketplace did not return the whole list, so more parcels may wait for you."
        )
    return language.gettext(
        "Orders read: {read} of {total}. Parcels of the other orders may wait for you, too.",
        read=language.number(digest.read),
        # Unread orders of an earlier digest need not be among the candidates of this reading.
        total=language.number(max(digest.candidates, len(gap.unread))),
    )


def _skipped(digest: Digest, language: Language) -> Banner:
    # The latest days: after a long pause, the early ones matter least.
    days = [language.day(day) for day in digest.skipped_days[-MOST_DAYS:]]
    count = len(digest.skipped_days)
    earlier = count - len(days)
    if earlier:
        days.insert(0, language.ngettext("{count} earlier day", "{count} earlier days", earlier))
    return Banner(
        Urgency.WARNING,
        language.ngettext("{count} day without a digest", "{count} days without a digest", count),
        (
            language.gettext("No digest was sent on {days}.", days=language.enumeration(days)),
            language.gettext("This digest contains everything that waits now."),
        ),
    )


def _first(digest: Digest, language: Language) -> Banner:
    return Banner(
        Urgency.NOTICE,
        language.gettext("This is the first digest"),
        (
            language.gettext(
                "We have watched this account since {day}, so nothing can be called new or "
                "overdue yet. Orders are sorted by the day they were shipped.",
                day=language.day(digest.watching_since),
            ),
        ),
    )


def templates_banner(reason: str, language: Language) -> Banner:
    """Word the warning that the operator's own templates failed and the built-in ones were used."""
    return Banner(
        Urgency.WARNING,
        language.gettext("Your own templates could not be used"),
        (language.gettext("This mail was made with the built-in ones; please fix yours."),),
        reason=foreign(reason),
        reason_label=language.gettext("Technical reason:"),
    )


def _pickup_password(language: Language) -> Banner:
    return Banner(
        Urgency.NOTICE,
        language.gettext("Have the pickup password at hand"),
        (
            language.gettext(
                "The branch asks for it (the return PIN). The marketplace e-mails a new one at "
                "the beginning of each month."
            ),
        ),
    )
