"""The digest in words: what its templates print, from the preview line to the small print."""

from __future__ import annotations

from dataclasses import dataclass

from notifier.domain.digest import Digest
from notifier.domain.settings import Account, Secret, Sender
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
from notifier.mail.view.footer import Footer, as_of, view_footer
from notifier.mail.view.headline import Headline, calm_sentence, view_headline
from notifier.mail.view.look import BrandingView, view_branding


@dataclass(frozen=True, slots=True)
class PlaceView:
    """Where to collect. What is not known is empty."""

    name: str
    address: str
    opening_hours: str
    password: str
    """A sentence with the pickup password, for those who may see it."""


@dataclass(frozen=True, slots=True)
class DigestView:
    """What the templates print above and below the list."""

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
    """Where to collect; None when it is not known, or there is nothing to collect."""
    calm: str | None
    """What to say when no order waits."""
    footer: Footer
    look: BrandingView


def view_digest(
    digest: Digest, account: Account, sender: Sender, language: Language, group: str | None
) -> DigestView:
    """Word everything but the list."""
    return DigestView(
        language=language.code,
        headline=view_headline(digest, account, language),
        account=clean(digest.account_name),
        day=language.full_day(digest.day),
        banners=view_banners(digest, account, language),
        figures=headline_figures(digest, language),
        money=money_figures(digest, language),
        ages=age_classes(digest, language),
        trend=view_trend(digest, language),
        place=_place(account, language, group) if digest.present else None,
        calm=None if digest.present else calm_sentence(digest, language),
        footer=view_footer((as_of(digest, language),), account, sender, language, group),
        look=view_branding(account.branding),
    )


def _place(account: Account, language: Language, group: str | None) -> PlaceView | None:
    place = account.place
    if place is None:
        return None
    return PlaceView(
        clean(place.name),
        clean(place.address),
        clean(place.opening_hours),
        _password(place.pickup_password, language) if group in account.password_groups else "",
    )


def _password(password: Secret | None, language: Language) -> str:
    if password is None:
        return ""
    return language.gettext("Pickup password: {password}", password=clean(password.value))
