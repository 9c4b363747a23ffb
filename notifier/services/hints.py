"""Look up the orders that the webhook reported as changed, between two digests and with few calls.

The store then knows within minutes what became ready or was collected. No mail is made from that: a
digest always reads the marketplace itself.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from notifier.domain.reading_plan import HintBatch
from notifier.domain.settings import Account
from notifier.errors import Stopped, StoreError
from notifier.services.context import Context
from notifier.store import Store

# One list call asks about up to 100 orders, so hints that are collected for a while cost less.
EVERY = timedelta(minutes=10)
"""Shortest pause between two lookups of one account."""
# A stranger who has the webhook's token can spend these calls, but no more.
SHARE = 20
"""One call in this many of a day's limit may be spent on hints."""
UNTOLD = 100
"""Calls a day that hints may cost if the marketplace states no limit."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallBudget:
    """The calls that hints may cost on one day (UTC), and those already spent."""

    day: date
    spent: int = 0
    daily_limit: int | None = None
    looked_at: datetime | None = None

    @property
    def left(self) -> int:
        """Calls that hints may still cost today."""
        whole = UNTOLD if self.daily_limit is None else self.daily_limit // SHARE
        return max(0, whole - self.spent)

    @property
    def leaving(self) -> int:
        """Calls kept for the next digest and the seller's own systems: half of the day's limit."""
        return (self.daily_limit or 0) // 2

    def allows(self, now: datetime) -> bool:
        """Whether a lookup may begin now. A clock that was set back must not forbid it for long."""
        rested = self.looked_at is None or not timedelta(0) <= now - self.looked_at < EVERY
        return rested and self.left > 0

    def after(self, batch: HintBatch, now: datetime) -> CallBudget:
        """Return the budget after a lookup."""
        # Not every answer states the limit.
        limit = batch.daily_limit or self.daily_limit
        spent = self.spent + batch.calls
        return replace(self, spent=spent, daily_limit=limit, looked_at=now)

    def on(self, today: date) -> CallBudget:
        """Return the budget of a day, on which nothing is spent yet if it is a new one."""
        return self if self.day == today else replace(self, day=today, spent=0)


async def last_look(account: Account, store: Store) -> datetime | None:
    """Return when hints about an account were last looked up."""
    budget = await store.meta.get_json(_budget_name(account), CallBudget)
    return budget.looked_at if budget else None


def _budget_name(account: Account) -> str:
    return f"lookups.{account.id}"


async def follow_hints(account: Account, context: Context) -> None:
    """Look up new hints, if there are any and calls are left. Raises StoreError and Stopped."""
    store, budget_name = context.store, _budget_name(account)
    # Asked first, because most ticks end here: no call may be made just to find no hints.
    hint_reader = context.hint_reader(account)
    if hint_reader is None or not await store.order_states.has_fresh_hints(account.id):
        return
    now = context.clock()
    stored = await store.meta.get_json(budget_name, CallBudget)
    budget = (stored or CallBudget(now.date())).on(now.date())
    if not budget.allows(now):
        return
    try:
        async with context.stop.limit():
            batch = await hint_reader.look_up(budget.left, leaving=budget.leaving)
    except (Stopped, StoreError):
        raise
    except Exception:
        logger.exception("%s: a bug, please report it", account.name, extra={"event": "bug"})
        # Recorded like a lookup, so that the next try waits for the usual pause.
        batch = HintBatch()
    await store.order_states.record_lookup(account.id, batch, at=now)
    await store.meta.set_json(budget_name, budget.after(batch, now))
    _log(account, batch)


def _log(account: Account, batch: HintBatch) -> None:
    logger.info(
        "%s: %d hints looked up with %d calls",
        account.name,
        len(batch.read) + len(batch.dismissed),
        batch.calls,
        extra={
            "event": "hints_followed",
            "account": account.id,
            "read": len(batch.read),
            "calls": batch.calls,
        },
    )
