"""The monthly review of recipients: the admin is mailed the list of who gets the digests.

A person who leaves is easily forgotten in the list, and would keep getting customers' orders.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from notifier.domain.ledger import MessageKind
from notifier.domain.settings import Account
from notifier.errors import StoreError
from notifier.mail.freeze import freeze_review
from notifier.services.context import Context

TRIED_FOR = timedelta(days=7)
"""How long its delivery is tried."""

# More than a year: a run before this month must be among them, even if a person forces many.
LATEST_RUNS = 400
"""Runs read per account."""

logger = logging.getLogger(__name__)


async def post_review(accounts: Sequence[Account], context: Context) -> None:
    """Put this month's review of all `accounts` into the outbox, unless it is there already.

    It is due with the first digest of a month, except in the month of the very first one. Raises
    StoreError; any other failure is only logged, because digests matter more.
    """
    try:
        now = context.clock()
        schedule = accounts[0].schedule
        today = schedule.local_day(now)
        # With the first digest of the month: a schedule of its own could be missed.
        if now < schedule.starts(today) or await _is_posted(today, accounts[0], context):
            return
        # An operator who has just written the list need not review it.
        if await _had_a_digest_before(today.replace(day=1), accounts, context):
            await _post(accounts, today, context, now)
    except StoreError:
        raise
    except Exception:
        logger.exception(
            "the review of recipients failed; a bug, please report it", extra={"event": "bug"}
        )


async def _is_posted(today: date, account: Account, context: Context) -> bool:
    posted = await context.store.outbox.list(kind=MessageKind.REVIEW, limit=1)
    days = (account.schedule.local_day(message.created_at) for message in posted)
    return any(day.replace(day=1) >= today.replace(day=1) for day in days)


async def _had_a_digest_before(day: date, accounts: Sequence[Account], context: Context) -> bool:
    for account in accounts:
        runs = await context.store.runs.list(account_id=account.id, limit=LATEST_RUNS)
        if any(run.day < day for run in runs):
            return True
    return False


async def _post(accounts: Sequence[Account], today: date, context: Context, now: datetime) -> None:
    parts = context.renderer.review(accounts, language=accounts[0].language)
    message = freeze_review(
        parts, month=today.replace(day=1), sender=context.settings.sender, at=now
    )
    if await context.store.outbox.post(
        message, MessageKind.REVIEW, at=now, give_up_at=now + TRIED_FOR
    ):
        logger.info("asked the admin to review the recipients", extra={"event": "review"})
