"""Who gets the mail: addresses and contact groups, resolved to at most ten mailboxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from email_validator import EmailNotValidError, validate_email

from notifier.errors import RecipientsError

MOST_ENTRIES = 10
MOST_MAILBOXES = 10

# `Name <address>`, the name in quotes or not; email-validator wants quotes around every "á".
_NAMED = re.compile(r'\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^"]*?))\s*<(?P<address>[^<>]*)>\s*')


@dataclass(frozen=True)
class Mailbox:
    """One validated address, with the name shown beside it.

    `address` has its domain in the ASCII form of IDNA 2008; a local part outside ASCII stays.
    """

    address: str
    name: str = ""

    @cached_property
    def key(self) -> str:
        """The same for every spelling of one mailbox: what "each mailbox once" compares."""
        local, _, domain = self.address.rpartition("@")
        return f"{local.casefold()}@{domain.lower()}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the address can only be mailed to where SMTPUTF8 is offered (RFC 6531)."""
        return not self.address.isascii()

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


@dataclass(frozen=True)
class ContactGroup:
    """A named list of addresses and other groups; `language` is what its members read."""

    name: str
    members: tuple[str, ...]
    language: str | None = None


@dataclass(frozen=True)
class Recipient:
    """One mailbox that gets its own message, in `language`.

    `group` is the contact group it was first found in; None when it is named itself.
    """

    mailbox: Mailbox
    language: str
    group: str | None = None


def parse_mailbox(text: str) -> Mailbox:
    """Read `name@domain` or `Name <name@domain>`; raises ValueError that says what to write."""
    if not text.isprintable():
        raise ValueError(f"{text!r} contains a line break or control character; take it out")
    named = _NAMED.fullmatch(text)
    name, address = (
        (named["quoted"] or named["bare"] or "", named["address"]) if named else ("", text.strip())
    )
    if "=?" in name or set(name) & set('<>"'):
        raise ValueError(f'"{text}" has a name that mail programs misread; write plain words')
    try:
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        reason = str(error).rstrip(".")
        raise ValueError(f'"{text}" is not an address ({reason}); write name@domain') from None
    return Mailbox(f"{checked.local_part}@{checked.ascii_domain.lower()}", name.strip())


def is_address(entry: str) -> bool:
    """Whether an entry means an address; anything else means a group."""
    return "@" in entry


def resolve(
    entries: Sequence[str], groups: Mapping[str, ContactGroup], *, language: str
) -> tuple[Recipient, ...]:
    """Expand `entries` to recipients, each mailbox once, in the order they are named.

    The first way a mailbox is found decides its language and the reason it is told.
    Raises RecipientsError with every problem, more than ten entries or mailboxes among them;
    nothing is ever cut.
    """
    problems: list[tuple[str, str]] = []
    if not entries:
        problems.append(("", "nobody would get the mail; write at least one address or group"))
    if len(entries) > MOST_ENTRIES:
        problems.append(
            ("", f"{len(entries)} entries, but at most {MOST_ENTRIES} are allowed; use a group")
        )
    found: dict[str, Recipient] = {}
    for index, entry in enumerate(entries):
        try:
            for recipient in _expand(entry, groups, language, ()):
                found.setdefault(recipient.mailbox.key, recipient)
        except ValueError as error:
            problems.append((f"[{index}]", str(error)))
    if len(found) > MOST_MAILBOXES:
        many = f"{len(found)} mailboxes after groups are resolved"
        problems.append(("", f"{many}, at most {MOST_MAILBOXES} are allowed; take some out"))
    if problems:
        raise RecipientsError(tuple(problems))
    return tuple(found.values())


def _expand(
    entry: str, groups: Mapping[str, ContactGroup], language: str, above: tuple[str, ...]
) -> Iterator[Recipient]:
    """The recipients behind one entry; `above` are the groups we came through, outermost first."""
    if is_address(entry):
        yield Recipient(parse_mailbox(entry), language, group=above[0] if above else None)
        return
    if entry in above:
        path = " → ".join((*above[above.index(entry) :], entry))
        raise ValueError(f'group "{entry}" contains itself ({path}); take one of them out')
    if entry not in groups:
        raise ValueError(_unknown_group(entry, groups))
    group = groups[entry]
    for member in group.members:
        yield from _expand(member, groups, group.language or language, (*above, entry))


def _unknown_group(entry: str, groups: Mapping[str, ContactGroup]) -> str:
    known = ", ".join(f'"{name}"' for name in groups) or "none is defined"
    return f'"{entry}" has no "@" and is no contact group; write name@domain or a group ({known})'
