"""Recipients: at most ten, each mailbox once, and every mistake is reported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain.recipients import ContactGroup, Mailbox, parse_mailbox, resolve
from notifier.errors import RecipientsError


def groups(**members: tuple[str, ...]) -> dict[str, ContactGroup]:
    return {name: ContactGroup(name, entries) for name, entries in members.items()}


def addresses(count: int) -> list[str]:
    return [f"person{number}@example.com" for number in range(count)]


def problems(entries: list[str], **members: tuple[str, ...]) -> list[tuple[str, str]]:
    with pytest.raises(RecipientsError) as caught:
        resolve(entries, groups(**members), language="en")
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("jana@example.com", Mailbox("jana@example.com")),
        ("Jana Novak <jana@example.com>", Mailbox("jana@example.com", "Jana Novak")),
        ('"Novak, Jana" <jana@example.com>', Mailbox("jana@example.com", "Novak, Jana")),
        ("Jána Nováková <jana@example.com>", Mailbox("jana@example.com", "Jána Nováková")),
        ("<jana@example.com>", Mailbox("jana@example.com")),
        ("  jana@Example.COM ", Mailbox("jana@example.com")),
        ("jana@straße.example", Mailbox("jana@xn--strae-oqa.example")),
        ("jána@example.com", Mailbox("jána@example.com")),
    ],
)
def test_a_mailbox_is_read_as_people_write_it(text: str, mailbox: Mailbox) -> None:
    assert parse_mailbox(text) == mailbox


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("jana@exmple", "has no valid domain; write name@domain"),
        ("jana@", "has no valid domain"),
        ("jana", "is not an address"),
        ("@example.com", "has nothing before the @"),
        ("ja na@example.com", "has no valid name before the @"),
        ("jana@example.com\nBcc: eve@example.com", "line break"),
        ("jana@example.com\rBcc: eve@example.com", "line break"),
        ("Jana\n <jana@example.com>", "line break"),
        ("jana\x00@example.com", "control character"),
        ("Ja\u202ena <jana@example.com>", "control character"),
        ("jana@example.com, eve@example.com", "no valid name before the @"),
        ("jana@example.com; eve@example.com", "no valid name before the @"),
        ("jana(eve)@example.com", "no valid name before the @"),
        ("=?utf-8?q?=0d=0aBcc?= <jana@example.com>", "misread"),
        ('Jana "J" Novak <jana@example.com>', "write Name <name@domain>"),
        ("Jana <jana@example.com", "write Name <name@domain>"),
        ("Jana <jana@example.com> <eve@example.com>", "misread"),
    ],
)
def test_anything_but_one_mailbox_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse_mailbox(text)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [" " * 3000 + "@", "a" * 300_000 + "@example.com", "<\n" * 401])
def test_an_endless_entry_is_refused_at_once_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="is longer than") as caught:
        parse_mailbox(text)

    assert len(str(caught.value)) < 140
    assert "\n" not in str(caught.value)


def test_each_entry_may_be_an_address_or_a_group() -> None:
    known = {"office": ContactGroup("office", ("pavol@example.com",), language="sl")}

    found = resolve(["jana@example.com", "office"], known, language="en")

    assert [(one.mailbox.address, one.language, one.group) for one in found] == [
        ("jana@example.com", "en", None),
        ("pavol@example.com", "sl", "office"),
    ]


def test_the_outermost_group_is_the_reason_and_the_innermost_language_counts() -> None:
    known = {
        "all": ContactGroup("all", ("office",), language="en"),
        "office": ContactGroup("office", ("pavol@example.com",), language="sl"),
    }

    (found,) = resolve(["all"], known, language="hr")

    assert (found.language, found.group) == ("sl", "all")


def test_a_mailbox_in_several_spellings_and_groups_is_one_recipient() -> None:
    entries = ["Jana@straße.example", "office"]

    (found,) = resolve(entries, groups(office=("JANA@xn--strae-oqa.example",)), language="en")

    assert found.group is None


def test_ten_are_allowed() -> None:
    assert len(resolve(addresses(10), {}, language="en")) == 10


def test_eleven_entries_are_refused_and_never_cut() -> None:
    assert problems(addresses(11)) == [
        ("", "11 entries, but at most 10 are allowed; take some out")
    ]


def test_eleven_mailboxes_behind_two_groups_are_refused() -> None:
    some, others = tuple(addresses(11)[:6]), tuple(addresses(11)[6:])

    assert problems(["some", "others"], some=some, others=others) == [
        ("", "11 mailboxes after groups are resolved, but at most 10 are allowed; take some out")
    ]


def test_an_empty_list_is_refused() -> None:
    assert problems([]) == [("", "nobody would get the mail; write at least one address or group")]


def test_every_wrong_entry_is_reported_with_its_index_and_the_known_groups() -> None:
    found = problems(["jana@exmple", "ofice", "x@example.com"], warehouse=(), office=())

    assert found == [
        (
            "[0]",
            (
                '"jana@exmple" has no valid domain; '
                'write name@domain or a group ("warehouse", "office")'
            ),
        ),
        (
            "[1]",
            (
                '"ofice" has no "@" and is no contact group; '
                'write name@domain or a group ("warehouse", "office")'
            ),
        ),
    ]


def test_an_unknown_group_with_a_line_break_in_its_name_stays_on_one_line() -> None:
    ((_, message),) = problems(["of\nice"])

    assert "\n" not in message


def test_groups_that_contain_each_other_are_reported_with_the_cycle() -> None:
    assert problems(["a"], a=("b",), b=("c",), c=("b",)) == [
        ("[0]", 'group "b" contains itself (b → c → b); take one of them out')
    ]


def test_groups_that_name_each_other_twice_over_take_no_time() -> None:
    many = {f"g{n}": (f"g{n + 1}",) * 10_000 for n in range(9)}

    found = resolve(["g0", "g0"], groups(**many, g9=("a@example.com",)), language="en")

    assert len(found) == 1


def test_groups_nested_too_deeply_are_refused() -> None:
    chain = {f"g{n}": (f"g{n + 1}",) for n in range(3000)} | {"g3000": ("a@example.com",)}

    assert problems(["g0"], **chain) == [("[0]", 'group "g0" is nested more than 10 groups deep')]


NAMES = [f"group{number}" for number in range(6)]
MAILBOXES = ["a@example.com", "A@EXAMPLE.com", "b@example.com", "c@straße.example"]


@given(
    st.lists(st.sampled_from([*MAILBOXES, *NAMES]), max_size=9).map(
        lambda some: ["a@example.com", *some]
    ),
    st.lists(
        st.lists(st.sampled_from([*range(6), *MAILBOXES]), max_size=6), min_size=6, max_size=6
    ),
)
def test_nested_and_overlapping_groups_give_each_mailbox_once(
    entries: list[str], members: list[list[int | str]]
) -> None:
    """Groups name later ones only, so that there is no cycle; any overlap is allowed."""
    later = [
        [entry if isinstance(entry, str) else NAMES[entry] for entry in group if _later(entry, n)]
        for n, group in enumerate(members)
    ]
    known = groups(**{name: tuple(group) for name, group in zip(NAMES, later, strict=True)})
    reached = _reachable(entries, known)
    found = [one.mailbox.key for one in resolve(entries, known, language="en")]

    assert len(found) == len(set(found))
    assert set(found) == {parse_mailbox(address).key for address in reached}


def _later(entry: int | str, than: int) -> bool:
    return isinstance(entry, str) or entry > than


def _reachable(entries: list[str], known: dict[str, ContactGroup]) -> set[str]:
    waiting, reached = list(entries), set()
    while waiting:
        entry = waiting.pop()
        if "@" in entry:
            reached.add(entry)
        else:
            waiting += known[entry].members
    return reached
