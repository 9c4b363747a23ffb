"""The mails to the admin: alarms, and the monthly review of the recipients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from notifier.domain.alarms import Alarm
from notifier.domain.branding import Branding
from notifier.domain.recipients import Recipient
from notifier.domain.settings import Account
from notifier.i18n.foreign_text import clean, defang
from notifier.i18n.language import Language
from notifier.i18n.messages import Message, Piece, PieceKind, merge_pieces
from notifier.mail.view.frame import PRODUCT, MailView, product, view_branding

MOST_SHOWN = 20
"""Limit of alarms in one group."""
# Error messages may be very long.
LONGEST = 500
"""Limit of one value in a sentence, in characters."""


@dataclass(frozen=True, slots=True)
class AlarmItem:
    """One alarm: the problem, its time, and the remedy."""

    what: tuple[Piece, ...]
    time: str
    remedy: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class AlarmGroup:
    """The alarms that began, or those that ended."""

    heading: str
    tone: str
    """A class of the style sheet: warning or good."""
    items: tuple[AlarmItem, ...]
    more: str
    """The number of alarms not shown; empty if all are."""


@dataclass(frozen=True, slots=True)
class AlarmView(MailView):
    """The values that the templates of the alarm mail print."""

    groups: tuple[AlarmGroup, ...]
    remedy_label: str
    product: str


@dataclass(frozen=True, slots=True)
class ReviewedRecipient:
    """One mailbox that gets a digest, and the reason."""

    address: str
    why: str


@dataclass(frozen=True, slots=True)
class ReviewedAccount:
    """The recipients of one account."""

    name: str
    readers: tuple[ReviewedRecipient, ...]


@dataclass(frozen=True, slots=True)
class ReviewView(MailView):
    """The values that the templates of the review print."""

    question: str
    accounts: tuple[ReviewedAccount, ...]
    product: str


def view_alarms(
    begun: Sequence[Alarm], ended: Sequence[Alarm], zone: ZoneInfo, language: Language
) -> AlarmView:
    """Word the alarms that began and ended, with times of `zone`; at least one must be given."""
    first, title = (*begun, *ended)[0], _title(begun, ended, language)
    return AlarmView(
        language=language.code,
        subject=f"{title} – {PRODUCT}",
        preheader="".join(piece.text for piece in _sentence(first.cause.what, language)),
        title=title,
        account=PRODUCT,
        groups=tuple(_groups(begun, ended, zone, language)),
        remedy_label=language.gettext("What to do:"),
        sentences=(
            language.gettext("To see what is wrong now, run: notifier status"),
            _administrator(language),
        ),
        product=product(),
        look=view_branding(Branding()),
    )


def _administrator(language: Language) -> str:
    return language.gettext("You get this mail because you are the administrator of this program.")


def _title(begun: Sequence[Alarm], ended: Sequence[Alarm], language: Language) -> str:
    if begun:
        return language.ngettext("{count} new problem", "{count} new problems", len(begun))
    return language.ngettext("{count} problem is solved", "{count} problems are solved", len(ended))


def _groups(
    begun: Sequence[Alarm], ended: Sequence[Alarm], zone: ZoneInfo, language: Language
) -> Iterator[AlarmGroup]:
    if begun:
        items = tuple(_item(alarm, zone, language) for alarm in begun[:MOST_SHOWN])
        heading = language.gettext("What is wrong")
        yield AlarmGroup(heading, "warning", items, _more(len(begun), language))
    if ended:
        items = tuple(_item(alarm, zone, language) for alarm in ended[:MOST_SHOWN])
        heading = language.gettext("Solved")
        yield AlarmGroup(heading, "good", items, _more(len(ended), language))


def _more(count: int, language: Language) -> str:
    rest = count - MOST_SHOWN
    return language.ngettext("and {count} more", "and {count} more", rest) if rest > 0 else ""


def _item(alarm: Alarm, zone: ZoneInfo, language: Language) -> AlarmItem:
    what, begun_at = _sentence(alarm.cause.what, language), alarm.begun_at
    if alarm.ended_at is None:
        since = language.gettext("Since {time}", time=_moment(begun_at, zone, language))
        return AlarmItem(what, since, _sentence(alarm.cause.remedy, language))
    span = language.gettext(
        "From {begin} to {end}",
        begin=_moment(begun_at, zone, language),
        end=_moment(alarm.ended_at, zone, language),
    )
    # A solved problem needs no remedy.
    return AlarmItem(what, span, ())


def _sentence(message: Message, language: Language) -> tuple[Piece, ...]:
    return tuple(merge_pieces(_safe(piece, language) for piece in message.pieces(language)))


def _safe(piece: Piece, language: Language) -> Piece:
    """Clean a value of a sentence: it may be the response of a server."""
    if not piece.placeholder:
        return piece
    if piece.placeholder == "day":
        # Alarms are stored without a language, so a day is stored in ISO 8601.
        return replace(piece, text=language.day(date.fromisoformat(piece.text)))
    text = clean(piece.text, LONGEST)
    # Defanging puts spaces into addresses; a command must stay as it is typed.
    if piece.kind is not PieceKind.COMMAND:
        text = clean(defang(text), LONGEST)
    return replace(piece, text=text)


def _moment(moment: datetime, zone: ZoneInfo, language: Language) -> str:
    return f"{language.day_in(moment, zone)}, {language.time_in(moment, zone)}"


def view_review(accounts: Sequence[Account], language: Language) -> ReviewView:
    """Word the list of all recipients of these accounts."""
    title = language.gettext("Recipients to review")
    question = language.gettext(
        "These people get the digests. Please check once a month that all of them still should."
    )
    return ReviewView(
        language=language.code,
        subject=f"{title} – {PRODUCT}",
        preheader=question,
        title=title,
        account=PRODUCT,
        question=question,
        accounts=tuple(_account(account, language) for account in accounts),
        sentences=(
            language.gettext(
                "To change the recipients, edit the configuration and run the command: "
                "notifier check"
            ),
            _administrator(language),
        ),
        product=product(),
        look=view_branding(Branding()),
    )


def _account(account: Account, language: Language) -> ReviewedAccount:
    recipients = (
        ReviewedRecipient(clean(str(r.mailbox)), _why(r, language)) for r in account.recipients
    )
    return ReviewedAccount(clean(account.name), tuple(recipients))


def _why(recipient: Recipient, language: Language) -> str:
    if not recipient.path:
        return language.gettext("Named in the configuration")
    path = " → ".join(map(clean, recipient.path))
    return language.gettext("Contact group: {group}", group=path)
