"""Checks of single values of the configuration.

Each takes a value from TOML or the environment and returns the one the program works with, or
raises ValueError that says what is wrong and what to write instead. Where text is expected, other
types are returned unchanged: the schema reports them.
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

from notifier.domain.branding import contrast_of
from notifier.domain.columns import COLUMNS
from notifier.domain.recipients import parse_mailbox
from notifier.domain.settings import Secret
from notifier.i18n.language import available_languages

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# It becomes a part of variables, credentials' names and commands, so it needs no quoting anywhere.
_ACCOUNT_ID = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
# The old and the new one, while the address in the portal is being changed.
MOST_TOKENS = 2
# 32 hexadecimal digits are 128 bits, too many to guess. The other characters need no escape in an
# address.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,128}")
_COLOR = re.compile(r"#[0-9a-f]{6}")
# Least contrast of text (WCAG 2.2, 1.4.3).
EASY_TO_READ = 4.5
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")
# With underscores: no host name may have them (RFC 952), but containers do.
_HOST_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def shown(text: str, longest: int = 60) -> str:
    """Quote a value for a message, on one line and of limited length."""
    short = text if len(text) <= longest else f"{text[:longest]}…"
    # Control characters in a message could command the terminal that shows it.
    return f'"{short}"' if short.isprintable() else ascii(short)


def shown_path(path: Path) -> str:
    """Quote a path for a message, with its end, which is the part people look for."""
    return shown(str(path), longest=500)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the word in `known` that is most similar to `word`; None if none is similar."""
    by_folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def color(text: str) -> str:
    """Check a colour, written as in style sheets."""
    if not _COLOR.fullmatch(text.lower()):
        raise ValueError(f'{shown(text)} is not a colour; write it as "#12404f"')
    return text.lower()


def link_color(text: str) -> str:
    """Check that links of this colour can be read on white and on the grey of the small print."""
    written = color(text)
    if min(contrast_of(written, paper) for paper in ("#ffffff", "#eceff3")) < EASY_TO_READ:
        raise ValueError(f"{shown(text)} is too light to be read on white; take a darker one")
    return written


def columns(names: list[str]) -> list[str]:
    """Check columns of orders: each once, and the order number among them."""
    for name in names:
        if name not in COLUMNS:
            meant = nearest(name, COLUMNS)
            hint = f'did you mean "{meant}"?' if meant else f"there are {', '.join(COLUMNS)}"
            raise ValueError(f"{shown(name)} is not a column; {hint}")
        if names.count(name) > 1:
            raise ValueError(f"{shown(name)} is listed twice; remove one of them")
    # Without it, people cannot look up the order in the portal.
    if "order" not in names:
        raise ValueError('has no "order", the number by which people identify an order; add it')
    return names


def one_line(text: str) -> str:
    """Check text for one line of a mail, or for one of its headers."""
    if not text.strip():
        raise ValueError("is empty; write a value, or remove the line")
    if not text.isprintable():
        raise ValueError(f"{shown(text)} has a line break or control character; remove it")
    # Python's `email` decodes it in a header, where it can become a second one (CVE-2024-6923).
    if "=?" in text:
        raise ValueError(f'{shown(text)} contains "=?", which mail programs decode; remove it')
    return text.strip()


def account_id(text: str) -> str:
    """Check the permanent id of an account, the key of its table."""
    if not _ACCOUNT_ID.fullmatch(text) or len(text) > 40:
        raise ValueError(
            f"{shown(text)} cannot be the id of an account; write up to 40 lowercase letters "
            'and digits, with single hyphens or underscores between them, such as "ljubljana"'
        )
    return text


def group_name(text: str) -> str:
    """Check the name of a contact group; with an @ it would read as an address."""
    if "@" in text or len(text) > 60:
        raise ValueError(
            f'{shown(text)} cannot be the name of a group; write up to 60 characters without "@"'
        )
    return one_line(text)


def mailbox(value: object) -> object:
    """Parse `name@domain` or `Name <name@domain>` into a Mailbox."""
    return parse_mailbox(value) if isinstance(value, str) else value


def time_of_day(value: object) -> object:
    """Parse "06:00" or "06:00:00"; TOML's own 06:00:00 is a time already."""
    if not isinstance(value, str):
        return value
    if not _TIME.fullmatch(value):
        raise ValueError(
            f'{shown(value)} is not a time of day; write "06:00", between "00:00" and "23:59"'
        )
    return time.fromisoformat(value)


def time_zone(name: str) -> str:
    """Check the IANA name of a time zone that this machine knows."""
    known = available_timezones()
    if name in known:
        return name
    by_city = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(known)}
    guess = by_city.get(name.casefold()) or nearest(name, known) or "Europe/Ljubljana"
    raise ValueError(f'{shown(name)} is not a time zone; write "{guess}" or another IANA name')


def language(code: str) -> str:
    """Check the code of a language that the notifier is translated into."""
    known = available_languages()
    if code not in known:
        choice = ", ".join(f'"{one}"' for one in known)
        raise ValueError(f"{shown(code)} is not a language of the notifier; write one of {choice}")
    return code


def weekday(text: str) -> str:
    """Check a day of the week, written as its first three letters."""
    if text not in WEEKDAYS:
        raise ValueError(
            f"{shown(text)} is not a day of the week; write one of {', '.join(WEEKDAYS)}"
        )
    return text


def secret(value: object) -> object:
    """Wrap a password or client id. No message ever shows any of it."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        raise ValueError("is empty; write it, or name the file that holds it")
    if not value.isprintable():
        raise ValueError("has a line break or control character in it; write it on one line")
    return Secret(value)


def host(text: str) -> str:
    """Check a host name or an IP address, without a port, and encode the name by IDNA."""
    if is_ip(text):
        return text
    if re.search(r"[:/@]", text):
        raise ValueError(f'{shown(text)} is not a host name; write it alone, "smtp.example.com"')
    try:
        # Not Python's own codec, which turns straße.de into strasse.de, another domain.
        name = idna.encode(text, uts46=True).decode("ascii").rstrip(".")
    except (idna.IDNAError, UnicodeError):
        # IDNA refuses underscores.
        name = text.lower()
    if len(name) > 253 or not all(_HOST_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f'{shown(text)} is not a host name; write one such as "smtp.example.com"')
    return name


def is_ip(text: str) -> bool:
    """Whether `text` is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(text: str) -> bool:
    """Whether a host is this machine, which can be reached without TLS."""
    return ip_address(text).is_loopback if is_ip(text) else text == "localhost"


def base_url(text: str) -> str:
    """Check the address of the marketplace's API; the final slash is dropped."""
    parts = _web_address(text, 'write "https://mpapi.mallgroup.com"')
    if parts.query or parts.fragment:
        raise ValueError("has a query or fragment; write the address without ? and #")
    return text.rstrip("/")


def order_url(text: str) -> str:
    """Check the page of one order in the seller's portal, with `{id}` for its number."""
    _web_address(text, 'write it with "https://"')
    if text.count("{id}") != 1 or re.search(r"[{}]", text.replace("{id}", "")):
        raise ValueError(f"{shown(text)} must have {{id}} once, where the order number belongs")
    return text


def _web_address(text: str, instead: str, *, secret: bool = False) -> SplitResult:
    """Split an https address, or an http one of this machine.

    A user name in it is refused, except in a secret, which no message shows.
    """
    try:
        parts = urlsplit(text)
        # urlsplit checks the port only when it is asked for.
        _ = parts.port
    except ValueError:
        raise ValueError(f"is not a web address; {instead}") from None
    if "@" in parts.netloc and not secret:
        # It would appear in messages and logs, which show addresses.
        raise ValueError("has a user name in it; write the address without it")
    if not parts.hostname or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"is not a web address; {instead}")
    # Beside the path, the query may hold a key.
    shows = "" if secret else f"{shown(text)} "
    if parts.scheme not in ("https", "http"):
        raise ValueError(f"{shows}is not an https address; {instead}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"{shows}is not encrypted; {instead}")
    return parts


def file_location(value: object) -> object:
    """Check a path or a web address. No message shows it: the address may be a secret."""
    if not isinstance(value, str):
        return value
    if not value.strip() or not value.isprintable():
        raise ValueError('is not a path or an address; write "orders.csv", or an https address')
    if is_web_location(value):
        _web_address(value, "write an https address, or a path", secret=True)
    return Secret(value.strip())


def is_web_location(text: str) -> bool:
    """Whether a location is a web address and not a path."""
    return "://" in text


def delimiter(text: str) -> str:
    """Check the delimiter of cells: one character that cells seldom contain."""
    if len(text) != 1 or text in '"\r\n ' or text.isalnum():
        raise ValueError(f'{shown(text)} is not a delimiter; write ",", ";", "|" or "\\t"')
    return text


def encoding(name: str) -> str:
    """Check the name of a text encoding that Python knows."""
    try:
        # codecs.lookup would also accept codecs that are no text encoding, such as base64.
        "a".encode(name)
    except (LookupError, UnicodeError, ValueError):
        raise ValueError(
            f"{shown(name)} is not an encoding; "
            'write "utf-8-sig", "cp1250", "iso-8859-2" or "utf-16"'
        ) from None
    return name


def decimal(text: str) -> str:
    """Check the decimal separator of amounts."""
    if text not in (".", ","):
        raise ValueError(f'{shown(text)} is not a decimal separator; write "." or ","')
    return text


def date_format(text: str) -> str:
    """Check a format of `datetime.strptime` that contains year, month and day."""
    # Year, month and day differ from 1900-01-01, which strptime assumes for missing parts. So the
    # day returns unchanged only if the format contains all three.
    day = datetime(2025, 11, 23)  # noqa: DTZ001 - only the day counts
    try:
        right = datetime.strptime(day.strftime(text), text).date() == day.date()  # noqa: DTZ007
    except ValueError:
        right = False
    if not right:
        raise ValueError(
            f'{shown(text)} contains no date; write "%d.%m.%Y" for 23.11.2026, or "%d.%m.%Y %H:%M"'
        )
    return text


def currency(text: str) -> str:
    """Check a currency code of ISO 4217."""
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise ValueError(f'{shown(text)} is not a currency code; write "EUR"')
    return text


def ping_url(text: str) -> str:
    """Check the address of a monitor; the final slash is dropped."""
    _web_address(text, 'write it with "https://"')
    return text.rstrip("/")


def listen_address(text: str) -> str:
    """Check a loopback address with its port, or the absolute path of a Unix socket."""
    if text.startswith("/") and text.isprintable():
        return text
    name, _, port = text.rpartition(":")
    # Only loopback, because neither server has TLS or a login.
    if is_loopback(name.strip("[]")) and port.isascii() and port.isdecimal() and int(port) < 65536:
        return text
    raise ValueError(
        f"{shown(text)} is not on this machine; write "
        '"127.0.0.1:8686", or the absolute path of a socket'
    )


def webhook_token(value: object) -> object:
    """Check one webhook token, or two with a blank between them; no message shows any of it."""
    if not isinstance(value, str):
        return value
    tokens = value.split()
    if not 1 <= len(tokens) <= MOST_TOKENS or not all(map(_TOKEN.fullmatch, tokens)):
        raise ValueError(
            "is not a token, or two separated by a blank; create one of 32 to 128 letters and "
            "digits with `openssl rand -hex 32`"
        )
    return Secret(value)


def header_name(text: str) -> str:
    """Check the name of a header that no mail has for another purpose (RFC 5322, 3.6.8)."""
    if re.fullmatch(r"X-[A-Za-z0-9-]{1,60}|[A-Za-z0-9-]*Idempotency[A-Za-z0-9-]*", text):
        return text
    raise ValueError(
        f'{shown(text)} is not a header of a relay; write one such as "X-Idempotency-Key"'
    )


def database_url(text: str) -> str:
    """Check a SQLAlchemy URL of PostgreSQL, or of a SQLite file with its absolute path.

    It may hold a password, so no message shows it.
    """
    # Four slashes are an absolute path; another would depend on the current directory.
    if text.startswith(("postgresql+psycopg://", "sqlite:////")) and text.isprintable():
        return text
    raise ValueError(
        'is not a database of the notifier; write "postgresql+psycopg://user@host/name", '
        "or store.path for a SQLite file"
    )
