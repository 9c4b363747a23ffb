"""The audit trail."""

from __future__ import annotations

from datetime import timedelta

from notifier.store import Store
from tests.factories import NOON


async def test_what_people_do_is_told_newest_first(store: Store) -> None:
    for hours, action in enumerate(("recipient added", "recipient removed")):
        await store.audit.record(
            at=NOON + timedelta(hours=hours),
            who="admin",
            action=action,
            subject="ljubljana",
            detail="jana@example.com",
        )

    newest, oldest = await store.audit.list()

    assert (newest.action, newest.at) == ("recipient removed", NOON + timedelta(hours=1))
    assert (oldest.who, oldest.subject, oldest.detail) == (
        "admin",
        "ljubljana",
        "jana@example.com",
    )
    assert await store.audit.list(limit=1) == (newest,)
