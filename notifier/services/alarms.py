"""After the work of a tick: begin and end alarms, and mail the admin about them.

`domain/alarms.py` decides what is wrong. A failure in here is only logged, because digests matter
more than alarms.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notifier.domain.alarms import ADMIN_MAIL, NOT_BY_MAIL, Alarm, History, Situation, causes
from notifier.domain.ledger import FrozenMessage, MessageKind, MessageState
from notifier.domain.settings import Account
from notifier.errors import StoreError
from notifier.mail.freeze import freeze_alarms
from notifier.services.context import Context
from notifier.services.deliver import DeliveryResult
from notifier.services.run import RunReport
from notifier.store import Store

# Several weeks, even if a person forces several editions a day.
LATEST_RUNS = 60
"""Runs read per account."""
# About three weeks with ten recipients.
LATEST_DIGESTS = 200
"""Messages read per account."""
# Each becomes an alarm of its own, and all that begin together are listed in one mail.
MOST_UNSURE = 1000
"""Messages of unknown delivery that are read."""

_SETTLED = (MessageState.SENT, MessageState.FAILED)
_UNSURE = (MessageState.HELD, MessageState.UNKNOWN)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Changes:
    """Alarms that began, ended, and are open now."""

    begun: tuple[Alarm, ...] = ()
    ended: tuple[Alarm, ...] = ()
    open: tuple[Alarm, ...] = ()

    @property
    def are_mailed(self) -> bool:
        """Whether any of it is reported by mail."""
        return any(_by_mail(self.begun, self.ended))


async def update_alarms(
    accounts: Sequence[Account],
    context: Context,
    outbox: DeliveryResult,
    config_trouble: str | None,
    reports: Sequence[RunReport] = (),
) -> Changes:
    """Begin and end the alarms of all configured `accounts`, log them, and mail the admin.

    `reports` are those of the accounts that ran just now. Raises StoreError and nothing else.
    """
    store, now = context.store, context.clock()
    # Many alarms belong to no account, so one mail has the language of the first.
    mailer = AlarmMailer(context, accounts[0], now)
    try:
        # Before the causes are collected: an alarm that another process begins meanwhile must not
        # be ended by causes that cannot know of it.
        seen = await store.alarms.open()
        situation = await _situation(accounts, store, seen, outbox, config_trouble, reports=reports)
        wrong = causes(situation, now)
        # The mail is composed inside the transaction, so that a crash loses neither alarm nor mail.
        begun, ended = await store.alarms.reconcile(
            wrong, at=now, open_before=seen, compose_mail=mailer.about
        )
        _log(begun, ended)
        return Changes(begun, ended, await store.alarms.open())
    except StoreError:
        raise
    # The digests are on their way by now; a bug in here must not look like a failure to send them.
    except Exception:
        logger.exception("alarms not checked; a bug, please report it", extra={"event": "bug"})
        return Changes()


@dataclass(frozen=True, slots=True)
class AlarmMailer:
    """Composes the mail to the admin in the language and time zone of an account."""

    context: Context
    account: Account
    at: datetime

    def about(self, begun: Sequence[Alarm], ended: Sequence[Alarm]) -> FrozenMessage | None:
        """Return one mail about all of these; None if none of them is reported by mail."""
        begun, ended = _by_mail(begun, ended)
        if not begun and not ended:
            return None
        try:
            return self._compose(begun, ended)
        # The alarm itself must still be recorded: log, exit code and monitor report it as well.
        except Exception:
            logger.exception("no alarm mail; a bug, please report it", extra={"event": "bug"})
            return None

    def _compose(self, begun: Sequence[Alarm], ended: Sequence[Alarm]) -> FrozenMessage:
        zone, language = self.account.schedule.zone, self.account.language
        parts = self.context.renderer.alarms(begun, ended, zone, language=language)
        key = "-".join(str(alarm.id) for alarm in (*begun, *ended))
        return freeze_alarms(parts, key, sender=self.context.settings.sender, at=self.at)


def _by_mail(
    begun: Sequence[Alarm], ended: Sequence[Alarm]
) -> tuple[tuple[Alarm, ...], tuple[Alarm, ...]]:
    """Leave out what a mail cannot report: that mail fails now."""
    return (
        tuple(one for one in begun if one.cause.kind not in NOT_BY_MAIL),
        tuple(one for one in ended if one.cause.kind != ADMIN_MAIL),
    )


async def _situation(
    accounts: Sequence[Account],
    store: Store,
    seen: Sequence[Alarm],
    outbox: DeliveryResult,
    config_trouble: str | None,
    *,
    reports: Sequence[RunReport],
) -> Situation:
    """Read from the store everything that can be wrong."""
    to_admin = await store.outbox.list(states=_SETTLED, kind=MessageKind.ALARM, limit=1)
    return Situation(
        [await history(account, store) for account in accounts],
        delivery_unknown=await store.outbox.list(states=_UNSURE, limit=MOST_UNSURE),
        to_admin=to_admin,
        mail_error=outbox.error,
        mail_tried=bool(outbox.delivered),
        config_trouble=config_trouble,
        templates={one.account.id: one.batch.templates_broken for one in reports if one.messages},
        open_causes=[alarm.cause for alarm in seen],
    )


async def history(account: Account, store: Store) -> History:
    """Read the latest runs and settled digests of one account."""
    digests = await store.outbox.list(
        states=_SETTLED, kind=MessageKind.DIGEST, account_id=account.id, limit=LATEST_DIGESTS
    )
    runs = await store.runs.list(account_id=account.id, limit=LATEST_RUNS)
    return History(account, runs, digests)


def _log(begun: Sequence[Alarm], ended: Sequence[Alarm]) -> None:
    for alarm in begun:
        sentence = f"{alarm.cause.what}. {alarm.cause.remedy}"
        logger.error("alarm: %s", sentence, extra=_log_fields("alarm_begun", alarm))
    for alarm in ended:
        logger.info(
            "the alarm is over: %s", alarm.cause.what, extra=_log_fields("alarm_ended", alarm)
        )


def _log_fields(event: str, alarm: Alarm) -> dict[str, object]:
    return {"event": event, "cause": alarm.cause.key}
