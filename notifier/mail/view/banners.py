"""What is not as it should be, and what to do: said before anything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from notifier.domain.digest import Digest, Gap
from notifier.domain.links import Link, portal_url
from notifier.domain.settings import Account, FileAccess
from notifier.i18n.foreign_text import foreign
from notifier.i18n.language import Language

MOST_IDS = 40
MOST_DAYS = 14
PICKUP_PASSWORD_DAYS = 5
"""The marketplace mails a new pickup password at the beginning of a month."""


class Urgency(StrEnum):
    """Whether a banner warns, or is only good to know."""

    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Banner:
    """A title, sentences, and perhaps the orders they are about."""

    urgency: Urgency
    title: str
    sentences: tuple[str, ...]
    orders: tuple[Link, ...] = ()
    orders_label: str = ""
    reason: str = ""
    """What the program noted, in its own English words, for whoever looks after it."""
    reason_label: str = ""


def view_banners(digest: Digest, account: Account, language: Language) -> tuple[Banner, ...]:
    """All banners of a digest, the gravest first."""
    return tuple(_banners(digest, account, language))


def _banners(digest: Digest, account: Account, language: Language) -> Iterator[Banner]:
    if digest.gap:
        yield _incomplete(digest, digest.gap, account, language)
    if digest.skipped_days:
        yield _skipped(digest, language)
    if digest.is_first and digest.present:
        yield _first(digest, language)
    from_shop = isinstance(account.access, FileAccess)
    if digest.present and digest.day.day <= PICKUP_PASSWORD_DAYS and not from_shop:
        yield _pickup_password(language)


def _incomplete(digest: Digest, gap: Gap, account: Account, language: Language) -> Banner:
    shown = gap.unread[:MOST_IDS]
    numbers = map(gap.display_number, shown)
    links = [Link(foreign(number), portal_url(account, number)) for number in numbers]
    if rest := len(gap.unread) - len(shown):
        links.append(Link(language.ngettext("and {count} more", "and {count} more", rest)))
    return Banner(
        Urgency.WARNING,
        language.gettext("This list is incomplete"),
        (
            _how_incomplete(digest, gap, account, language),
            _until_then(account, language),
        ),
        orders=tuple(links),
        orders_label=language.gettext("Not read:") if links else "",
        reason=foreign(gap.why),
        reason_label=language.gettext("The program noted:"),
    )


def _until_then(account: Account, language: Language) -> str:
    if isinstance(account.access, FileAccess):
        # The marketplace's portal knows nothing of these orders.
        return language.gettext(
            "There is nothing to do now: the next digest reads them again. "
            "Until then look them up where the list comes from."
        )
    return language.gettext(
        "There is nothing to do now: the next digest reads them again. "
        "Until then look them up in the portal."
    )


def _how_incomplete(digest: Digest, gap: Gap, account: Account, language: Language) -> str:
    if not gap.unread and isinstance(account.access, FileAccess):
        return language.gettext(
            "Not all of the list could be read, so more parcels may wait for you."
        )
    if not gap.unread:
        return language.gettext(
            "The marketplace did not give the whole list, so more parcels may wait for you."
        )
    return language.gettext(
        "Orders read: {read} of {total}. Parcels of the others may wait for you, too.",
        read=language.number(digest.read),
        total=language.number(max(digest.candidates, len(gap.unread))),
    )


def _skipped(digest: Digest, language: Language) -> Banner:
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
            language.gettext("Everything that waits now is in this one."),
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
    """The operator's own templates are broken; the mail goes out all the same."""
    return Banner(
        Urgency.WARNING,
        language.gettext("Your own templates could not be used"),
        (language.gettext("This mail was made with the built-in ones; please mend yours."),),
        reason=foreign(reason),
        reason_label=language.gettext("The program noted:"),
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
