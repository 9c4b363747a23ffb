"""Between two digests: look up the orders that the webhook hinted at, with few calls.

The store then knows within minutes what became ready or was collected. No mail is sent or composed
from it: a digest always reads the marketplace itself.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta

from notifier.domain.reading_plan import HintBatch
from notifier.domain.settings import Account
from notifier.errors import Stopped, StoreError
from notifier.services.context import Context
from notifier.store import Store

EVERY = timedelta(minutes=10)
"""Shortest pause between two lookups of one account."""
SHARE = 20
"""One call in this many of a day's limit may be spent on hints."""
UNTOLD = 100
"""Calls a day where the marketplace states no limit."""

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
        limit = batch.daily_limit or self.daily_limit
        spent = self.spent + batch.calls
        return replace(self, spent=spent, daily_limit=limit, looked_at=now)

    def dump(self) -> str:
        """Return it as text for the store."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def load(cls, text: str | None, now: datetime) -> CallBudget:
        """Read what `dump` wrote; a new day starts with nothing spent."""
        today = now.date()
        if text is None:
            return cls(today)
        said = json.loads(text)
        looked_at = said["looked_at"] and datetime.fromisoformat(said["looked_at"])
        limit = said["daily_limit"]
        if said["day"] != str(today):
            return cls(today, 0, limit, looked_at)
        return cls(today, said["spent"], limit, looked_at)


async def last_look(account: Account, store: Store) -> datetime | None:
    """Return when hints about an account were last looked up."""
    told = await store.meta.get(_mark(account))
    return CallBudget.load(told, datetime.min.replace(tzinfo=UTC)).looked_at


def _mark(account: Account) -> str:
    return f"lookups.{account.id}"


async def follow_hints(account: Account, context: Context) -> None:
    """Look up new hints, if there are any and calls are left. Raises StoreError and Stopped."""
    store, mark = context.store, _mark(account)
    hint_reader = context.hint_reader(account)
    if hint_reader is None or not await store.order_states.has_fresh_hints(account.id):
        return
    now = context.clock()
    budget = CallBudget.load(await store.meta.get(mark), now)
    if not budget.allows(now):
        return
    try:
        async with context.stop.limit():
            batch = await hint_reader.look_up(budget.left, leaving=budget.leaving)
    except (Stopped, StoreError):
        raise
    except Exception:
        logger.exception("%s: a bug, please report it", account.name, extra={"event": "bug"})
        batch = HintBatch()
    await store.order_states.record_lookup(account.id, batch, at=now)
    await store.meta.set(mark, budget.after(batch, now).dump())
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
