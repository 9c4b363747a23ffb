"""Mistakes in contact groups and lists of recipients, each reported once.

Like the other checks, these look at what was written, not at the checked configuration, so that a
mistyped port does not hide a wrong address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from typing import NamedTuple

from notifier.config.layers import Layers
from notifier.config.schema import MOST_GROUPS
from notifier.config.toml import Where
from notifier.domain.recipients import ContactGroup, is_address, resolve
from notifier.errors import Problem, RecipientsError

# Cycles reported at once; there can be as many as there are paths through the groups.
MOST_CYCLES = 10

Groups = Mapping[str, ContactGroup]


class _Mistake(NamedTuple):
    """A mistake in one member of a group or, without a member, in all of them together."""

    group: str
    member: str | None
    message: str


def wrong_recipients(layers: Layers) -> Iterator[Problem]:
    """Find mistakes in the groups, used or not, and in the recipients of each account.

    A mistake in a group is reported there alone: groups and accounts that name the group are
    checked as if its wrong members were not there.
    """
    names = [name for name in layers.keys("groups") if not is_address(name)]
    if len(names) > MOST_GROUPS:  # the schema reports it
        return
    groups: Groups = {name: _group(name, layers) for name in names}
    # Each check needs groups that passed the one before: a cycle is only found among known names,
    # and sizes can only be counted where there is no cycle.
    for check in (_wrong_members, _cycles, _too_large):
        mistakes = list(check(groups))
        for mistake in mistakes:
            where: Where = ("groups", mistake.group, "members")
            yield _problem(where, mistake.member, mistake.message, layers)
        groups = _without(groups, mistakes)
    for account in layers.keys("accounts"):
        yield from _wrong_list(("accounts", account, "recipients"), groups, layers)


def _group(name: str, layers: Layers) -> ContactGroup:
    return ContactGroup(name, _texts(layers.find(("groups", name, "members"))))


def _texts(entries: object) -> tuple[str, ...]:
    """Return the texts in a list; the schema reports everything else."""
    written = entries if isinstance(entries, list) else []
    return tuple(entry for entry in written if isinstance(entry, str))


def _problem(where: Where, entry: str | None, message: str, layers: Layers) -> Problem:
    written = layers.find(where)
    exact = where if entry is None else (*where, written.index(entry))
    return layers.problem(exact, message)


def _without(groups: Groups, mistakes: Sequence[_Mistake]) -> Groups:
    """Return the groups without their wrong members, or empty if there are too many members."""
    wrong = {(mistake.group, mistake.member) for mistake in mistakes}

    def rest(group: ContactGroup) -> tuple[str, ...]:
        if (group.name, None) in wrong:
            return ()
        return tuple(member for member in group.members if (group.name, member) not in wrong)

    return {name: ContactGroup(name, rest(group)) for name, group in groups.items()}


def _wrong_members(groups: Groups) -> Iterator[_Mistake]:
    """Find members that are neither an address nor an existing group."""
    for group in groups.values():
        for member, message in _wrong_entries(group.members, groups):
            yield _Mistake(group.name, member, message)


def _wrong_entries(entries: Sequence[str], groups: Groups) -> Iterator[tuple[str, str]]:
    """Find entries that are wrong whatever is in the groups, each once."""
    # Empty groups, so that mistakes in their members are not reported for each list that names
    # them.
    empty = {name: ContactGroup(name, ()) for name in groups}
    for entry in dict.fromkeys(entries):
        for message in _refused([entry], empty):
            yield entry, message


def _cycles(groups: Groups) -> Iterator[_Mistake]:
    """Find groups that contain themselves: each cycle once, at its group that is written first."""
    inner = _inner(groups)
    for cycle in islice(iter(lambda: _cycle_in(inner), []), MOST_CYCLES):
        first = min(cycle, key=list(groups).index)
        start = cycle.index(first)
        path = [*cycle[start:], *cycle[:start], first]
        # Cut here, so that the next search finds another cycle.
        inner[first] = [one for one in inner[first] if one != path[1]]
        message = f'group "{first}" contains itself ({" → ".join(path)}); remove one of them'
        yield _Mistake(first, path[1], message)


def _cycle_in(inner: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the groups of one cycle, each containing the next; empty without a cycle."""
    try:
        TopologicalSorter(inner).prepare()
    except CycleError as error:
        # graphlib lists the inner group first, and repeats it at the end.
        return list(reversed(error.args[1]))[:-1]
    return []


def _too_large(groups: Groups) -> Iterator[_Mistake]:
    """Find groups with too many mailboxes, but not again the groups that contain them."""
    if _cycle_in(_inner(groups)):
        return
    # Inner groups first: emptied once reported, they no longer make the groups around them too
    # large.
    for name in TopologicalSorter(_inner(groups)).static_order():
        for message in _refused([name], groups):
            mistake = _Mistake(name, None, message)
            groups = _without(groups, [mistake])
            yield mistake


def _inner(groups: Groups) -> dict[str, list[str]]:
    """Return the groups that each group contains."""
    return {
        name: [member for member in group.members if member in groups]
        for name, group in groups.items()
    }


def _wrong_list(where: Where, groups: Groups, layers: Layers) -> Iterator[Problem]:
    """Find mistakes in the recipients of one account."""
    written = layers.find(where)
    if not isinstance(written, list):
        return
    entries = _texts(written)
    for entry, message in _wrong_entries(entries, groups):
        yield _problem(where, entry, message, layers)
    for path, message in _refusals(entries, groups):
        # A refusal with a path is of one entry and was reported above.
        if not path:
            yield layers.problem(where, message)


def _refused(entries: Sequence[str], groups: Groups) -> list[str]:
    return [message for _, message in _refusals(entries, groups)]


def _refusals(entries: Sequence[str], groups: Groups) -> tuple[tuple[str, str], ...]:
    """Return what resolve() refuses in a list: (index in it or "", message)."""
    try:
        resolve(entries, groups, language="")
    except RecipientsError as error:
        return error.problems
    return ()
