"""What single values of the configuration must look like.

Each reader takes what TOML or the environment gave and returns what the program works with, or
raises ValueError with what is wrong and what to write instead. Texts that do not come as text
are left as they are: the schema then says that they must be.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from datetime import datetime, time
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

import idna

from notifier.domain.colours import contrast_of
from notifier.domain.columns import COLUMNS
from notifier.domain.recipients import parse_mailbox
from notifier.domain.settings import Secret
from notifier.i18n.language import available_languages

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_ACCOUNT_ID = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
MOST_TOKENS = 2
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,128}")
_COLOR = re.compile(r"#[0-9a-f]{6}")
EASY_TO_READ = 4.5
"""Contrast of text (WCAG 2.2, 1.4.3)."""
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")
_HOST_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def shown(text: str, longest: int = 60) -> str:
    """A value as a message may show it: in quotes, on one line, not endless."""
    short = text if len(text) <= longest else f"{text[:longest]}…"
    return f'"{short}"' if short.isprintable() else ascii(short)


def shown_path(path: Path) -> str:
    """A path as a message may show it: up to its end, which is the part that tells."""
    return shown(str(path), longest=500)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that was most likely meant by `word`."""
    by_folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def color(text: str) -> str:
    """A colour as in style sheets."""
    if not _COLOR.fullmatch(text.lower()):
        raise ValueError(f'{shown(text)} is no colour; write it as "#12404f"')
    return text.lower()


def link_color(text: str) -> str:
    """One that can be read where links stand: on white, and on the grey of the small print."""
    written = color(text)
    if min(contrast_of(written, paper) for paper in ("#ffffff", "#eceff3")) < EASY_TO_READ:
        raise ValueError(f"{shown(text)} is too light to be read on white; take a darker one")
    return written


def columns(names: list[str]) -> list[str]:
    """Columns of orders, each once; the order's own number is always among them."""
    for name in names:
        if name not in COLUMNS:
            meant = nearest(name, COLUMNS)
            hint = f'did you mean "{meant}"?' if meant else f"there are {', '.join(COLUMNS)}"
            raise ValueError(f"{shown(name)} is no column; {hint}")
        if names.count(name) > 1:
            raise ValueError(f"{shown(name)} stands in it twice; take one of them out")
    if "order" not in names:
        raise ValueError('has no "order", by which people know one; put it in')
    return names


def one_line(text: str) -> str:
    """Text that can be shown in one line of a mail or put into one of its headers."""
    if not text.strip():
        raise ValueError("is empty; write something, or take the line out")
    if not text.isprintable():
        raise ValueError(f"{shown(text)} has a line break or control character; take it out")
    if "=?" in text:
        raise ValueError(f'{shown(text)} contains "=?", which mail programs decode; take it out')
    return text.strip()


def account_id(text: str) -> str:
    """The fixed id of an account, the key of its table."""
    if not _ACCOUNT_ID.fullmatch(text) or len(text) > 40:
        raise ValueError(
            f"{shown(text)} cannot be the id of an account; write up to 40 lowercase letters "
            'and digits, with single hyphens or underscores between them, such as "ljubljana"'
        )
    return text


def group_name(text: str) -> str:
    """The name of a contact group; with an @ it would read as an address."""
    if "@" in text or len(text) > 60:
        raise ValueError(
            f'{shown(text)} cannot be the name of a group; write up to 60 characters without "@"'
        )
    return one_line(text)


def mailbox(value: object) -> object:
    """`name@domain` or `Name <name@domain>` as a Mailbox."""
    return parse_mailbox(value) if isinstance(value, str) else value


def time_of_day(value: object) -> object:
    """ "06:00" or "06:00:00", or TOML's own 06:00:00, as a local time."""
    if not isinstance(value, str):
        return value
    if not _TIME.fullmatch(value):
        raise ValueError(
            f'{shown(value)} is no time of day; write "06:00", between "00:00" and "23:59"'
        )
    return time.fromisoformat(value)


def time_zone(name: str) -> str:
    """The IANA name of a time zone this machine knows."""
    known = available_timezones()
    if name in known:
        return name
    by_city = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(known)}
    guess = by_city.get(name.casefold()) or nearest(name, known) or "Europe/Ljubljana"
    raise ValueError(f'{shown(name)} is no time zone; write "{guess}" or another IANA name')


def language(code: str) -> str:
    """A language the notifier has all its words in."""
    known = available_languages()
    if code not in known:
        choice = ", ".join(f'"{one}"' for one in known)
        raise ValueError(f"{shown(code)} is no language of the notifier; write one of {choice}")
    return code


def weekday(text: str) -> str:
    """A day of the week, by its first three letters."""
    if text not in WEEKDAYS:
        raise ValueError(f"{shown(text)} is no day of the week; write one of {', '.join(WEEKDAYS)}")
    return text


def secret(value: object) -> object:
    """A password or client id. No message ever shows any of it."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        raise ValueError("is empty; write it, or name the file that holds it")
    if not value.isprintable():
        raise ValueError("has a line break or control character in it; write it on one line")
    return Secret(value)


def host(text: str) -> str:
    """A host name or an IP address, without a port."""
    if is_ip(text):
        return text
    if re.search(r"[:/@]", text):
        raise ValueError(f'{shown(text)} is no host name; write it alone, "smtp.example.com"')
    try:
        name = idna.encode(text, uts46=True).decode("ascii").rstrip(".")
    except (idna.IDNAError, UnicodeError):
        name = text.lower()
    if len(name) > 253 or not all(_HOST_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f'{shown(text)} is no host name; write one such as "smtp.example.com"')
    return name


def is_ip(text: str) -> bool:
    """Whether `text` is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(text: str) -> bool:
    """Whether a host is this machine, which needs no TLS to talk to."""
    return ip_address(text).is_loopback if is_ip(text) else text == "localhost"


def base_url(text: str) -> str:
    """Where the marketplace's API is; the final slash is dropped."""
    parts = _web_address(text, 'write "https://mpapi.mallgroup.com"')
    if parts.query or parts.fragment:
        raise ValueError("has a query or fragment; write the address without ? and #")
    return text.rstrip("/")


def order_url(text: str) -> str:
    """The page of one order in the seller's portal, with `{id}` for its number."""
    _web_address(text, 'write it with "https://"')
    if text.count("{id}") != 1 or re.search(r"[{}]", text.replace("{id}", "")):
        raise ValueError(f"{shown(text)} must have {{id}} once, where the order number belongs")
    return text


def _web_address(text: str, instead: str) -> SplitResult:
    """Take apart an https address, or an http one of this machine; never show a password in it."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(f"is no web address; {instead}") from None
    if "@" in parts.netloc:
        raise ValueError("has a user name in it; write the address without it")
    if not parts.hostname or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"is no web address; {instead}")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError(f"{shown(text)} is not encrypted; {instead}")
    return parts


def file_location(value: object) -> object:
    """A path, or an address of the web. No message shows it: the address may be a secret."""
    if not isinstance(value, str):
        return value
    if not value.strip() or not value.isprintable():
        raise ValueError('is no path or address; write "orders.csv", or an https address')
    if is_web_location(value):
        _refuse_location(value)
    return Secret(value.strip())


def is_web_location(text: str) -> bool:
    """Whether it is an address of the web, which whoever knows it can read, and no path."""
    return "://" in text


def _refuse_location(text: str) -> None:
    instead = "write an https address, or a path"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(f"is no web address; {instead}") from None
    if not parts.hostname or not text.isascii() or " " in text:
        raise ValueError(f"is no web address; {instead}")
    if parts.scheme not in ("https", "http"):
        raise ValueError(f"is asked over https only, and not over {parts.scheme}; {instead}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"is not encrypted; {instead}")


def delimiter(text: str) -> str:
    """What stands between two cells: one character that a cell seldom has."""
    if len(text) != 1 or text in '"\r\n ' or text.isalnum():
        raise ValueError(f'{shown(text)} separates no cells; write ",", ";", "|" or "\\t"')
    return text


def encoding(name: str) -> str:
    """The name of a text encoding that Python knows."""
    try:
        "a".encode(name)  # nothing at all would not even be looked up
    except (LookupError, UnicodeError, ValueError):
        raise ValueError(
            f'{shown(name)} is no encoding; write "utf-8-sig", "cp1250", "iso-8859-2" or "utf-16"'
        ) from None
    return name


def decimal(text: str) -> str:
    """The sign before the cents."""
    if text not in (".", ","):
        raise ValueError(f'{shown(text)} stands before no cents; write "." or ","')
    return text


def date_format(text: str) -> str:
    """A format of `datetime.strptime` that gives a day."""
    day = datetime(2025, 11, 23)  # noqa: DTZ001 - a day as such
    try:
        right = datetime.strptime(day.strftime(text), text).date() == day.date()  # noqa: DTZ007
    except ValueError:
        right = False
    if not right:
        raise ValueError(
            f'{shown(text)} tells no day; write "%d.%m.%Y" for 23.11.2026, or "%d.%m.%Y %H:%M"'
        )
    return text


def currency(text: str) -> str:
    """A code of ISO 4217."""
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise ValueError(f'{shown(text)} is no code of a currency; write "EUR"')
    return text


def ping_url(text: str) -> str:
    """Where a monitor is called; the final slash is dropped."""
    _web_address(text, 'write it with "https://"')
    return text.rstrip("/")


def listen_address(text: str) -> str:
    """A loopback address with its port, or the whole path of a Unix socket."""
    if text.startswith("/") and text.isprintable():
        return text
    name, _, port = text.rpartition(":")
    if is_loopback(name.strip("[]")) and port.isascii() and port.isdecimal() and int(port) < 65536:
        return text
    raise ValueError(
        f"{shown(text)} is not on this machine; write "
        '"127.0.0.1:8686", or the whole path of a socket'
    )


def webhook_token(value: object) -> object:
    """One token or two, with a blank between them; no message shows any of it."""
    if not isinstance(value, str):
        return value
    tokens = value.split()
    if not 1 <= len(tokens) <= MOST_TOKENS or not all(map(_TOKEN.fullmatch, tokens)):
        raise ValueError(
            "is no token, nor two with a blank between them; make one of 32 to 128 letters and "
            "digits with `openssl rand -hex 32`"
        )
    return Secret(value)


def header_name(text: str) -> str:
    """The name of a mail header that no mail has anyway (RFC 5322, 3.6.8)."""
    if re.fullmatch(r"X-[A-Za-z0-9-]{1,60}|[A-Za-z0-9-]*Idempotency[A-Za-z0-9-]*", text):
        return text
    raise ValueError(
        f'{shown(text)} is no header of a relay; write one such as "X-Idempotency-Key"'
    )


def database_url(text: str) -> str:
    """A SQLAlchemy URL of PostgreSQL, or of a SQLite file by its whole path.

    It may hold a password, so no message shows it.
    """
    if text.startswith(("postgresql+psycopg://", "sqlite:////")) and text.isprintable():
        return text
    raise ValueError(
        'is no database of the notifier; write "postgresql+psycopg://user@host/name", '
        "or store.path for a SQLite file"
    )
