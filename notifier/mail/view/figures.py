"""The numbers at the head of a digest: totals, ages, and the trend of the last days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from notifier.domain.digest import AGE_BOUNDS, Digest
from notifier.i18n.language import Language, Money
from notifier.mail.view.rows import Tone, day_count

TREND_DAYS = 14
TALLEST_BAR = 40
"""Pixels."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and what it counts."""

    label: str
    value: str
    tone: Tone = Tone.CALM


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the trend; no count where no list was read."""

    day: str
    count: str | None
    height: int
    """Pixels, never less than one."""


@dataclass(frozen=True, slots=True)
class Trend:
    """How many waited on each of the last days, oldest first."""

    heading: str
    caption: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class AgeClass:
    """How many wait that long. `number` runs from 0, the youngest."""

    number: int
    label: str
    count: str


def headline_figures(digest: Digest, language: Language) -> tuple[Figure, ...]:
    """How many wait, are new, overdue and gone; on the first digest only what is known."""
    waiting = Figure(language.gettext("To collect"), language.number(len(digest.present)))
    if digest.is_first:
        return (waiting,)
    return (
        waiting,
        _figure(language.gettext("New"), len(digest.new), Tone.NEW, language),
        _figure(language.gettext("Overdue"), digest.overdue, Tone.OVERDUE, language),
        _figure(language.gettext("Collected"), digest.returned, Tone.CALM, language),
        *_lost(digest, language),
    )


def _figure(label: str, count: int, tone: Tone, language: Language) -> Figure:
    return Figure(label, language.number(count), tone if count else Tone.CALM)


def _lost(digest: Digest, language: Language) -> Iterator[Figure]:
    """Only when there are any: then somebody must ask the carrier."""
    if digest.lost:
        yield _figure(language.gettext("Lost"), digest.lost, Tone.OVERDUE, language)


def money_figures(digest: Digest, language: Language) -> tuple[Figure, ...]:
    """What the waiting goods are worth, and what their buyers did not pay, per currency."""
    sums = (
        (language.gettext("Value of the goods"), digest.value),
        (language.gettext("Cash on delivery not paid"), digest.cod),
    )
    return tuple(
        Figure(label, language.enumeration([language.money(money) for money in amounts]))
        for label, amounts in ((label, _above_zero(amounts)) for label, amounts in sums)
        if amounts
    )


def _above_zero(amounts: Sequence[Money]) -> list[Money]:
    return [money for money in amounts if money.amount]


def age_classes(digest: Digest, language: Language) -> tuple[AgeClass, ...]:
    """How many wait how long; nothing where nobody can know."""
    if digest.is_first or not digest.present:
        return ()
    labels = age_labels(language)
    return tuple(
        AgeClass(number, label, language.number(count))
        for number, (label, count) in enumerate(zip(labels, digest.ages, strict=True))
    )


def age_labels(language: Language) -> tuple[str, ...]:
    """The names of the classes of age, youngest first."""
    between = [_span(first, after - 1, language) for first, after in pairwise(AGE_BOUNDS)]
    oldest = language.ngettext("{count}+ day", "{count}+ days", AGE_BOUNDS[-1])
    return (language.gettext("today"), *between, oldest)


def _span(first: int, last: int, language: Language) -> str:
    if first == last:
        return day_count(first, language)
    return language.ngettext("{first}–{count} day", "{first}–{count} days", last, first=first)


def view_trend(digest: Digest, language: Language) -> Trend | None:
    """The last days and this one; None before there is anything to compare."""
    days = (*digest.trend, (digest.day, len(digest.present)))[-TREND_DAYS:]
    counts = [count for _, count in days if count is not None]
    if len(counts) < 2:
        return None
    most = max(*counts, 1)
    return Trend(
        heading=language.ngettext("Last {count} day", "Last {count} days", len(days)),
        caption=_caption(min(counts), max(counts), language),
        bars=tuple(
            Bar(
                language.day(day),
                None if count is None else language.number(count),
                max(1, round(TALLEST_BAR * (count or 0) / most)),
            )
            for day, count in days
        ),
    )


def _caption(least: int, most: int, language: Language) -> str:
    if least == most:
        return language.gettext("{number} on every day", number=language.number(most))
    return language.gettext(
        "between {least} and {most}", least=language.number(least), most=language.number(most)
    )


def count_by_age(counts: Sequence[int], language: Language) -> Iterator[str]:
    """Classes of age that have any: "3 (7–13 days)"."""
    for label, count in zip(age_labels(language), counts, strict=True):
        if count:
            yield f"{language.number(count)} ({label})"
