"""The reading plan: which order details to read today, in which order, and the quota for it.

The marketplace counts calls per day, and the seller's other systems share them. Only the detail of
an order tells whether its parcel waits, and each detail is one call. So an order is read only when
it can have become ready since the last reading, the most important first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

# Short, since nothing is read while an exhausted quota is believed.
UNSTATED_VALIDITY = timedelta(hours=1)
"""How long a quota is valid if the marketplace does not say."""

# The marketplace may raise the limit at any time, and does not announce it.
MAX_VALIDITY = timedelta(hours=6)
"""How long a quota is valid at most."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Calls of a day, shared by all systems of the seller, as the marketplace last stated them."""

    left: int
    stated_at: datetime
    until: datetime
    """When the marketplace resets its count."""
    daily_limit: int | None = None
    """Calls of a whole day; None if no answer stated it."""

    def is_valid(self, now: datetime) -> bool:
        """Return whether at most `left` calls remain; False after the clock was set back."""
        return self.stated_at <= now < min(self.until, self.stated_at + MAX_VALIDITY)


class Frequency(StrEnum):
    """How often to read an order with no sign of a return."""

    DAILY = "daily"
    """Every day, once the parcel can have come back."""
    ALTERNATE = "alternate"
    """Every second day: a way back takes a day at least, and its history shows it."""
    ALL = "all"
    """Every day, from the day of shipping."""


class Reason(StrEnum):
    """Why an order is read today, the most important first."""

    # The order matters where calls run out: the mail must be right about parcels that wait, and how
    # a parcel left can be asked tomorrow.

    WAITED = "waited"
    """It waited at the last reading, and may still wait."""
    HINTED = "hinted"
    """The marketplace reported a change."""
    COMES_BACK = "comes back"
    """Its history shows the way back, or its time at the branch is over."""
    DUE = "due"
    """It can have become ready since the last reading."""
    LEFT = "left"
    """It waited and left the list: one call tells how."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be assumed about parcels, and about the marketplace's hints."""

    frequency: Frequency = Frequency.DAILY
    earliest_return_days: int = 2
    """Days after shipping in which a parcel cannot have gone there and come back."""
    storage_days: int = 7
    """Days after shipping until an uncollected parcel goes back."""
    trust_webhook: bool = False
    """Whether every change is reported; then other orders are read every `reread_days`."""
    reread_days: int = 2

    @property
    def pause(self) -> timedelta:
        """The time between two readings of an order with no sign of a return."""
        if self.trust_webhook:
            return timedelta(days=self.reread_days)
        # Zero by default: a second edition of a day shows what waits by then.
        return timedelta(days=2 if self.frequency is Frequency.ALTERNATE else 0)

    def after_lost_hints(self) -> Policy:
        """Return the policy without trust in hints: a lost one may have been about any order."""
        return replace(self, trust_webhook=False)


@dataclass(frozen=True, slots=True)
class OrderState:
    """The stored state of an order that is listed, or that waited."""

    shipped_on: date | None
    read_on: date | None = None
    """The day its detail was last read; the values below are from that reading."""
    waits: bool = False
    comes_back: bool = False
    """Whether its history shows that it is on its way back."""


@dataclass(frozen=True, slots=True)
class ReadingState:
    """The stored state between two readings of an account."""

    order_states: Mapping[int, OrderState] = field(default_factory=dict)
    """By order id."""
    hints: frozenset[int] = frozenset()
    """Ids of orders that the marketplace reported as changed."""
    fresh: frozenset[int] = frozenset()
    """Hints that are not yet looked up."""
    hints_lost: bool = False
    """Whether there were more hints than could be stored."""
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class HintBatch:
    """The result of looking up hints between two readings."""

    read: Mapping[int, OrderState | None] = field(default_factory=dict)
    """Orders whose detail was read; None for an order that is no longer shipped."""
    dismissed: frozenset[int] = frozenset()
    """Hints that can wait for the next reading."""
    calls: int = 0
    daily_limit: int | None = None
    """Calls of a whole day, if an answer stated it."""


class HintReader(Protocol):
    """Looks up orders that a webhook reported as changed."""

    async def look_up(self, most_calls: int, *, leaving: int) -> HintBatch:
        """Make at most `most_calls`, and only while more than `leaving` of the day are left."""


class StateStore(Protocol):
    """Keeps the state of an account between two readings."""

    async def load(self) -> ReadingState:
        """Return the stored state."""

    async def save(
        self, order_states: Mapping[int, OrderState], followed: Collection[int], since: datetime
    ) -> None:
        """Replace all order states, and delete the `followed` hints older than `since`."""

    async def save_quota(self, quota: Quota) -> None:
        """Store the quota."""


class NoState:
    """A `StateStore` that keeps nothing: every order that can be ready is read."""

    async def load(self) -> ReadingState:
        return ReadingState()

    async def save(
        self, order_states: Mapping[int, OrderState], followed: Collection[int], since: datetime
    ) -> None:
        """Do nothing."""

    async def save_quota(self, quota: Quota) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """One detail to read."""

    id: int
    reason: Reason


def plan(
    listed: Mapping[int, date | None],
    stored: Mapping[int, OrderState],
    today: date,
    policy: Policy,
    *,
    waited: Collection[int] = (),
    hinted: Collection[int] = (),
) -> tuple[Step, ...]:
    """Return what to read on `today`, by reason and then by age, the oldest shipment first.

    `listed` are the orders of today's list and their shipping days, None if unknown; `waited` are
    the orders of the last digest, whether or not they have a stored state.
    """
    # The last digest and the stored states may differ, for example after a lookup of hints.
    all_waited = {*waited, *(id_ for id_, state in stored.items() if state.waits)}
    all_hinted = frozenset(hinted)
    steps = [Step(id_, Reason.LEFT) for id_ in all_waited.difference(listed)]
    for id_, shipped in listed.items():
        if id_ in all_waited:
            steps.append(Step(id_, Reason.WAITED))
        # Shipping changes an order too, so a hint about a young order says nothing of a return.
        elif id_ in all_hinted and not only_shipped(shipped, stored.get(id_), today, policy):
            steps.append(Step(id_, Reason.HINTED))
        elif reason := _reason_to_read(shipped, stored.get(id_), today, policy):
            steps.append(Step(id_, reason))
    urgency = {reason: position for position, reason in enumerate(Reason)}
    # An order without a shipping day may be the oldest of all.
    age = {id_: shipped or date.min for id_, shipped in listed.items()}
    return tuple(
        sorted(steps, key=lambda step: (urgency[step.reason], age.get(step.id, date.min), step.id))
    )


def only_shipped(
    shipped: date | None, state: OrderState | None, today: date, policy: Policy
) -> bool:
    """Return whether a hint only means that the order was shipped: it is unknown and young."""
    # A known order was shipped before, so its hint means something else.
    young = shipped is not None and -1 <= (today - shipped).days <= policy.earliest_return_days
    return young and state is None


def _reason_to_read(
    shipped: date | None, state: OrderState | None, today: date, policy: Policy
) -> Reason | None:
    """Return why to read an order that has not waited and has no hint."""
    if policy.frequency is Frequency.ALL:
        return Reason.DUE
    age = None if shipped is None else (today - shipped).days
    # Before the pause is looked at: such a parcel may arrive on any day.
    if (state and state.comes_back) or (age is not None and age > policy.storage_days):
        return Reason.COMES_BACK
    # -1: the marketplace may already write tomorrow, in its own time zone.
    if age is not None and -1 <= age <= policy.earliest_return_days:
        return None
    # A reading in the future means that the clock was set back, so it must not delay this one.
    read_on = state.read_on if state else None
    paused = read_on is not None and today - policy.pause < read_on <= today
    return None if paused else Reason.DUE
