"""An alarm begins once, continues, and ends once; the audit trail keeps people's actions."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from notifier.domain.alarms import Alarm, Cause
from notifier.domain.ledger import FrozenMessage
from notifier.domain.settings import StoreLocation
from notifier.i18n.messages import lazy
from notifier.store import Store, open_store
from notifier.store.alarms import ComposeMail, no_mail
from tests.factories import NOON
from tests.store.arrange import message

LIST = Cause(
    "unreadable/ljubljana",
    lazy("{account}: the list cannot be read: {reason}", account="Mimovrste", reason='"503"'),
    lazy("`notifier doctor`"),
)
MAIL = Cause("mail", lazy("the mail server cannot be reached"), lazy("`notifier check`"))
LATER = NOON + timedelta(minutes=10)


async def reconcile(
    store: Store, causes: list[Cause], *, at: datetime, compose_mail: ComposeMail = no_mail
) -> tuple[tuple[Alarm, ...], tuple[Alarm, ...]]:
    """Reconcile with the alarms that are open now."""
    open_before = await store.alarms.open()
    return await store.alarms.reconcile(
        causes, at=at, open_before=open_before, compose_mail=compose_mail
    )


async def test_a_cause_begins_an_alarm_and_is_open_until_it_is_gone(store: Store) -> None:
    begun, ended = await reconcile(store, [LIST, MAIL], at=NOON)

    assert [(alarm.cause, alarm.begun_at) for alarm in begun] == [(LIST, NOON), (MAIL, NOON)]
    assert ended == ()
    assert await store.alarms.open() == begun

    begun_later, ended = await reconcile(store, [MAIL], at=LATER)

    assert begun_later == ()
    assert [(alarm.cause, alarm.begun_at, alarm.ended_at) for alarm in ended] == [
        (LIST, NOON, LATER)
    ]
    assert await store.alarms.open() == begun[1:]


async def test_an_alarm_that_continues_is_not_reported_again_but_takes_the_newer_text(
    store: Store,
) -> None:
    await reconcile(store, [MAIL], at=NOON)
    worse = Cause(MAIL.key, lazy("the mail server does not answer at all"), MAIL.remedy)

    assert await reconcile(store, [worse], at=LATER) == ((), ())

    (alarm,) = await store.alarms.open()
    assert (alarm.cause, alarm.begun_at) == (worse, NOON)


async def test_a_cause_that_comes_back_begins_a_new_alarm(store: Store) -> None:
    (first,), _ = await reconcile(store, [MAIL], at=NOON)
    await reconcile(store, [], at=LATER)
    (second,), _ = await reconcile(store, [MAIL], at=LATER + timedelta(minutes=10))

    assert second.id != first.id
    assert await store.alarms.open() == (second,)


async def test_the_same_cause_given_twice_is_one_alarm(store: Store) -> None:
    begun, _ = await reconcile(store, [MAIL, MAIL], at=NOON)

    assert len(begun) == 1


async def test_an_alarm_begun_meanwhile_is_not_ended_by_older_causes(store: Store) -> None:
    open_before = await store.alarms.open()
    (alarm,), _ = await reconcile(store, [MAIL], at=NOON)

    assert await store.alarms.reconcile([], at=LATER, open_before=open_before) == ((), ())
    assert await store.alarms.open() == (alarm,)


async def test_an_alarm_that_is_begun_alone_is_begun_once(store: Store) -> None:
    await reconcile(store, [LIST], at=NOON)

    assert await store.alarms.begin(MAIL, at=NOON) is not None
    assert await store.alarms.begin(MAIL, at=LATER) is None
    assert [alarm.cause for alarm in await store.alarms.open()] == [LIST, MAIL]


async def test_only_one_of_two_processes_reports_a_change(location: StoreLocation) -> None:
    async with open_store(location) as mine, open_store(location) as theirs:
        begin = await asyncio.gather(
            *(reconcile(store, [MAIL], at=NOON) for store in (mine, theirs))
        )
        end = await asyncio.gather(*(reconcile(store, [], at=LATER) for store in (mine, theirs)))

    assert sorted(len(begun) for begun, _ in begin) == [0, 1]
    assert sorted(len(ended) for _, ended in end) == [0, 1]


async def test_the_mail_about_an_alarm_enters_the_outbox_with_it(store: Store) -> None:
    changes: list[tuple[int, int]] = []

    def compose_mail(begun: tuple[Alarm, ...], ended: tuple[Alarm, ...]) -> FrozenMessage | None:
        changes.append((len(begun), len(ended)))
        return message("admin@example.com") if begun else None

    await reconcile(store, [MAIL], at=NOON, compose_mail=compose_mail)
    await reconcile(store, [], at=LATER, compose_mail=compose_mail)

    assert changes == [(1, 0), (0, 1)]
    (mail,) = await store.outbox.list()
    assert (mail.kind, mail.recipient, mail.account_id) == ("alarm", "admin@example.com", "")


async def test_nothing_is_open_in_a_store_that_does_not_exist_yet(tmp_path: Path) -> None:
    location = StoreLocation(f"sqlite:///{tmp_path / 'none.db'}")
    async with open_store(location, read_only=True) as store:
        assert await store.alarms.open() == ()


async def test_the_audit_trail_lists_the_newest_entry_first(store: Store) -> None:
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
