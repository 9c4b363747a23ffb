"""What is understood in five seconds: subject, title and preview line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from notifier.domain.digest import Digest, Entry
from notifier.domain.settings import Account
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language
from notifier.mail.view.rows import day_count


@dataclass(frozen=True, slots=True)
class Headline:
    """The words that stand outside of the mail, or on top of it."""

    subject: str
    preheader: str
    title: str
    summary: str
    """A few words below the title; may be empty."""


def view_headline(digest: Digest, account: Account, language: Language) -> Headline:
    """Word the head of a digest. No order's text is in the subject."""
    return Headline(
        subject=_subject(digest, language),
        preheader=_preheader(digest, account, language),
        title=_title(digest, language),
        summary=", ".join(_summary(digest, language)),
    )


def _subject(digest: Digest, language: Language) -> str:
    remarks = ", ".join(_remarks(digest, language))
    title = _title(digest, language)
    return language.gettext(
        "{title} – {account}, {day}",
        title=f"{title} ({remarks})" if remarks else title,
        account=clean(digest.account_name),
        day=language.day(digest.day),
    )


def _title(digest: Digest, language: Language) -> str:
    waiting = len(digest.present)
    if waiting:
        return language.ngettext("{count} parcel to collect", "{count} parcels to collect", waiting)
    if digest.gap:
        return language.gettext("The list could not be read in full")
    return language.gettext("Nothing to collect")


def _remarks(digest: Digest, language: Language) -> Iterator[str]:
    if digest.new:
        yield language.ngettext("{count} new", "{count} new", len(digest.new))
    if digest.gap and digest.present:
        yield language.gettext("list incomplete")


def _summary(digest: Digest, language: Language) -> Iterator[str]:
    if digest.new:
        yield language.ngettext("{count} new", "{count} new", len(digest.new))
    if overdue := digest.overdue:
        yield language.ngettext("{count} overdue", "{count} overdue", overdue)
    if digest.returned:
        yield language.ngettext(
            "{count} collected since {day}",
            "{count} collected since {day}",
            digest.returned,
            day=language.day(digest.previous_day or digest.day),
        )
    if digest.lost:
        yield language.ngettext("{count} lost", "{count} lost", digest.lost)


def _preheader(digest: Digest, account: Account, language: Language) -> str:
    oldest = digest.oldest
    if oldest is None:
        return calm_sentence(digest, language)
    told = _oldest(oldest, digest, language)
    if account.place is None:
        return told
    return language.gettext("{oldest} – {place}", oldest=told, place=clean(account.place.name))


def _oldest(entry: Entry, digest: Digest, language: Language) -> str:
    number = clean(entry.order.display_number)
    if entry.days_waiting:
        days = day_count(entry.days_waiting, language)
        return language.gettext("Oldest: {number}, waiting {days}", number=number, days=days)
    if entry.order.shipped_at is None:
        return language.gettext("Oldest: {number}", number=number)
    day = language.day_in(entry.order.shipped_at, digest.zone)
    return language.gettext("Oldest: {number}, shipped {day}", number=number, day=day)


def calm_sentence(digest: Digest, language: Language) -> str:
    """What to say where no order is known to wait: never "nothing" of an incomplete list."""
    if digest.gap:
        return language.gettext("None of the orders that could be read waits for you.")
    return language.ngettext(
        "The whole list was read ({count} order), and nothing waits for you.",
        "The whole list was read ({count} orders), and nothing waits for you.",
        digest.candidates,
    )
