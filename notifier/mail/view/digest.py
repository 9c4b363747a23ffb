"""The digest without its list of orders: headline, figures, place and footer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from notifier.domain.digest import Digest, Entry
from notifier.domain.settings import MailOptions, PlaceOfReturn, Secret, Sender
from notifier.i18n.foreign_text import clean
from notifier.i18n.language import Language
from notifier.mail.view.banners import Banner, view_banners
from notifier.mail.view.figures import (
    AgeClass,
    Figure,
    Trend,
    age_classes,
    headline_figures,
    money_figures,
    view_trend,
)
from notifier.mail.view.frame import BrandingView, Footer, as_of, view_branding, view_footer
from notifier.mail.view.rows import day_count


@dataclass(frozen=True, slots=True)
class Headline:
    """The words that a list of mails shows, and those at the top of the mail."""

    # Without text of an order: a locked phone shows the subject, and servers may log it.
    subject: str
    preheader: str
    """The line that mail programs show beside the subject."""
    title: str
    summary: str
    """A few words below the title; may be empty."""


@dataclass(frozen=True, slots=True)
class PlaceView:
    """Where to collect; values that are not configured are empty."""

    name: str
    address: str
    opening_hours: str
    password: str
    """A sentence with the pickup password; empty for readers who may not see it."""


@dataclass(frozen=True, slots=True)
class DigestView:
    """The values that the templates print above and below the list."""

    language: str
    headline: Headline
    account: str
    day: str
    banners: tuple[Banner, ...]
    figures: tuple[Figure, ...]
    money: tuple[Figure, ...]
    ages: tuple[AgeClass, ...]
    trend: Trend | None
    place: PlaceView | None
    """None if it is not configured, or there is nothing to collect."""
    calm: str | None
    """A sentence if no order waits, otherwise None."""
    footer: Footer
    # Operators print `mail.look` in their own templates, so the name must stay.
    look: BrandingView


def view_digest(
    digest: Digest, options: MailOptions, sender: Sender, language: Language
) -> DigestView:
    """Word everything but the list of orders."""
    # The list depends on the room that is left; render.py words it separately.
    return DigestView(
        language=language.code,
        headline=_headline(digest, options, language),
        account=clean(digest.account_name),
        day=language.full_day(digest.day),
        banners=tuple(view_banners(digest, options, language)),
        figures=headline_figures(digest, language),
        money=money_figures(digest, language),
        ages=age_classes(digest, language),
        trend=view_trend(digest, language),
        # The pickup password is not sent on a day on which no reader needs it.
        place=_place(options.place, language) if digest.present else None,
        calm=None if digest.present else _calm_sentence(digest, language),
        footer=view_footer(
            (as_of(digest, language),),
            sender,
            language,
            options.group,
            account_id=digest.account_id,
            account_name=digest.account_name,
        ),
        look=view_branding(options.branding),
    )


def _headline(digest: Digest, options: MailOptions, language: Language) -> Headline:
    return Headline(
        subject=_subject(digest, language),
        preheader=_preheader(digest, options, language),
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


# Fewer than in the summary: phones cut a subject after 30 to 40 characters.
def _remarks(digest: Digest, language: Language) -> Iterator[str]:
    if digest.new:
        yield language.ngettext("{count} new", "{count} new", len(digest.new))
    if digest.gap and digest.present:  # without orders, the title already says it
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


def _preheader(digest: Digest, options: MailOptions, language: Language) -> str:
    oldest = digest.oldest
    if oldest is None:
        return _calm_sentence(digest, language)
    sentence = _oldest(oldest, digest, language)
    if options.place is None:
        return sentence
    return language.gettext("{oldest} – {place}", oldest=sentence, place=clean(options.place.name))


def _oldest(entry: Entry, digest: Digest, language: Language) -> str:
    number = clean(entry.order.display_number)
    if entry.days_waiting:
        days = day_count(entry.days_waiting, language)
        return language.gettext("Oldest: {number}, waiting {days}", number=number, days=days)
    if entry.order.shipped_at is None:
        return language.gettext("Oldest: {number}", number=number)
    day = language.day_in(entry.order.shipped_at, digest.zone)
    return language.gettext("Oldest: {number}, shipped {day}", number=number, day=day)


def _calm_sentence(digest: Digest, language: Language) -> str:
    # An incomplete list never says "nothing": one of the unread orders may wait.
    if digest.gap:
        return language.gettext("No order that could be read waits for you.")
    return language.ngettext(
        "The whole list was read ({count} order), and nothing waits for you.",
        "The whole list was read ({count} orders), and nothing waits for you.",
        digest.candidates,
    )


def _place(place: PlaceOfReturn | None, language: Language) -> PlaceView | None:
    if place is None:
        return None
    return PlaceView(
        clean(place.name),
        clean(place.address),
        clean(place.opening_hours),
        _password(place.pickup_password, language),
    )


def _password(password: Secret | None, language: Language) -> str:
    if password is None:
        return ""
    return language.gettext("Pickup password: {password}", password=clean(password.value))
