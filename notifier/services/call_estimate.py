"""Estimate what the next reading would read and cost, from the store alone, without a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from notifier.domain.reading_plan import OrderState, Reason, Step, plan
from notifier.domain.settings import Account, MarketplaceAccess
from notifier.sources.mall import list_calls
from notifier.store import Store


@dataclass(frozen=True, slots=True)
class CallEstimate:
    """The next reading of an account, as far as the last one allows to estimate it."""

    account: Account
    steps: tuple[Step, ...]
    seen: Mapping[int, OrderState]
    """State of the orders that were last listed, by id."""
    list_calls: int

    @property
    def calls(self) -> int:
        """Calls of the whole reading, if nothing has to be repeated."""
        return self.list_calls + len(self.steps)

    @property
    def counts(self) -> Mapping[Reason, int]:
        """Number of orders per reason to read them; every reason is present."""
        found = Counter(step.reason for step in self.steps)
        return {reason: found[reason] for reason in Reason}

    @property
    def resting(self) -> int:
        """Number of listed orders that need no call."""
        return len(self.seen.keys() - {step.id for step in self.steps})


async def estimate_calls(
    account: Account, access: MarketplaceAccess, store: Store, now: datetime
) -> CallEstimate:
    """Estimate from the store alone; it does not know orders shipped since the last reading."""
    recalled = await store.order_states.recall(account.id)
    previous = await store.runs.snapshot_before(account.id, account.schedule.local_day(now))
    seen = recalled.order_states
    # The same function as in a reading, so that the estimate cannot drift away from it.
    steps = plan(
        {id_: one.shipped_on for id_, one in seen.items()},
        seen,
        # Shipping days are days of the marketplace's zone, not of the account's.
        now.astimezone(ZoneInfo(access.timezone)).date(),
        access.policy.after_lost_hints() if recalled.hints_lost else access.policy,
        waited=previous.ids if previous else (),
        hinted=recalled.hints,
    )
    return CallEstimate(account, steps, seen, list_calls(len(seen), access.page_size))
