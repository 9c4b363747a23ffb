"""The mail to the admin in words: what went wrong, what to do about it, and what is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from notifier import __version__
from notifier.domain.alarms import Alarm
from notifier.domain.branding import Branding
from notifier.i18n.foreign_text import clean, defang
from notifier.i18n.language import Language
from notifier.i18n.messages import Message, Piece, PieceKind, merge_pieces
from notifier.mail.view.footer import PRODUCT
from notifier.mail.view.look import BrandingView, view_branding

MOST_SHOWN = 20
LONGEST = 500
"""Characters of what a sentence quotes: a configuration can be wrong in many words."""


@dataclass(frozen=True, slots=True)
class AlarmItem:
    """One alarm: what is wrong, since when, and what to do."""

    what: tuple[Piece, ...]
    time: str
    remedy: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class AlarmGroup:
    """Alarms that began, or that are over."""

    heading: str
    tone: str
    """As in the style sheet: warning or good."""
    items: tuple[AlarmItem, ...]
    more: str
    """How many are not shown; empty when all are."""


@dataclass(frozen=True, slots=True)
class AlarmView:
    """What the templates of the mail to the admin print."""

    language: str
    subject: str
    preheader: str
    title: str
    account: str
    """What stands above the title: the program, as alarms belong to no account."""
    groups: tuple[AlarmGroup, ...]
    remedy_label: str
    sentences: tuple[str, ...]
    product: str
    look: BrandingView


def view_alarms(
    begun: Sequence[Alarm], ended: Sequence[Alarm], zone: ZoneInfo, language: Language
) -> AlarmView:
    """Word what began and what ended, at least one of them; times are those of `zone`."""
    first, title = (*begun, *ended)[0], _title(begun, ended, language)
    return AlarmView(
        language=language.code,
        subject=f"{title} – {PRODUCT}",
        preheader="".join(piece.text for piece in _worded(first.cause.what, language)),
        title=title,
        account=PRODUCT,
        groups=tuple(_groups(begun, ended, zone, language)),
        remedy_label=language.gettext("What to do:"),
        sentences=(
            language.gettext("What is wrong now is shown by the command: notifier status"),
            language.gettext("You get this mail because you look after this program."),
        ),
        product=f"{PRODUCT} {__version__}",
        look=view_branding(Branding()),
    )


def _title(begun: Sequence[Alarm], ended: Sequence[Alarm], language: Language) -> str:
    if begun:
        return language.ngettext("{count} new problem", "{count} new problems", len(begun))
    return language.ngettext("{count} problem is over", "{count} problems are over", len(ended))


def _groups(
    begun: Sequence[Alarm], ended: Sequence[Alarm], zone: ZoneInfo, language: Language
) -> Iterator[AlarmGroup]:
    def item(alarm: Alarm) -> AlarmItem:
        return _item(alarm, zone, language)

    if begun:
        yield _group(language.gettext("What is wrong"), "warning", begun, item, language)
    if ended:
        yield _group(language.gettext("What is over"), "good", ended, item, language)


def _group(
    heading: str,
    tone: str,
    alarms: Sequence[Alarm],
    item: Callable[[Alarm], AlarmItem],
    language: Language,
) -> AlarmGroup:
    rest = len(alarms) - MOST_SHOWN
    more = language.ngettext("and {count} more", "and {count} more", rest) if rest > 0 else ""
    return AlarmGroup(heading, tone, tuple(map(item, alarms[:MOST_SHOWN])), more)


def _item(alarm: Alarm, zone: ZoneInfo, language: Language) -> AlarmItem:
    what, begun_at = tuple(_worded(alarm.cause.what, language)), alarm.begun_at
    if alarm.ended_at is None:
        since = language.gettext("Since {time}", time=_moment(begun_at, zone, language))
        return AlarmItem(what, since, tuple(_worded(alarm.cause.remedy, language)))
    span = language.gettext(
        "From {begin} to {end}",
        begin=_moment(begun_at, zone, language),
        end=_moment(alarm.ended_at, zone, language),
    )
    return AlarmItem(what, span, ())


def _worded(message: Message, language: Language) -> Iterator[Piece]:
    """The sentence in a language; some of it is what a server answered."""
    return merge_pieces(_safe(piece, language) for piece in message.pieces(language))


def _safe(piece: Piece, language: Language) -> Piece:
    if not piece.placeholder:
        return piece
    if piece.placeholder == "day":
        return replace(piece, text=language.day(date.fromisoformat(piece.text)))
    text = clean(piece.text, LONGEST)
    # Nobody types a command with the dots of an address pulled apart.
    return replace(
        piece, text=text if piece.kind is PieceKind.COMMAND else clean(defang(text), LONGEST)
    )


def _moment(moment: datetime, zone: ZoneInfo, language: Language) -> str:
    return f"{language.day_in(moment, zone)}, {language.time_in(moment, zone)}"
