"""Who gets the mail: addresses and contact groups, resolved to at most ten mailboxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from email_validator import EmailNotValidError, validate_email

from notifier.errors import RecipientsError

# More readers need a mailing list of the mail server, which is one mailbox here.
MAX_ENTRIES = 10
MAX_MAILBOXES = 10
# Deeper nesting is a mistake, and must not end in a RecursionError.
MAX_NESTING = 10
# In characters: an address has at most 254 (RFC 5321, 4.5.3.1.3); the rest is enough for a name.
MAX_ENTRY_LENGTH = 400

# `Name <address>`, the name in quotes or not. Our own, because email-validator refuses letters
# such as "á" in a name without quotes.
_NAMED = re.compile(r'\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^"]*?))\s*<(?P<address>[^<>]*)>\s*')


class AttachmentKind(StrEnum):
    """A file attached to a mail, most important first: what does not fit is dropped from the end.

    `mail/attachments/` makes them.
    """

    CSV = "csv"
    XLSX = "xlsx"
    SHEET = "sheet"
    """The pick-up sheet, to be printed."""


# Without slots, because `cached_property` needs a `__dict__`.
@dataclass(frozen=True)
class Mailbox:
    """One validated address, with the name shown beside it."""

    address: str
    """The domain is in the ASCII form of IDNA 2008; the local part may be outside ASCII."""
    name: str = ""

    @cached_property
    def key(self) -> str:
        """The same for every spelling of one mailbox; mailboxes are compared by it."""
        # RFC 5321, 2.4, allows a server to tell "Jana" from "jana". Practically none does, and one
        # person with two copies is the likelier mistake.
        local, _, domain = self.address.rpartition("@")
        return f"{local.casefold()}@{domain.lower()}"

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def needs_smtputf8(self) -> bool:
        """Whether mail to it needs a server with SMTPUTF8 (RFC 6531)."""
        return not self.address.isascii()

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


@dataclass(frozen=True)
class ContactGroup:
    """A named list of addresses and other groups, and what its members get.

    None and empty choices mean those of the account.
    """

    name: str
    members: tuple[str, ...]
    language: str | None = None
    attachments: tuple[AttachmentKind, ...] | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipient:
    """One mailbox that gets its own message."""

    mailbox: Mailbox
    language: str
    group: str | None = None
    """The first contact group that contains it; None if it is listed itself."""
    path: tuple[str, ...] = field(default=(), compare=False)
    """The nested groups that lead to it, outermost first."""
    attachments: tuple[AttachmentKind, ...] | None = None
    """The attachments of all its groups together; None if no group chooses any."""
    columns: tuple[str, ...] = ()
    """The columns of the innermost group of `path` that chooses some; empty if none does."""


def parse_mailbox(text: str) -> Mailbox:
    """Read `name@domain` or `Name <name@domain>`; the ValueError of others says what to write."""
    if len(text) > MAX_ENTRY_LENGTH:
        raise ValueError(f"{text[:40]!a}… is longer than {MAX_ENTRY_LENGTH} characters; shorten it")
    # A line break in an address or name would begin another header.
    if not text.isprintable():
        raise ValueError(f"{text!a} contains a line break or control character; take it out")
    named = _NAMED.fullmatch(text)
    if not named and "<" in text:
        raise ValueError(f'"{text}" is not a name and an address; write Name <name@domain>')
    name, address = (
        (named["quoted"] or named["bare"] or "", named["address"]) if named else ("", text.strip())
    )
    # "=?" begins an encoded word, which Python 3.11.7 decoded into new headers (CVE-2024-6923).
    if "=?" in name or set(name) & set('<>"'):
        raise ValueError(f'"{text}" has a name that mail programs misread; write plain words')
    try:
        # Without DNS, a check of deliverability would find that gmail.com does not exist.
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        raise ValueError(f'"{text}" {_wrong_part(address)}; write name@domain') from None
    return Mailbox(f"{checked.local_part}@{checked.ascii_domain.lower()}", name.strip())


def _wrong_part(address: str) -> str:
    # The domain is at fault if it is refused after any name.
    local, at, domain = address.rpartition("@")
    if not at:
        return "is not an address"
    try:
        validate_email(f"name@{domain}", check_deliverability=False)
    except EmailNotValidError:
        return "has no valid domain"
    return "has no valid name before the @" if local else "has nothing before the @"


def is_address(entry: str) -> bool:
    """Return whether an entry is an address; any other is the name of a group."""
    return "@" in entry


def resolve(
    entries: Sequence[str], groups: Mapping[str, ContactGroup], *, language: str
) -> tuple[Recipient, ...]:
    """Return the recipients of `entries`, each mailbox once, in the order of the entries.

    The first occurrence of a mailbox decides its language and group. Raises RecipientsError with
    every problem; too many entries or mailboxes are a problem too.
    """
    # A list that is too long is refused, never cut: somebody would be left out silently.
    problems: list[tuple[str, str]] = []
    found: dict[str, Recipient] = {}
    expanded: set[str] = set()
    for index, entry in enumerate(entries):
        try:
            for recipient in _expand(entry, groups, language, (), expanded):
                found.setdefault(recipient.mailbox.key, recipient)
        except ValueError as error:
            problems.append((f"[{index}]", str(error)))
    if problem := _wrong_number(len(entries), len(found)):
        problems.insert(0, ("", problem))
    if problems:
        raise RecipientsError(tuple(problems))
    return tuple(
        replace(
            recipient,
            attachments=_attachments(recipient.mailbox, entries, groups),
            columns=_columns(recipient.path, groups),
        )
        for recipient in found.values()
    )


def _columns(path: Sequence[str], groups: Mapping[str, ContactGroup]) -> tuple[str, ...]:
    return next((groups[name].columns for name in reversed(path) if groups[name].columns), ())


def _attachments(
    mailbox: Mailbox, entries: Sequence[str], groups: Mapping[str, ContactGroup]
) -> tuple[AttachmentKind, ...] | None:
    """Return the attachments that any group with this mailbox chooses, not only the first one."""
    choices = [
        chosen
        for name in _reachable(entries, groups)
        if (chosen := groups[name].attachments) is not None and mailbox.key in _keys(name, groups)
    ]
    if not choices:
        return None
    # In the order of AttachmentKind, because what does not fit is dropped from the end.
    return tuple(kind for kind in AttachmentKind if any(kind in chosen for chosen in choices))


def _reachable(entries: Sequence[str], groups: Mapping[str, ContactGroup]) -> set[str]:
    """Return the groups among the entries, and the groups in them."""
    # With a set of visited groups, since groups may contain each other.
    reachable: set[str] = set()
    pending = [entry for entry in entries if entry in groups]
    while pending:
        name = pending.pop()
        if name not in reachable:
            reachable.add(name)
            pending.extend(member for member in groups[name].members if member in groups)
    return reachable


def _keys(name: str, groups: Mapping[str, ContactGroup]) -> set[str]:
    members = (member for inner in _reachable([name], groups) for member in groups[inner].members)
    return {parse_mailbox(member).key for member in members if is_address(member)}


def _wrong_number(entries: int, mailboxes: int) -> str | None:
    if not entries:
        return "nobody would get the mail; write at least one address or group"
    if entries > MAX_ENTRIES:
        return f"{entries} entries, but at most {MAX_ENTRIES} are allowed; take some out"
    if mailboxes > MAX_MAILBOXES:
        many = f"{mailboxes} mailboxes after groups are resolved"
        return f"{many}, but at most {MAX_MAILBOXES} are allowed; take some out"
    return None


def _expand(
    entry: str,
    groups: Mapping[str, ContactGroup],
    language: str,
    above: tuple[str, ...],
    expanded: set[str],
) -> Iterator[Recipient]:
    """Yield the recipients of one entry; `above` are the groups around it, outermost first."""
    if is_address(entry):
        outermost = above[0] if above else None
        yield Recipient(_mailbox(entry, groups), language, outermost, path=above)
        return
    if entry in above:
        path = " → ".join((*above[above.index(entry) :], entry))
        raise ValueError(f'group "{entry}" contains itself ({path}); take one of them out')
    if entry not in groups:
        raise ValueError(_unknown_group(entry, groups))
    if len(above) == MAX_NESTING:
        raise ValueError(f'group "{above[0]}" is nested more than {MAX_NESTING} groups deep')
    # A second expansion adds no mailbox, and with groups that each list the next one twice it would
    # take exponential time.
    if entry not in expanded:
        expanded.add(entry)
        group = groups[entry]
        for member in group.members:
            inner = group.language or language
            yield from _expand(member, groups, inner, (*above, entry), expanded)


def _mailbox(entry: str, groups: Mapping[str, ContactGroup]) -> Mailbox:
    try:
        return parse_mailbox(entry)
    except ValueError as error:
        advice = "write name@domain"
        full_advice = f"{advice} or a group ({_names(groups)})" if groups else advice
        raise ValueError(str(error).replace(advice, full_advice)) from None


def _unknown_group(entry: str, groups: Mapping[str, ContactGroup]) -> str:
    # An escape sequence of the terminal must not act when the message is printed.
    shown = f'"{entry}"' if entry.isprintable() else ascii(entry)
    known = _names(groups) if groups else "none is defined"
    return (
        f'{shown[:80]} has no "@" and is no contact group; write name@domain or a group ({known})'
    )


def _names(groups: Mapping[str, ContactGroup]) -> str:
    shown = [f'"{name}"' for name in groups]
    return ", ".join(shown if len(shown) <= 10 else [*shown[:10], "…"])
