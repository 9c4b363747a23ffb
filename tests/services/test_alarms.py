"""The look at the alarms after a tick: it can do no harm, and is one mail at most."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.domain.alarms import ADMIN_MAIL, Alarm, Cause
from notifier.domain.ledger import MessageKind
from notifier.domain.settings import StoreLocation
from notifier.errors import StoreError
from notifier.i18n.messages import Message
from notifier.services.alarms import Changes, update_alarms
from notifier.services.deliver import DeliveryResult
from notifier.store import Store, open_store
from tests.factories import DAY, NOON, account, context, schedule

NOTHING = DeliveryResult(())


@pytest.fixture
def location(tmp_path: Path) -> StoreLocation:
    return StoreLocation(f"sqlite:///{tmp_path / 'notifier.db'}")


@pytest.fixture
async def store(location: StoreLocation) -> AsyncIterator[Store]:
    async with open_store(location) as opened:
        yield opened


def alarm(number: int, kind: str) -> Alarm:
    return Alarm(
        number, Cause(f"{kind}/ljubljana", Message("It is wrong"), Message("Mend it")), NOON
    )


async def fail(store: Store, id_: str = "ljubljana") -> None:
    """A day whose list could not be read."""
    run = await store.runs.begin(id_, DAY, at=NOON, lease=timedelta(minutes=5), holder="tests:1")
    assert run is not None
    await store.runs.fail(run, "503", at=NOON)


async def test_what_nobody_expected_is_a_line_in_the_log(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await fail(store)
    nowhere = account(schedule=schedule(timezone="Nowhere/At_All"))

    assert await update_alarms([nowhere], context(store), NOTHING, None) == Changes()
    assert "alarms not checked" in caplog.text


async def test_a_mail_that_cannot_be_worded_is_a_line_in_the_log_and_the_alarm_stands(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    changes = await update_alarms(
        [account(language="tlh")], context(store), NOTHING, "config.toml:14"
    )

    assert await store.alarms.open() == changes.begun
    assert await store.outbox.list() == ()
    assert "no alarm mail" in caplog.text


async def test_a_store_that_takes_nothing_stops_the_tick(location: StoreLocation) -> None:
    async with open_store(location) as store:
        await fail(store)
    async with open_store(location, read_only=True) as store:
        with pytest.raises(StoreError):
            await update_alarms([account()], context(store), NOTHING, None)


async def test_all_that_is_wrong_in_a_tick_is_one_mail(store: Store) -> None:
    await fail(store)
    changes = await update_alarms([account()], context(store), NOTHING, "config.toml:14")

    assert [one.cause.key for one in changes.open] == ["config", "no-digest/ljubljana"]
    assert changes.are_mailed
    (mail,) = await store.outbox.list(kind=MessageKind.ALARM)
    assert (mail.recipient, mail.account_id) == ("admin@example.com", "")
    assert mail.subject.startswith("2 new problems")


async def test_where_nothing_changed_there_is_no_mail(store: Store) -> None:
    await fail(store)
    await update_alarms([account()], context(store), NOTHING, None)
    again = await update_alarms([account()], context(store), NOTHING, None)

    assert (len(again.begun), len(again.ended), len(again.open)) == (0, 0, 1)
    assert not again.are_mailed
    assert len(await store.outbox.list()) == 1


@pytest.mark.parametrize("kind", ["mail-unavailable", "mail-refused", ADMIN_MAIL])
def test_no_mail_says_that_there_can_be_none(kind: str) -> None:
    assert not Changes(begun=(alarm(1, kind),)).are_mailed


def test_that_mails_are_possible_again_is_told_by_mail() -> None:
    assert Changes(ended=(alarm(1, "mail-unavailable"),)).are_mailed
    assert not Changes(ended=(alarm(1, ADMIN_MAIL),)).are_mailed
