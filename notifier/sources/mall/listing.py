"""The list of shipped orders, page by page, while it moves under our hands."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from notifier.errors import MarketplaceUnavailable
from notifier.sources.mall.answers import ApiAnswer, NotUnderstood
from notifier.sources.mall.calls import Calls
from notifier.sources.values import number
from notifier.sources.mall.payloads import ListRow, parse_row

MOST_UNTOLD_PAGES = 1000
"""Where a list does not tell how many pages it has, we stop here."""

SURE_SIZE = 100
"""Orders a page that are certainly given; how many more may be asked for, nobody has documented."""

_PASSES = 3
_MOST_BYTES = 32 * 2**20
_MOVED = "the list moved while it was read, so a new order may be missing"

logger = logging.getLogger("notifier.sources.mall")


class OddList(MarketplaceUnavailable):
    """The pages of the list contradict each other."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page. `pages` and `total` are what the list says of itself, None where it does not."""

    number: int
    rows: tuple[ListRow, ...]
    strays: int
    """Rows without a usable id."""
    pages: int | None
    total: int | None

    @property
    def is_empty(self) -> bool:
        """Whether there is no row at all in it."""
        return not self.rows and not self.strays

    @property
    def is_last(self) -> bool:
        """Whether no page follows; where nobody tells, an empty page is the end."""
        return self.is_empty if self.pages is None else self.number >= self.pages

    @property
    def allowance(self) -> int:
        """Up to which page a list may grow while it is read, when this is its first page."""
        return MOST_UNTOLD_PAGES if self.pages is None else 2 * self.pages + 10


def list_calls(orders: int, page_size: int) -> int:
    """Calls for a list of so many orders, while it does not move: see `Listing.read`."""
    pages = max(1, -(-orders // page_size))
    return 1 if pages == 1 else 2 * pages


def list_query(page: int, page_size: int, *, test_orders: bool = False) -> dict[str, str]:
    """Everything shipped by MALL Delivery; no field of the list tells whether it is ready."""
    query = {
        "filter": "basic",  # Without it a filtered list holds ids only.
        "status": "eq:shipped",
        "mdp": "true",
        "_sort": "id:asc",
        "page": str(page),
        "page_size": str(page_size),
    }
    return {**query, "test": "1"} if test_orders else query


def parse_page(envelope: ApiAnswer, page_number: int, zone: ZoneInfo) -> ListPage:
    """Read one page; the envelope's data is a list."""
    rows = [parse_row(row, zone) for row in envelope.data]
    paging: Mapping[str, Any] = envelope.paging
    return ListPage(
        number=page_number,
        rows=tuple(row for row in rows if row),
        strays=rows.count(None),
        pages=number(paging.get("pages")),
        total=number(paging.get("total")),
    )


@dataclass(slots=True)
class ListPass:
    """What one reading of all pages saw."""

    ids: set[int] = field(default_factory=set)
    strays: int = 0
    pages: int = 0
    totals: set[int] = field(default_factory=set)
    told: set[int] = field(default_factory=set)
    """How many pages there are, as each page says."""

    def doubt(self) -> str | None:
        """Why this may not be the whole list, by its own words; None where nothing says so."""
        if len(self.totals) > 1 or len(self.told) > 1:
            return _MOVED
        named = len(self.ids) + self.strays
        for total in self.totals - {named}:
            return f"the list says that it has {total} orders, and names {named}"
        return None


class Listing:
    """What the list named so far: each order once, with the row that came last."""

    def __init__(self, calls: Calls, zone: ZoneInfo, page_size: int, *, test_orders: bool) -> None:
        self.rows: dict[int, ListRow] = {}
        self.gaps: list[str] = []
        self.pages_read = 0
        self._calls = calls
        self._zone = zone
        self._page_size = page_size
        self._test_orders = test_orders

    async def read(self) -> None:
        """Read every page, until two passes in a row name the same orders.

        An order that leaves while we read shifts those behind it, and one of them slips from the
        page we read next onto the page we have read; another that enters keeps the total as it
        was. Two passes seldom miss the same one. What has one page alone is read once. Raises
        MarketplaceRefused or MarketplaceUnavailable; what was named before stays.
        """
        before: set[int] | None = None
        for _ in range(_PASSES):
            seen = await self._pass_of_sure_size() if before is None else await self._pass()
            doubt = seen.doubt()
            if not doubt and (seen.pages == 1 or seen.ids == before):
                return
            before = seen.ids
        if doubt and not self.rows:
            raise OddList(f"the list of {self._calls.host} makes no sense: {doubt}")
        self.gaps.append(doubt or _MOVED)

    async def _pass_of_sure_size(self) -> ListPass:
        """The first pass; with smaller pages where pages so large are not even understood."""
        try:
            return await self._pass()
        except NotUnderstood:
            if self.pages_read or self._page_size <= SURE_SIZE:
                raise
            self._page_size = SURE_SIZE
            return await self._pass()

    async def _pass(self) -> ListPass:
        """Read every page once."""
        seen = ListPass()
        allowance = 0
        for page_number in count(1):
            page = await self._page(page_number)
            allowance = allowance or page.allowance
            fresh = {row.id for row in page.rows} - seen.ids
            self.rows |= {row.id: row for row in page.rows}
            if oddity := _oddity(page, fresh=len(fresh), allowance=allowance):
                raise OddList(f"the list of {self._calls.host} makes no sense: {oddity}")
            if page.total is not None:
                seen.totals.add(page.total)
            if page.pages is not None:
                seen.told.add(page.pages)
            seen.ids |= fresh
            seen.strays += page.strays
            if page.is_last:
                break
        seen.pages = page_number
        return seen

    async def _page(self, page_number: int) -> ListPage:
        envelope = await self._calls.get(
            "/v1/orders",
            list_query(page_number, self._page_size, test_orders=self._test_orders),
            expected=list,
            most_bytes=_MOST_BYTES,
        )
        page = parse_page(envelope, page_number, self._zone)
        self.pages_read += 1
        if page.strays:
            self.gaps.append(f"page {page_number} has {page.strays} rows without a usable number")
        logger.info(
            "page %d of the list read, %d orders",
            page_number,
            len(page.rows),
            extra={"event": "page_read", "page": page_number, "rows": len(page.rows)},
        )
        return page


def _oddity(page: ListPage, *, fresh: int, allowance: int) -> str | None:
    if page.rows and not fresh:
        return f"page {page.number} only repeats earlier ones"
    if not page.is_empty and page.pages is not None and page.number > page.pages:
        return f"page {page.number} of {page.pages} has orders"
    if page.is_empty and not page.is_last:
        return f"page {page.number} of {page.pages} is empty"
    if page.number >= allowance and not page.is_last:
        return f"it has grown to {page.pages or 'countless'} pages while it was read"
    return None
