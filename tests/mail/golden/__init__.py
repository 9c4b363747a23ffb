"""Golden mails: every kind of mail in a file, for a person to read.

    python -m tests.mail.golden      # write the files again; then read the difference

The English mails are kept whole. Every other language has one file with the words of all its mails,
because their markup must equal that of the English ones. The program's version and the boundaries
are left out: they would change the files without changing a mail.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from notifier import __version__
from notifier.domain.alarms import Alarm, Cause
from notifier.domain.ledger import FrozenMessage
from notifier.domain.recipients import Mailbox, Recipient
from notifier.i18n.language import available_languages
from notifier.i18n.messages import lazy
from notifier.mail.attachments.csv import orders_csv
from notifier.mail.freeze import freeze, freeze_alarms, freeze_notice, freeze_review, freeze_test
from notifier.mail.render import RenderedMail, Renderer
from tests.days import DAYS
from tests.factories import DAY, NOON, account, account_with_password, mail_options, sender

FOLDER = Path(__file__).parent
WHOLE = "en"
"""The language with golden files of whole mails."""

_MARKUP = re.compile(r"(<style.*?</style>|<[^>]*>)", re.DOTALL)


def golden_files() -> Iterator[tuple[str, str]]:
    """Yield the name and content of every golden file."""
    for name in MAIL_NAMES:
        mail = golden_mail(WHOLE, name)
        yield f"{WHOLE}-{name}.html", mail.html
        yield f"{WHOLE}-{name}.txt", mail.text
        yield f"{WHOLE}-{name}.head", mail.head
    for language in available_languages():
        if language != WHOLE:
            yield f"{language}.txt", "\n".join(words(language, name) for name in MAIL_NAMES)


@dataclass(frozen=True, slots=True)
class GoldenMail:
    """One mail as it is compared: its parts, its headers, and the types of all parts."""

    subject: str
    html: str
    text: str
    head: str


@cache
def golden_mail(language: str, name: str) -> GoldenMail:
    """Return one mail in one language; `name` is one of `MAIL_NAMES`."""
    other = OTHERS.get(name)
    mail, message = other(language) if other else digest_mail(language, name)
    return GoldenMail(
        mail.subject, _timeless(mail.html), _timeless(mail.text), _timeless(_head(message))
    )


def words(language: str, name: str) -> str:
    """Return the visible text: subject, texts of the HTML that English lacks, text part."""
    mail, english = golden_mail(language, name), golden_mail(WHOLE, name)
    known = set(_texts(english.html, name))
    html = [text for text in _texts(mail.html, name) if text not in known]
    text = _comparable(mail.text.splitlines(), name)
    return "\n".join([f"=== {name}: {mail.subject}", *html, "--- text", *text, ""])


def structure(language: str, name: str) -> list[str]:
    """Return a mail without its words: markup, headers and kinds of parts."""
    mail = golden_mail(language, name)
    html = mail.html.replace(f'<html lang="{language}"', "<html lang", 1)
    head = re.sub(r"(?m)^Subject: .*(\n .*)*|^Content-Language: \w+$", "", mail.head)
    return [*_comparable(_MARKUP.findall(html), name), *head.splitlines()]


def _texts(html: str, name: str) -> list[str]:
    between = (text.strip() for text in _MARKUP.split(html)[::2])
    return _comparable(filter(None, between), name)


def _comparable(pieces: Iterable[str], name: str) -> list[str]:
    """Return the pieces of a mail; of the huge one each kind once, without numbers of orders."""
    # The length of a language's words decides how many orders the huge mail shows.
    if name != "huge":
        return list(pieces)
    return list(dict.fromkeys(re.sub(r"\d{7}", "…", piece) for piece in pieces))


def digest_mail(language: str, name: str) -> tuple[RenderedMail, FrozenMessage]:
    """Make a day's digest in one language for a member of a contact group."""
    digest, reader = DAYS[name](), _reader(language)
    shop = account_with_password() if name == "incomplete" else account()
    options = mail_options(shop, language, reader.group)
    mail = Renderer().digest(digest, options, sender())
    message = freeze(
        mail,
        (orders_csv(digest, options),) if digest.present else (),
        recipient=reader,
        account=shop,
        sender=sender(),
        day=digest.day,
        edition=1,
        at=NOON,
    )
    return mail, message


def trial_mail(language: str) -> tuple[RenderedMail, FrozenMessage]:
    """Make the test mail in one language."""
    mail = Renderer().test(account(), sender(), _reader(language))
    message = freeze_test(
        mail, recipient=_reader(language), account=account(), sender=sender(), at=NOON
    )
    return mail, message


def alarm_mail(language: str) -> tuple[RenderedMail, FrozenMessage]:
    """Make the alarm mail in one language: one alarm begins and one ends."""
    begun = [
        Alarm(
            3,
            Cause(
                "failed/ljubljana/pavol@example.com",
                lazy(
                    "{account}: the digest of {day} to {recipient} could not be delivered: {reply}",
                    account="Mimovrste",
                    day=DAY,
                    recipient="pavol@example.com",
                    reply="550 5.1.1 <pavol@example.com>: no such `user`, see "
                    "https://mail.example/why",
                ),
                lazy(
                    "Mend the cause, then `notifier outbox retry {number}`; or drop it: "
                    "`notifier outbox discard {number}`.",
                    number=12,
                ),
            ),
            NOON,
        )
    ]
    ended = [
        Alarm(
            2,
            Cause(
                "mail-unavailable",
                lazy(
                    "No mail can be sent now: {reason}",
                    reason="mail server smtp.example:465 cannot be reached",
                ),
                lazy("It is tried again by itself; `notifier check --online` tells more."),
            ),
            NOON - timedelta(hours=25),
            NOON,
        )
    ]
    zone = account().schedule.zone
    mail = Renderer().alarms(begun, ended, zone, language=language)
    return mail, freeze_alarms(mail, "3-2", sender=sender(), at=NOON)


def _reader(language: str) -> Recipient:
    return Recipient(Mailbox("jana@example.com", "Jana Šiška"), language, "warehouse")


def _head(message: FrozenMessage) -> str:
    """Return the headers as they are sent, and the types of all parts."""
    mail = email.message_from_bytes(message.content, policy=email.policy.default)
    head = message.content.decode("ascii").split("\r\n\r\n")[0].replace("\r\n", "\n")
    head = re.sub(r'boundary="=_\w+"', 'boundary="…"', head)
    outline = [
        f"{part.get_content_type()} {part.get_filename() or ''}".rstrip() for part in mail.walk()
    ]
    return "\n".join([head, "", *outline, ""])


def notice_mail(language: str) -> tuple[RenderedMail, FrozenMessage]:
    """Make the notice that the list could not be read, in one language."""
    reader = _reader(language)
    mail = Renderer().notice(account(), sender(), DAY, NOON, recipient=reader)
    message = freeze_notice(
        mail, recipient=reader, account=account(), sender=sender(), day=DAY, at=NOON
    )
    return mail, message


def review_mail(language: str) -> tuple[RenderedMail, FrozenMessage]:
    """Make the monthly review for the admin, in one language."""
    ana = Recipient(Mailbox("ana@example.com"), language, "drivers", ("warehouse", "drivers"))
    other = account(id="zagreb", name="Zagreb", recipients=(*account().recipients, ana))
    mail = Renderer().review((account(), other), language=language)
    return mail, freeze_review(mail, month=DAY.replace(day=1), sender=sender(), at=NOON)


OTHERS = {"test": trial_mail, "alarm": alarm_mail, "notice": notice_mail, "review": review_mail}
"""All mails except digests."""

MAIL_NAMES = (*DAYS, *OTHERS)


def _timeless(text: str) -> str:
    # A new version of the program must not change the golden files.
    return text.replace(f"notifier {__version__}", "notifier {version}")
