"""Who gets the mail: addresses and contact groups, resolved to at most ten mailboxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from email_validator import EmailNotValidError, validate_email

from notifier.domain.attachments import AttachmentKind
from notifier.errors import RecipientsError

MOST_ENTRIES = 10
MOST_MAILBOXES = 10
DEEPEST_NESTING = 10
LONGEST_ENTRY = 400
"""Characters: an address has at most 254, and the rest is name enough."""

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
    def domain(self) -> str:
        """What comes after the @."""
        return self.address.rpartition("@")[2]

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the address can only be mailed to where SMTPUTF8 is offered (RFC 6531)."""
        return not self.address.isascii()

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


@dataclass(frozen=True)
class ContactGroup:
    """A named list of addresses and other groups; `language` is what its members read.

    `attachments` is what goes with their mail, `columns` what is told of an order in it; None and
    empty where that is as in the account.
    """

    name: str
    members: tuple[str, ...]
    language: str | None = None
    attachments: tuple[AttachmentKind, ...] | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipient:
    """One mailbox that gets its own message, in `language`.

    `group` is the contact group it was first found in; None when it is named itself. `path` are
    the groups on the way to it, outermost first.
    """

    mailbox: Mailbox
    language: str
    group: str | None = None
    path: tuple[str, ...] = field(default=(), compare=False)
    attachments: tuple[AttachmentKind, ...] | None = None
    """What all its groups ask for together; None where none of them does."""
    columns: tuple[str, ...] = ()
    """Those of the innermost group on the way that chooses some; empty where none does."""


def parse_mailbox(text: str) -> Mailbox:
    """Read `name@domain` or `Name <name@domain>`; raises ValueError that says what to write."""
    if len(text) > LONGEST_ENTRY:
        raise ValueError(f"{text[:40]!a}… is longer than {LONGEST_ENTRY} characters; shorten it")
    if not text.isprintable():
        raise ValueError(f"{text!a} contains a line break or control character; take it out")
    named = _NAMED.fullmatch(text)
    if not named and "<" in text:
        raise ValueError(f'"{text}" is not a name and an address; write Name <name@domain>')
    name, address = (
        (named["quoted"] or named["bare"] or "", named["address"]) if named else ("", text.strip())
    )
    if "=?" in name or set(name) & set('<>"'):
        raise ValueError(f'"{text}" has a name that mail programs misread; write plain words')
    try:
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        raise ValueError(f'"{text}" {_wrong_part(address)}; write name@domain') from None
    return Mailbox(f"{checked.local_part}@{checked.ascii_domain.lower()}", name.strip())


def _wrong_part(address: str) -> str:
    """Which side of the @ is at fault: the domain if it is wrong behind any name."""
    local, at, domain = address.rpartition("@")
    if not at:
        return "is not an address"
    try:
        validate_email(f"name@{domain}", check_deliverability=False)
    except EmailNotValidError:
        return "has no valid domain"
    return "has no valid name before the @" if local else "has nothing before the @"


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
    found: dict[str, Recipient] = {}
    expanded: set[str] = set()
    for index, entry in enumerate(entries):
        try:
            for recipient in _expand(entry, groups, language, (), expanded):
                found.setdefault(recipient.mailbox.key, recipient)
        except ValueError as error:
            problems.append((f"[{index}]", str(error)))
    if wrong := _wrong_number(len(entries), len(found)):
        problems.insert(0, ("", wrong))
    if problems:
        raise RecipientsError(tuple(problems))
    return tuple(
        replace(_with_attachments(one, entries, groups), columns=_columns(one.path, groups))
        for one in found.values()
    )


def _columns(path: Sequence[str], groups: Mapping[str, ContactGroup]) -> tuple[str, ...]:
    return next((groups[name].columns for name in reversed(path) if groups[name].columns), ())


def _with_attachments(
    recipient: Recipient, entries: Sequence[str], groups: Mapping[str, ContactGroup]
) -> Recipient:
    """With what any group asks for that it is in, by whichever way these entries lead there."""
    asked: set[AttachmentKind] = set()
    silent = True
    for name in _reached(entries, groups):
        wanted = groups[name].attachments
        if wanted is not None and recipient.mailbox.key in _keys(name, groups):
            silent = False
            asked.update(wanted)
    together = tuple(kind for kind in AttachmentKind if kind in asked)
    return recipient if silent else replace(recipient, attachments=together)


def _reached(entries: Sequence[str], groups: Mapping[str, ContactGroup]) -> list[str]:
    """The groups among entries, and those in them; each once."""
    reached: dict[str, None] = {}
    ahead = [entry for entry in entries if entry in groups]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached[name] = None
            ahead.extend(member for member in groups[name].members if member in groups)
    return list(reached)


def _keys(name: str, groups: Mapping[str, ContactGroup]) -> set[str]:
    """The mailboxes in a group and in the groups in it."""
    members = (member for inner in _reached([name], groups) for member in groups[inner].members)
    return {parse_mailbox(member).key for member in members if is_address(member)}


def _wrong_number(entries: int, mailboxes: int) -> str | None:
    if not entries:
        return "nobody would get the mail; write at least one address or group"
    if entries > MOST_ENTRIES:
        return f"{entries} entries, but at most {MOST_ENTRIES} are allowed; take some out"
    if mailboxes > MOST_MAILBOXES:
        many = f"{mailboxes} mailboxes after groups are resolved"
        return f"{many}, but at most {MOST_MAILBOXES} are allowed; take some out"
    return None


def _expand(
    entry: str,
    groups: Mapping[str, ContactGroup],
    language: str,
    above: tuple[str, ...],
    expanded: set[str],
) -> Iterator[Recipient]:
    """The recipients behind one entry; `above` are the groups we came through, outermost first.

    `expanded` are the groups already seen: a second time they could add nothing, and groups that
    name each other twice would take for ever.
    """
    if is_address(entry):
        group_named = above[0] if above else None
        yield Recipient(_mailbox(entry, groups), language, group_named, path=above)
        return
    if entry in above:
        path = " → ".join((*above[above.index(entry) :], entry))
        raise ValueError(f'group "{entry}" contains itself ({path}); take one of them out')
    if entry not in groups:
        raise ValueError(_unknown_group(entry, groups))
    if len(above) == DEEPEST_NESTING:
        raise ValueError(f'group "{above[0]}" is nested more than {DEEPEST_NESTING} groups deep')
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
        more = f"{advice} or a group ({_names(groups)})" if groups else advice
        raise ValueError(str(error).replace(advice, more)) from None


def _unknown_group(entry: str, groups: Mapping[str, ContactGroup]) -> str:
    shown = f'"{entry}"' if entry.isprintable() else ascii(entry)
    known = _names(groups) if groups else "none is defined"
    return (
        f'{shown[:80]} has no "@" and is no contact group; write name@domain or a group ({known})'
    )


def _names(groups: Mapping[str, ContactGroup]) -> str:
    shown = [f'"{name}"' for name in groups]
    return ", ".join(shown if len(shown) <= 10 else [*shown[:10], "…"])
