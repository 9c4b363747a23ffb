"""Runs and messages to arrange store tests with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from notifier.domain.digest import compose
from notifier.domain.ledger import FrozenMessage, Run
from notifier.domain.orders import Order
from notifier.domain.reading import Complete, Departure, Incomplete
from notifier.store import Store
from tests.factories import DAY, NOON, account, order

LEASE = timedelta(minutes=20)


def message(recipient: str = "jana@example.com", key: str = "1") -> FrozenMessage:
    """Return a frozen message to one recipient."""
    return FrozenMessage(
        message_id=f"<{key}.{recipient.partition('@')[0]}@example.com>",
        recipient=recipient,
        envelope_from="parcels@example.com",
        language="en",
        subject="2 parcels to collect",
        content=b"Subject: 2 parcels to collect\r\n\r\nCANARY-body\r\n",
    )


async def begin(store: Store, day: date = DAY, *, at: datetime = NOON, edition: int = 1) -> Run:
    """Begin a run that no other process has begun."""
    run = await store.runs.begin("ljubljana", day, at=at, lease=LEASE, holder="me", edition=edition)
    assert run is not None
    return run


async def freeze(
    store: Store,
    *recipients: str,
    day: date = DAY,
    at: datetime = NOON,
    edition: int = 1,
    orders: Sequence[Order] = (order(1), order(2)),
    give_up_after: timedelta = timedelta(days=1),
    gap: str | None = None,
) -> Run:
    """Begin a run, compare it with the last one, and freeze it with its messages."""
    run = await begin(store, day, at=at, edition=edition)
    previous = await store.runs.snapshot_before("ljubljana", day)
    gone = set(previous.ids if previous else ()) - {o.id for o in orders}
    departed = dict.fromkeys(gone, Departure.RETURNED)
    reading: Complete | Incomplete = Complete(at, tuple(orders), departed)
    if gap:
        reading = Incomplete(at, tuple(orders), gap, departed=departed)
    digest = compose(account(), reading, previous, day)
    key = f"{day}.{edition}"
    frozen = [message(recipient, key) for recipient in recipients]
    return await store.runs.freeze(run, digest, frozen, at=at, give_up_at=at + give_up_after)
