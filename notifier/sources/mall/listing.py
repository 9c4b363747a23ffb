"""Read the list of shipped orders, page by page, while it changes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from notifier.domain.settings import MarketplaceAccess
from notifier.errors import MarketplaceUnavailable
from notifier.sources.mall.answers import ApiAnswer, RequestRejected
from notifier.sources.mall.calls import Calls
from notifier.sources.mall.payloads import ListRow, parse_row
from notifier.sources.values import number

# Limit for a list that does not state its number of pages. A server that never sends an empty page
# would be read forever.
MOST_UNSTATED_PAGES = 1000

# The page size that is known to work. Larger ones are not documented, but save most calls.
SAFE_PAGE_SIZE = 100

# Two must agree; the third is for a list that moves once meanwhile.
_PASSES = 3
_MOST_BYTES = 32 * 2**20
_MOVED = "the list moved while it was read, so a new order may be missing"

logger = logging.getLogger("notifier.sources.mall")


class InconsistentList(MarketplaceUnavailable):
    """The pages of the list contradict each other."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page; `pages` and `total` are the list's own counts, None if it does not state them."""

    number: int
    rows: tuple[ListRow, ...]
    strays: int
    """Rows without a usable id."""
    pages: int | None
    total: int | None

    @property
    def is_empty(self) -> bool:
        """Whether the page has no row at all."""
        return not self.rows and not self.strays

    @property
    def is_last(self) -> bool:
        """Whether no page follows; without a stated number of pages, an empty one is the last."""
        return self.is_empty if self.pages is None else self.number >= self.pages

    @property
    def most_pages(self) -> int:
        """Number of pages up to which a list with this first page may grow while it is read."""
        # Orders are added while the list is read, but seldom as many as it had.
        return MOST_UNSTATED_PAGES if self.pages is None else 2 * self.pages + 10


def list_calls(orders: int, page_size: int) -> int:
    """Return the calls for a list of `orders` that does not move (see `Listing.read`)."""
    pages = max(1, -(-orders // page_size))
    # Orders cannot move between pages if there is only one, so no second pass is needed.
    return 1 if pages == 1 else 2 * pages


def list_query(page: int, page_size: int, *, test_orders: bool = False) -> dict[str, str]:
    """Return the query for orders shipped by MALL Delivery; no filter selects those that wait."""
    query = {
        "filter": "basic",  # Without it, a filtered list holds ids only.
        "status": "eq:shipped",
        "mdp": "true",  # MALL Delivery: only its parcels come back to a branch.
        "_sort": "id:asc",  # New orders come at the end, and so move no order between pages.
        "page": str(page),
        "page_size": str(page_size),
    }
    return {**query, "test": "1"} if test_orders else query


def parse_page(envelope: ApiAnswer, page_number: int, zone: ZoneInfo) -> ListPage:
    """Read one page from an answer whose data is a list."""
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
    """The result of reading all pages once."""

    ids: set[int] = field(default_factory=set)
    strays: int = 0
    pages_read: int = 0
    stated_totals: set[int] = field(default_factory=set)
    """Total of orders, as each page states it."""
    stated_pages: set[int] = field(default_factory=set)
    """Number of pages, as each page states it."""

    def add(self, page: ListPage) -> None:
        """Add one page."""
        self.ids |= {row.id for row in page.rows}
        self.strays += page.strays
        self.pages_read += 1
        if page.total is not None:
            self.stated_totals.add(page.total)
        if page.pages is not None:
            self.stated_pages.add(page.pages)

    def doubt(self) -> str | None:
        """Return why this may not be the whole list, or None if its own counts agree with it."""
        if len(self.stated_totals) > 1 or len(self.stated_pages) > 1:
            return _MOVED
        named = len(self.ids) + self.strays
        for total in self.stated_totals - {named}:
            return f"the list states {total} orders, but names {named}"
        return None


class Listing:
    """The orders named by the list so far, each with its latest row.

    `gaps` are the reasons why an order may be missing.
    """

    def __init__(self, access: MarketplaceAccess, calls: Calls) -> None:
        self.rows: dict[int, ListRow] = {}
        self.gaps: list[str] = []
        self.pages_read = 0
        self._access = access
        self._calls = calls
        self._page_size = access.page_size

    async def read(self) -> None:
        """Read every page, until two passes in a row name the same orders.

        An order that leaves meanwhile shifts those behind it, so that one of them moves from the
        page to be read next to the page just read. If another order enters, the total does not
        show it. Two passes seldom miss the same order. A list of one page is read once. Raises
        MarketplaceRefused or MarketplaceUnavailable; the rows read before stay.
        """
        before: set[int] | None = None
        for _ in range(_PASSES):
            current = await self._first_pass() if before is None else await self._pass()
            doubt = current.doubt()
            if not doubt and (current.pages_read == 1 or current.ids == before):
                return
            before = current.ids
        if doubt and not self.rows:
            raise InconsistentList(f"the list of {self._calls.host} is inconsistent: {doubt}")
        self.gaps.append(doubt or _MOVED)

    async def _first_pass(self) -> ListPass:
        """Read every page, with smaller pages if the marketplace rejects the size we asked for."""
        try:
            return await self._pass()
        except RequestRejected:
            if self.pages_read or self._page_size <= SAFE_PAGE_SIZE:
                raise
            self._page_size = SAFE_PAGE_SIZE
            return await self._pass()

    async def _pass(self) -> ListPass:
        """Read every page once."""
        current = ListPass()
        most_pages = 0
        for page_number in count(1):
            page = await self._page(page_number)
            most_pages = most_pages or page.most_pages
            is_repetition = bool(page.rows) and current.ids.issuperset(row.id for row in page.rows)
            # A row counts even if the page is inconsistent: its order may wait.
            self.rows |= {row.id: row for row in page.rows}
            if contradiction := _contradiction(page, most_pages, is_repetition=is_repetition):
                raise InconsistentList(
                    f"the list of {self._calls.host} is inconsistent: {contradiction}"
                )
            current.add(page)
            if page.is_last:
                break
        return current

    async def _page(self, page_number: int) -> ListPage:
        envelope = await self._calls.get(
            "/v1/orders",
            list_query(page_number, self._page_size, test_orders=self._access.test_orders),
            expected=list,
            most_bytes=_MOST_BYTES,
        )
        page = parse_page(envelope, page_number, self._access.zone)
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


def _contradiction(page: ListPage, most_pages: int, *, is_repetition: bool) -> str | None:
    if is_repetition:
        return f"page {page.number} only repeats earlier ones"
    if not page.is_empty and page.pages is not None and page.number > page.pages:
        return f"page {page.number} of {page.pages} has orders"
    if page.is_empty and not page.is_last:
        return f"page {page.number} of {page.pages} is empty"
    if page.number >= most_pages and not page.is_last:
        return f"it has grown to {page.pages or 'an unknown number of'} pages while it was read"
    return None
