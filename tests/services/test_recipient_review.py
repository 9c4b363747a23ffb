"""Once a month the admin is asked whether everybody should still get the digests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from notifier.domain.ledger import MessageKind, OutboxMessage
from notifier.domain.settings import StoreLocation
from notifier.mail.render import Renderer
from notifier.services.recipient_review import post_review
from notifier.store import Store, open_store
from tests.factories import account, context
from tests.store.arrange import freeze

# Times are in UTC; digests are due at six in Ljubljana, which is 05:00 UTC in winter.
FIRST = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)
BEFORE_SIX = datetime(2026, 12, 1, 4, 59, tzinfo=UTC)
LATER = datetime(2026, 12, 19, 12, tzinfo=UTC)
NEXT_MONTH = datetime(2027, 1, 3, 5, 0, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")) as opened:
        yield opened


def clock(at: datetime) -> Callable[[], datetime]:
    return lambda: at


async def reviews(store: Store, *times: datetime) -> tuple[OutboxMessage, ...]:
    """Run the review step at these times; return the review messages in the outbox."""
    for at in times:
        await post_review((account(),), context(store, at=clock(at)))
    return await store.outbox.list(kind=MessageKind.REVIEW)


async def test_a_review_is_sent_once_a_month_with_the_first_digest(store: Store) -> None:
    await freeze(store, day=date(2026, 11, 22))

    assert await reviews(store, BEFORE_SIX) == ()
    (first,) = await reviews(store, FIRST, FIRST, LATER)
    assert (first.recipient, first.created_at) == ("admin@example.com", FIRST)
    assert len(await reviews(store, NEXT_MONTH, NEXT_MONTH)) == 2


async def test_a_missed_first_day_is_caught_up_later_in_the_month(store: Store) -> None:
    await freeze(store, day=date(2026, 11, 22))

    assert len(await reviews(store, LATER)) == 1


async def test_no_review_is_sent_in_the_month_of_the_first_digest(
    store: Store,
) -> None:
    await freeze(store, day=date(2026, 12, 1))

    assert await reviews(store, LATER) == ()


async def test_no_review_is_sent_before_the_first_digest(store: Store) -> None:
    assert await reviews(store, FIRST) == ()


def test_the_review_mail_names_each_recipient_and_why_they_receive_digests() -> None:
    mail = Renderer().review((account(),), language="en")

    assert "  Jana <jana@example.com>\n    Named in the configuration\n" in mail.text
    assert "Jana &lt;jana@example.com&gt;" in mail.html
    assert mail.subject == "Recipients to review – Ready-to-return notifier"
