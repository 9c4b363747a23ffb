"""The numbers at the head of a digest: totals, ages, and the trend of the last days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from notifier.domain.digest import AGE_BOUNDS, Digest
from notifier.i18n.language import Language
from notifier.mail.view.rows import Tone, day_count

TREND_DAYS = 14
TALLEST_BAR = 40
"""Height in pixels."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its label."""

    label: str
    value: str
    tone: Tone = Tone.CALM


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the trend."""

    day: str
    count: str | None
    """None if no list was read that day."""
    height: int
    """Height in pixels, at least one."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The number of waiting orders on each of the last days, oldest first."""

    heading: str
    caption: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class AgeClass:
    """The number of orders that have waited for a range of days."""

    number: int
    """0 for the shortest wait, counting up."""
    label: str
    count: str


def headline_figures(digest: Digest, language: Language) -> tuple[Figure, ...]:
    """Word the numbers of waiting, new, overdue, collected and lost orders.

    The first digest has only the first number.
    """
    # The others need an earlier day to compare with.
    waiting = Figure(language.gettext("To collect"), language.number(len(digest.present)))
    if digest.is_first:
        return (waiting,)
    return (
        waiting,
        _figure(language.gettext("New"), len(digest.new), Tone.NEW, language),
        _figure(language.gettext("Overdue"), digest.overdue, Tone.OVERDUE, language),
        _figure(language.gettext("Collected"), digest.returned, Tone.CALM, language),
        # Shown only if there are any: somebody then has to ask the carrier.
        *(
            [_figure(language.gettext("Lost"), digest.lost, Tone.OVERDUE, language)]
            if digest.lost
            else ()
        ),
    )


def _figure(label: str, count: int, tone: Tone, language: Language) -> Figure:
    # A red zero would look like a problem.
    return Figure(label, language.number(count), tone if count else Tone.CALM)


def money_figures(digest: Digest, language: Language) -> tuple[Figure, ...]:
    """Word the value and the unpaid cash on delivery of the waiting orders, per currency."""
    # No total over currencies: the notifier knows no exchange rates.
    sums = (
        (language.gettext("Value of the goods"), digest.value),
        (language.gettext("Cash on delivery not paid"), digest.cod),
    )
    shown = ((label, [m for m in amounts if m.amount]) for label, amounts in sums)
    return tuple(
        Figure(label, language.enumeration([language.money(money) for money in amounts]))
        for label, amounts in shown
        if amounts
    )


def age_classes(digest: Digest, language: Language) -> tuple[AgeClass, ...]:
    """Count the waiting orders by age; empty on the first digest, when no age is known."""
    if digest.is_first or not digest.present:
        return ()
    counts = zip(_age_labels(language), digest.ages, strict=True)
    return tuple(
        AgeClass(number, label, language.number(count))
        for number, (label, count) in enumerate(counts)
    )


def _age_labels(language: Language) -> tuple[str, ...]:
    between = [_span(first, after - 1, language) for first, after in pairwise(AGE_BOUNDS)]
    oldest = language.ngettext("{count}+ day", "{count}+ days", AGE_BOUNDS[-1])
    return (language.gettext("today"), *between, oldest)


def _span(first: int, last: int, language: Language) -> str:
    if first == last:
        return day_count(first, language)
    return language.ngettext("{first}–{count} day", "{first}–{count} days", last, first=first)


def view_trend(digest: Digest, language: Language) -> Trend | None:
    """Word the trend up to this day; None before two days are known."""
    days = (*digest.trend, (digest.day, len(digest.present)))[-TREND_DAYS:]
    counts = [count for _, count in days if count is not None]
    if len(counts) < 2:  # one bar shows no trend
        return None
    # At least 1, or two weeks without parcels would divide by zero.
    most = max(*counts, 1)
    return Trend(
        heading=language.ngettext("Last {count} day", "Last {count} days", len(days)),
        caption=_caption(min(counts), max(counts), language),
        bars=tuple(
            Bar(
                language.day(day),
                None if count is None else language.number(count),
                # A mail program may leave out a cell of height 0, and the days would shift.
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
    """Yield the count of each age class that is not empty: "3 (7–13 days)"."""
    for label, count in zip(_age_labels(language), counts, strict=True):
        if count:
            yield f"{language.number(count)} ({label})"
