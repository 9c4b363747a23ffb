"""Whatever stands in a field of one order, the others are read, and the mail is no other page."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.domain.digest import compose
from notifier.domain.orders import Order
from notifier.domain.reading import Complete, Failed, Incomplete, Reading
from notifier.mail.render import RenderedMail, Renderer
from notifier.simulator import World
from notifier.simulator.answers import detail as detail_of
from notifier.simulator.answers import row as row_of
from notifier.sources.mall.payloads import parse_order
from tests.factories import DAY, account, mail_options, sender, snapshot
from tests.mail import html
from tests.sources.mall.neighbour import START, App, Said, page, read, said, scripted
from tests.sources.test_values import JSON

PRAGUE = ZoneInfo("Europe/Prague")
Path = tuple[str | int, ...]
Json = dict[str, Any]
Meta = set[tuple[str, tuple[str, ...]]]
"""Kinds of elements: a tag and the names of its attributes."""


def _full() -> tuple[Json, Json]:
    """The row and the detail of an order of the simulator that has as many fields as possible."""
    world = World.from_scenario("busy_day", seed=1, start=START)
    ready = [seen for seen in world.listed() if seen.order.is_ready_at(seen.at)]
    fullest = max(ready, key=lambda seen: (len(detail_of(seen)), len(json.dumps(detail_of(seen)))))
    return json.loads(json.dumps(row_of(fullest))), json.loads(json.dumps(detail_of(fullest)))


def _paths(value: object, above: Path = ()) -> Iterator[Path]:
    """Every place of a JSON value below the top; of a list, those in its first element."""
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list) and value:
        inner = [(0, value[0])]
    for key, one in inner:
        yield (*above, key)
        yield from _paths(one, (*above, key))


ROW, DETAIL = _full()
ROW_PATHS, DETAIL_PATHS = tuple(_paths(ROW)), tuple(_paths(DETAIL))
DECIDING = frozenset({"id", "status", "test", "mdp", "ready_to_return"})
"""By these an order may say itself that it does not wait; all others can hide nothing."""

SOUND = (1, 9)
FIRST_STRANGE = 100
STRANGE: tuple[object, ...] = (
    *(None, "", " ", 0, -1, 1.5, 10**20, 1e308, [], [None], [[]], {}, {"id": None}),
    *("x" * 100_000, "\u202eelpmaxe", "\u2067\u200f\u0661\u0662", "📦👩‍👩‍👧"),
    *("\ud800", "\x00\x1b[31m"),
    *("<script>alert(1)</script>", "</td></tr></table><b>", "\r\nBcc: a@evil.example", "{{ 7*7 }}"),
    *("https://user@evil.example/", "javascript:alert(1)"),
    *("0000-00-00 00:00:00", "9999-12-31 23:59:59"),
)


def changed(data: Json, path: Path, value: object) -> Json:
    """A copy with `value` at `path`."""
    new: Any = copy.deepcopy(data)
    place = new
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return dict(new)


def a_shop(rows: Mapping[int, Json], details: Mapping[int, Json]) -> App:
    """Sound orders, and between them these, whose rows or details are given as they are."""
    strange = [id_ for id_ in (*rows, *details) if id_ not in SOUND]
    listed = [SOUND[0], *dict.fromkeys(strange), SOUND[1]]

    def script(path: str, _query: Mapping[str, str]) -> Said:
        if path == "/v1/orders":
            return page([rows.get(id_, ROW | {"id": id_}) for id_ in listed])
        id_ = int(path.rpartition("/")[2])
        return said(details.get(id_, DETAIL | {"id": id_}))

    return scripted(script)


def each_strange(data: Json, path: Path) -> dict[int, Json]:
    """An order for each strange value, which stands at `path`."""
    return {
        id_: changed({**data, "id": id_}, path, value)
        for id_, value in enumerate(STRANGE, FIRST_STRANGE)
    }


def silent(reading: Reading) -> set[str]:
    """The strange values, as Python shows them, of whose orders a reading says nothing."""
    assert not isinstance(reading, Failed)
    told = {*(order.id for order in reading.orders), *getattr(reading, "unread", ())}
    return {repr(value) for id_, value in enumerate(STRANGE, FIRST_STRANGE) if id_ not in told}


def sound(id_: int) -> Order:
    return parse_order({**DETAIL, "id": id_}, PRAGUE)


def check_sound_ones_are_whole(reading: Reading) -> None:
    assert not isinstance(reading, Failed)
    found = [order for order in reading.orders if order.id in SOUND]
    assert found == [sound(id_) for id_ in SOUND]


# The mail that comes of it

RENDERER = Renderer()
ALLOWED = re.compile(
    r"https://portal\.example/orders/\d+|https://tracking\.example\.com/[\w?=&;%-]*"
    r"|mailto:admin@example\.com(\?subject=Unsubscribe%3A%20ljubljana)?"
)


def mail_of(reading: Reading) -> RenderedMail:
    assert not isinstance(reading, Failed)
    shown = compose(account(), reading, snapshot(), DAY)
    return RENDERER.digest(shown, mail_options(account(), "en"), sender())


def meta(mail: RenderedMail) -> Meta:
    """Its kinds of elements, each with the names of its attributes."""
    return set(html.shape(html.parse(mail.html)))


def check_mail_is_no_other_page(reading: Reading) -> None:
    mail = mail_of(reading)

    assert meta(mail) <= known_marks()
    links = html.links(html.parse(mail.html))
    assert [link for link in links if not ALLOWED.fullmatch(link)] == []
    assert "\n" not in mail.subject + mail.preheader
    assert not re.search(r"(?m)^Bcc:", mail.text)
    mail.text.encode()


@cache
def known_marks() -> Meta:
    """Those of mails about orders that have all fields or few, or could not be read."""
    full, bare = sound(7), parse_order({key: DETAIL[key] for key in DECIDING}, PRAGUE)
    read_in_part = Incomplete(START, (full, replace(bare, id=8)), "page 2 failed", (9,))
    return meta(mail_of(read_in_part)) | meta(mail_of(Complete(START, (full,))))


def words(path: Path) -> str:
    return ".".join(map(str, path))


@pytest.mark.parametrize("path", DETAIL_PATHS, ids=words)
async def test_a_strange_field_of_a_detail_costs_that_field_or_that_order(path: Path) -> None:
    reading = await read(a_shop({}, each_strange(DETAIL, path)))

    check_sound_ones_are_whole(reading)
    assert silent(reading) <= may_hide(path)
    check_mail_is_no_other_page(reading)


@pytest.mark.parametrize("path", ROW_PATHS, ids=words)
async def test_a_strange_field_of_a_row_costs_that_row_and_says_so(path: Path) -> None:
    reading = await read(a_shop(each_strange(ROW, path), {}))

    check_sound_ones_are_whole(reading)
    if path == ("id",):
        assert "rows without a usable number" in getattr(reading, "why", "")
        return
    assert silent(reading) <= may_hide(path)


def may_hide(path: Path) -> set[str]:
    """The values with which a field says that the order does not wait, as Python shows them."""
    match path:
        case ("ready_to_return" | "mdp",):
            return {"0"}
        case ("status",):
            return {repr(value) for value in STRANGE if isinstance(value, str) and value.strip()}
    return set()


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(DETAIL_PATHS), JSON | st.sampled_from(STRANGE)), max_size=4)
)
async def test_any_values_in_any_fields_of_one_order_leave_the_others_alone(
    strange: list[tuple[Path, object]],
) -> None:
    detail = DETAIL | {"id": 7}
    for path, value in sorted(strange, key=lambda one: len(one[0]), reverse=True):
        detail = changed(detail, path, value)

    reading = await read(a_shop({}, {7: detail}))

    check_sound_ones_are_whole(reading)
    check_mail_is_no_other_page(reading)
