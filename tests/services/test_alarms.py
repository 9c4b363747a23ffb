"""Updating the alarms after a tick stops no tick and sends at most one mail."""

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

NO_DELIVERY = DeliveryResult(())


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


async def fail_run(store: Store, id_: str = "ljubljana") -> None:
    """Record a run whose list could not be read."""
    run = await store.runs.begin(id_, DAY, at=NOON, lease=timedelta(minutes=5), holder="tests:1")
    assert run is not None
    await store.runs.fail(run, "503", at=NOON)


async def test_an_unexpected_error_is_only_logged(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await fail_run(store)
    nowhere = account(schedule=schedule(timezone="Nowhere/At_All"))

    assert await update_alarms([nowhere], context(store), NO_DELIVERY, None) == Changes()
    assert "alarms not checked" in caplog.text


async def test_an_alarm_mail_that_cannot_be_rendered_is_logged_and_the_alarm_stays_open(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    changes = await update_alarms(
        [account(language="tlh")], context(store), NO_DELIVERY, "config.toml:14"
    )

    assert await store.alarms.open() == changes.begun
    assert await store.outbox.list() == ()
    assert "no alarm mail" in caplog.text


async def test_a_store_that_cannot_be_written_stops_the_tick(location: StoreLocation) -> None:
    async with open_store(location) as store:
        await fail_run(store)
    async with open_store(location, read_only=True) as store:
        with pytest.raises(StoreError):
            await update_alarms([account()], context(store), NO_DELIVERY, None)


async def test_all_alarms_of_a_tick_share_one_mail(store: Store) -> None:
    await fail_run(store)
    changes = await update_alarms([account()], context(store), NO_DELIVERY, "config.toml:14")

    assert [alarm.cause.key for alarm in changes.open] == ["config", "no-digest/ljubljana"]
    assert changes.are_mailed
    (mail,) = await store.outbox.list(kind=MessageKind.ALARM)
    assert (mail.recipient, mail.account_id) == ("admin@example.com", "")
    assert mail.subject.startswith("2 new problems")


async def test_unchanged_alarms_send_no_further_mail(store: Store) -> None:
    await fail_run(store)
    await update_alarms([account()], context(store), NO_DELIVERY, None)
    again = await update_alarms([account()], context(store), NO_DELIVERY, None)

    assert (len(again.begun), len(again.ended), len(again.open)) == (0, 0, 1)
    assert not again.are_mailed
    assert len(await store.outbox.list()) == 1


@pytest.mark.parametrize("kind", ["mail-unavailable", "mail-refused", ADMIN_MAIL])
def test_an_alarm_that_prevents_mail_is_not_mailed(kind: str) -> None:
    assert not Changes(begun=(alarm(1, kind),)).are_mailed


def test_the_end_of_a_mail_server_outage_is_mailed_but_not_that_of_an_admin_mail_failure() -> None:
    assert Changes(ended=(alarm(1, "mail-unavailable"),)).are_mailed
    assert not Changes(ended=(alarm(1, ADMIN_MAIL),)).are_mailed
