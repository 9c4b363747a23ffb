"""The notice to recipients that a day's list could not be read: sent once, at `alarm_after`.

The digest still follows as soon as the list can be read. A notice that is not sent by then is
discarded when the digest is frozen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from notifier.domain.ledger import AUTOMATIC_EDITION, MessageKind, Run, RunState
from notifier.domain.settings import Account
from notifier.mail.freeze import freeze_notice
from notifier.services.context import Context

logger = logging.getLogger(__name__)


def is_due(account: Account, run: Run | None, now: datetime) -> bool:
    """Return whether a notice about this day's list is due now.

    When it is too late for the digest, no notice is sent: the next digest mentions the day.
    """
    # A further edition is a person's extra request, so recipients do not wait for it.
    if run is None or run.state is not RunState.FAILED or run.edition != AUTOMATIC_EDITION:
        return False
    schedule = account.schedule
    return schedule.starts(run.day) + account.alarm_after <= now < schedule.ends(run.day)


async def post_notices(accounts: Iterable[Account], context: Context) -> None:
    """Put the notices that are due into the outbox, unless they are there already."""
    for account in accounts:
        now = context.clock()
        run = await context.store.runs.latest(account.id, account.schedule.local_day(now))
        if run is not None and is_due(account, run, now):
            await _post(account, run, context, now)


async def _post(account: Account, run: Run, context: Context, now: datetime) -> None:
    new = 0
    for recipient in account.recipients:
        parts = context.renderer.notice(
            account, context.settings.sender, run.day, run.finished_at or now, recipient=recipient
        )
        message = freeze_notice(
            parts,
            recipient=recipient,
            account=account,
            sender=context.settings.sender,
            day=run.day,
            at=now,
        )
        # The outbox takes one notice per recipient and day, so it does not matter how often a tick
        # comes here.
        new += await context.store.outbox.post(
            message,
            MessageKind.NOTICE,
            run=run,
            at=now,
            give_up_at=account.schedule.ends(run.day),
        )
    if new:
        fields = {"event": "notice", "account": account.id, "day": run.day.isoformat()}
        logger.warning(
            "%s: %d recipients get a notice that the list could not be read",
            account.name,
            new,
            extra=fields,
        )
