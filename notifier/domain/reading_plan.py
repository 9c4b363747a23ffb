"""The reading plan: whose details are read today, and in which order.

The marketplace counts calls per day, and the seller's other systems share them. One order is one
call, and only its detail tells whether it waits; so an order is read when it can have become ready
since it was read last, what matters most first.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from notifier.domain.quota import Quota


class Frequency(StrEnum):
    """How often an order is read of which nothing is known that speaks for it."""

    DAILY = "daily"
    """Every day, once it can have come back at all."""
    ALTERNATE = "alternate"
    """Every second day: a parcel is on its way back for a day at least, and its history tells."""
    ALL = "all"
    """Every day, from the first on: nothing is taken for granted."""


class Reason(StrEnum):
    """Why an order is read today; in the order of what matters most."""

    WAITED = "waited"
    """It waited when it was read last, and may still."""
    HINTED = "hinted"
    """The marketplace told that something about it changed."""
    COMES_BACK = "comes back"
    """Its history says that it is on its way back, or its time at the branch is over."""
    DUE = "due"
    """It can have become ready since it was read last."""
    LEFT = "left"
    """It waited, and is in the list no more: one call tells how it went."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is taken for granted about parcels, and about the marketplace's hints."""

    frequency: Frequency = Frequency.DAILY
    earliest_return_days: int = 2
    """Only what was shipped longer ago, in days, can be ready: it went there and came back."""
    storage_days: int = 7
    """What was shipped longer ago, in days, and was not collected goes back."""
    trust_webhook: bool = False
    """Whether an order that changes is told: then the others are read every `reread_days`."""
    reread_days: int = 2

    @property
    def pause(self) -> timedelta:
        """From one reading of an order to the next, while nothing speaks for it.

        None at all by default: a further edition of a day shows what waits by then.
        """
        if self.trust_webhook:
            return timedelta(days=self.reread_days)
        return timedelta(days=2 if self.frequency is Frequency.ALTERNATE else 0)

    def after_flood(self) -> Policy:
        """What holds where more was hinted at than could be kept: it may have been about any."""
        return replace(self, trust_webhook=False)


@dataclass(frozen=True, slots=True)
class OrderState:
    """What is remembered of an order that is listed, or that waited."""

    shipped_on: date | None
    read_on: date | None = None
    """When its detail was read last; what follows is what it said."""
    waits: bool = False
    comes_back: bool = False
    """Whether its history says that it is on its way back."""


@dataclass(frozen=True, slots=True)
class ReadingState:
    """What is remembered of an account's orders, by id, and which of them the marketplace named."""

    order_states: Mapping[int, OrderState] = field(default_factory=dict)
    hints: frozenset[int] = frozenset()
    fresh: frozenset[int] = frozenset()
    """Those of the hints that nobody has looked into yet."""
    overheard: bool = False
    """Whether so much was hinted at that some of it was not kept."""
    quota: Quota | None = None
    """What was left of the day's calls by the last answer of the marketplace."""


@dataclass(frozen=True, slots=True)
class HintBatch:
    """What a look at what was hinted at gave, between two readings."""

    read: Mapping[int, OrderState | None] = field(default_factory=dict)
    """Orders whose detail was read; None for one that is not shipped any more."""
    dismissed: frozenset[int] = frozenset()
    """Hints that need no look before the next reading."""
    calls: int = 0
    daily_limit: int | None = None
    """Calls of a whole day, where an answer told."""


class HintReader(Protocol):
    """Looks up the orders that a webhook hinted at: the marketplace."""

    async def look_up(self, most_calls: int, *, leaving: int) -> HintBatch:
        """Make at most `most_calls`, and only while more than `leaving` of the day are left."""
        ...


class StateStore(Protocol):
    """What lies between two readings."""

    async def recall(self) -> ReadingState:
        """What is remembered now."""
        ...

    async def remember(
        self, order_states: Mapping[int, OrderState], followed: Collection[int], since: datetime
    ) -> None:
        """Remember these instead of all before; hints from before `since` were followed."""
        ...

    async def note(self, quota: Quota) -> None:
        """Remember what is left of the day's calls."""
        ...


class NoState:
    """Where nothing is remembered, everything that can have become ready is read."""

    async def recall(self) -> ReadingState:
        """Nothing."""
        return ReadingState()

    async def remember(
        self, order_states: Mapping[int, OrderState], followed: Collection[int], since: datetime
    ) -> None:
        """Forget it at once."""

    async def note(self, quota: Quota) -> None:
        """Forget it at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """One detail to be read."""

    id: int
    reason: Reason


def plan(
    listed: Mapping[int, date | None],
    seen: Mapping[int, OrderState],
    today: date,
    policy: Policy,
    *,
    waited: Collection[int] = (),
    hinted: Collection[int] = (),
) -> tuple[Step, ...]:
    """What is read on `today`: what matters most first, the oldest shipments first among equals.

    `listed` are the orders of today's list and the days they were shipped, None where the row
    does not tell; `waited` those of the last digest, whether or not they were `seen`.
    """
    all_waited = {*waited, *(id_ for id_, state in seen.items() if state.waits)}
    told = frozenset(hinted)
    steps = [Step(id_, Reason.LEFT) for id_ in all_waited.difference(listed)]
    for id_, shipped in listed.items():
        if id_ in all_waited:
            steps.append(Step(id_, Reason.WAITED))
        elif id_ in told and not only_shipped(shipped, seen.get(id_), today, policy):
            steps.append(Step(id_, Reason.HINTED))
        elif reason := _suspicion(shipped, seen.get(id_), today, policy):
            steps.append(Step(id_, reason))
    urgency = {reason: place for place, reason in enumerate(Reason)}
    # An order that does not tell when it was shipped may be the oldest of all.
    age = {id_: shipped or date.min for id_, shipped in listed.items()}
    return tuple(
        sorted(steps, key=lambda step: (urgency[step.reason], age.get(step.id, date.min), step.id))
    )


def only_shipped(
    shipped: date | None, state: OrderState | None, today: date, policy: Policy
) -> bool:
    """Whether a hint only told that the order was shipped: it is new to us, and young."""
    young = shipped is not None and -1 <= (today - shipped).days <= policy.earliest_return_days
    return young and state is None


def _suspicion(
    shipped: date | None, state: OrderState | None, today: date, policy: Policy
) -> Reason | None:
    """Why one that nobody spoke of is read; None when it need not be."""
    if policy.frequency is Frequency.ALL:
        return Reason.DUE
    age = None if shipped is None else (today - shipped).days
    if state and state.comes_back:
        return Reason.COMES_BACK
    if age is not None and age > policy.storage_days:
        return Reason.COMES_BACK
    if age is not None and -1 <= age <= policy.earliest_return_days:
        return None
    # A day of the future is a clock that was set back: it says nothing about a pause.
    read_on = state.read_on if state else None
    rested = read_on is None or not today - policy.pause < read_on <= today
    return Reason.DUE if rested else None
