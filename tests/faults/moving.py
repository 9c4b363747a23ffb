"""A list that moves while it is read: does a reading ever miss an order and not say so?

    python -m tests.faults.moving
    python -m tests.faults.moving --histories 500 --seed 9 --coming-back

Each history is a list whose orders leave and enter between two of its pages, and the manners in
which it tells of itself. It is read by the marketplace's client, and beside it by a naive one that
reads the pages once. An order counts as missed that was listed from the first page to the last.

Whatever leaves stays away, and what has just come stays for as long as the list is read: that is
what two equal passes need to be proof. `--coming-back` takes that away, too.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import httpx

from notifier.domain.reading import Complete, Failed, Reading
from notifier.http import HttpClient
from notifier.sources.mall import Marketplace
from tests.sources.mall.neighbour import START, Naps, Said, access, detail, row, said

PAGE_SIZE = 3


class Told(Enum):
    """What a list says of its number of pages, or of its orders."""

    TRULY = "truly"
    ON_ODD_PAGES = "on odd pages"
    NEVER = "never"
    TOO_MANY = "too many"
    TOO_FEW = "too few"


@dataclass(frozen=True, slots=True)
class Move:
    """What happens after a page was read: who leaves, of those listed, and who enters.

    Each number picks: of the orders that are listed, and of the ids that were never listed.
    """

    leaves: tuple[int, ...] = ()
    enters: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Manners:
    """How a list answers. Numbers of pages count from 1; None where it does not do that."""

    page_size: int = PAGE_SIZE
    """That of the list, whatever was asked for."""
    pages: Told = Told.TRULY
    total: Told = Told.TRULY
    repeats: bool = False
    """Each page begins with the last row of the page before."""
    loops_after: int | None = None
    empty: int | None = None
    """This page has no rows, and the next ones do."""

    @property
    def can_be_believed(self) -> bool:
        """Whether it says enough to be caught: what it hides, it must not also deny to exist."""
        cut_short = self.pages is Told.TOO_FEW or self.empty is not None
        untold = self.pages in (Told.NEVER, Told.ON_ODD_PAGES) or cut_short
        return not (cut_short and untold and self.total is not Told.TRULY)


@dataclass(frozen=True, slots=True)
class History:
    """A list as it is at first, what becomes of it after each page, and its manners."""

    orders: int
    moves: tuple[Move, ...] = ()
    manners: Manners = Manners()
    coming_back: bool = False
    """Who left may enter again, and who entered may leave."""


@dataclass(slots=True)
class MovingList:
    """The marketplace of one history; `always` are the orders each page could have named."""

    history: History
    listed: set[int] = field(init=False)
    always: set[int] = field(init=False)
    pages_read: int = 0
    _came: set[int] = field(default_factory=set)
    _left: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        # Between two of them there is room for those that enter.
        self.listed = set(range(10, 10 * self.history.orders + 1, 10))
        self.always = set(self.listed)

    def __call__(self, path: str, query: Mapping[str, str]) -> Said:
        if path != "/v1/orders":
            return said(detail(int(path.rpartition("/")[2])))
        answer = self._page(int(query["page"]))
        self.always &= self.listed
        self.pages_read += 1
        if self.pages_read <= len(self.history.moves):
            self._move(self.history.moves[self.pages_read - 1])
        return answer

    def _page(self, number: int) -> Said:
        manners, everything = self.history.manners, sorted(self.listed)
        shown = 1 if manners.loops_after and number > manners.loops_after else number
        begin = (shown - 1) * manners.page_size
        rows = everything[begin - manners.repeats * (begin > 0) : begin + manners.page_size]
        if number == manners.empty:
            rows = []
        pages = -(-len(everything) // manners.page_size)
        told = {"pages": _told(manners.pages, pages, number)}
        told["total"] = _told(manners.total, len(everything), number)
        paging = {key: value for key, value in told.items() if value is not None}
        return said([row(id_) for id_ in rows], paging=paging)

    def _move(self, move: Move) -> None:
        for pick in move.leaves:
            may = sorted(self.listed - (set() if self.history.coming_back else self._came))
            if may:
                self._left.add(leaving := may[pick % len(may)])
                self.listed.discard(leaving)
        for pick in move.enters:
            never = set() if self.history.coming_back else self._left
            may = sorted(set(range(1, 10 * self.history.orders + 15)) - self.listed - never)
            entering = may[pick % len(may)]
            self._came.add(entering)
            self.listed.add(entering)


def _told(how: Told, number: int, page_number: int) -> int | None:
    match how:
        case Told.NEVER:
            return None
        case Told.ON_ODD_PAGES:
            return number if page_number % 2 else None
        case Told.TOO_MANY:
            return number + 1
        case Told.TOO_FEW:
            return max(0, number - 1)
    return number


async def read(marketplace: MovingList) -> Reading:
    """One reading by the client."""

    def answer(request: httpx.Request) -> httpx.Response:
        status, headers, body = marketplace(request.url.path, request.url.params)
        return httpx.Response(status, headers=dict(headers), stream=httpx.ByteStream(body))

    async with HttpClient(transport=httpx.MockTransport(answer)) as http:
        settings = access(page_size=PAGE_SIZE)
        source = Marketplace(settings, http, clock=lambda: START, sleep=Naps(), jitter=lambda: 1.0)
        return await source.read(())


def read_naively(marketplace: MovingList) -> set[int]:
    """The ids of each page, once, until there are no more of them."""
    found: set[int] = set()
    for number in range(1, 100):
        content = json.loads(marketplace("/v1/orders", {"page": str(number)})[2])
        ids = {one["id"] for one in content["data"]}
        pages = content.get("paging", {}).get("pages")
        if (not ids and pages is None) or (ids and ids <= found):
            break
        found |= ids
        if pages is not None and number >= pages:
            break
    return found


def missed(reading: Reading, marketplace: MovingList) -> set[int]:
    """Orders that were always there and are not in a reading that calls itself complete."""
    if not isinstance(reading, Complete):
        return set()
    return marketplace.always - {order.id for order in reading.orders}


@dataclass(slots=True)
class Tally:
    """What came of many histories."""

    ends: Counter[str] = field(default_factory=Counter)
    naive: int = 0
    wrong: list[str] = field(default_factory=list)

    async def live(self, history: History) -> None:
        """Read the list of one history, naively and as we do."""
        naive, ours = MovingList(history), MovingList(history)
        found = read_naively(naive)
        self.naive += bool(naive.always - found)
        reading = await read(ours)
        self.ends[type(reading).__name__] += 1
        if lost := missed(reading, ours):
            self.wrong.append(f"{sorted(lost)} of {history}")
        if isinstance(reading, Failed) and not reading.why:
            self.wrong.append(f"no reason: {history}")


def a_history(dice: random.Random, *, coming_back: bool = False) -> History:
    """One whose list tells the truth about itself, as far as it tells anything."""
    moves = tuple(_a_move(dice) for _ in range(dice.randrange(13)))
    manners = Manners(
        page_size=dice.choice((2, PAGE_SIZE, 4)),
        pages=dice.choice((Told.TRULY, Told.TRULY, Told.NEVER)),
        total=dice.choice((Told.TRULY, Told.ON_ODD_PAGES, Told.NEVER)),
        repeats=dice.random() < 0.1,
    )
    return History(dice.randrange(13), moves, manners, coming_back)


def _a_move(dice: random.Random) -> Move:
    """In half of the cases nothing; as many leave as enter, so that the total stays, in others."""
    kind = dice.choice(("rest", "rest", "leave", "enter", "change"))
    leaves = (dice.randrange(99),) if kind in ("leave", "change") else ()
    enters = (dice.randrange(999),) if kind in ("enter", "change") else ()
    return Move(leaves, enters)


async def live_many(histories: int, seed: int, *, coming_back: bool) -> Tally:
    """So many histories."""
    dice, tally = random.Random(seed), Tally()  # noqa: S311 - a story, not a secret
    for _ in range(histories):
        await tally.live(a_history(dice, coming_back=coming_back))
    return tally


def main() -> int:
    """The command; 1 when an order was missed and nothing said so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--coming-back", action="store_true", help="what left may enter again")
    chosen = parser.parse_args()
    many = live_many(chosen.histories, chosen.seed, coming_back=chosen.coming_back)
    tally = asyncio.run(many)
    ends = ", ".join(f"{name} {count}" for name, count in sorted(tally.ends.items()))
    print(
        f"{chosen.histories} histories; an order that was always there: naive paging lost one in "
        f"{tally.naive}, ours silently lost {len(tally.wrong)} ({ends})"
    )
    for line in tally.wrong:
        print(f"  {line}")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
