"""Warnings about options that are valid, but may not be what was intended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from notifier.config.values import is_loopback
from notifier.domain.recipients import is_address
from notifier.domain.schedule import Schedule
from notifier.domain.settings import Account, FileAccess, MarketplaceAccess, Settings

LOOK_AHEAD = 366
"""Number of days that are searched for clock changes."""


def find_warnings(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield a sentence per warning, most with what to write instead."""
    yield from _same_credential(settings)
    yield from _sender(settings)
    yield from _webhook(settings)
    for account in settings.accounts.values():
        place = f"accounts.{account.id}"
        yield from (f"{place}: {sentence}" for sentence in _of_account(account, now))


def _same_credential(settings: Settings) -> Iterator[str]:
    first: dict[str, str] = {}
    for account in settings.accounts.values():
        if not isinstance(account.access, MarketplaceAccess):
            continue
        # Mostly a copied table in which the credential was not changed.
        other = first.setdefault(account.access.client_id.value, account.id)
        if other != account.id:
            yield (
                f"accounts.{account.id}: has the same client_id as {other}, "
                "so both report the same parcels"
            )


def _sender(settings: Settings) -> Iterator[str]:
    username, sender = settings.smtp.username, settings.sender.mailbox
    if username is None and not is_loopback(settings.smtp.host):
        yield "smtp.username: is not set; most mail servers accept mail only after a login"
    # Mail servers often bind a login to its own domain, and SPF and DMARC check the sender's.
    if username and is_address(username) and not username.lower().endswith(f"@{sender.domain}"):
        yield (
            f"smtp.from: {sender.address} is in another domain than the login {username}; "
            "the mail server may refuse it, or receivers may think it forged"
        )
    if sender.needs_smtputf8:
        yield f"smtp.from: {sender.address} needs a mail server that offers SMTPUTF8"


def _webhook(settings: Settings) -> Iterator[str]:
    """Warn of a webhook without a listening address, or without a token per account."""
    first: dict[str, str] = {}
    for account in settings.accounts.values():
        for token in account.webhook_tokens:
            other = first.setdefault(token.value, account.id)
            if other != account.id:
                yield (
                    f"accounts.{account.id}.webhook_token: is the same as that of {other}, so "
                    "posts are attributed to that account; create another token"
                )
    if first and not settings.webhook_listen:
        yield (
            "daemon.webhook_listen: is not set, so nothing receives webhooks; write "
            '"127.0.0.1:8687"'
        )
    if settings.webhook_listen and not first:
        yield "daemon.webhook_listen: no account has a webhook_token, so every post is refused"


def _of_account(account: Account, now: datetime) -> Iterator[str]:
    if account.place is None:
        yield (
            f"the mail cannot say where the parcels wait; write [accounts.{account.id}.place] "
            "with the name of the branch"
        )
    elif account.place.pickup_password and not account.password_groups & _groups(account):
        yield (
            "no recipient is shown place.pickup_password; write pickup_password = true in the "
            "[groups.NAME] of a group that gets the digest"
        )
    for recipient in account.recipients:
        if recipient.mailbox.needs_smtputf8:
            yield f"{recipient.mailbox.address} needs a mail server that offers SMTPUTF8"
    if isinstance(account.access, FileAccess):
        yield from _of_file(account.access)
    yield from _changed_clocks(account.schedule, now)


def _groups(account: Account) -> set[str]:
    return {recipient.group for recipient in account.recipients if recipient.group}


def _of_file(file: FileAccess) -> Iterator[str]:
    amounts = [name for name in ("price", "cod") if name in file.columns]
    if amounts and file.currency is None and "currency" not in file.columns:
        yield (
            f"columns.{amounts[0]} has no currency, so no amount is shown; write "
            'currency = "EUR" in its table file, or name a column'
        )


def _changed_clocks(schedule: Schedule, now: datetime) -> Iterator[str]:
    """Yield the days of the coming year on which `send_at` happens twice or not at all."""
    today, meant = schedule.local_day(now), f"{schedule.send_at:%H:%M}"
    for day in (today + timedelta(days=n) for n in range(LOOK_AHEAD)):
        sent = schedule.starts(day).astimezone(schedule.zone)
        if sent.time() != schedule.send_at:
            yield f"on {_long(day)} the clocks skip {meant}; it is sent at {sent:%H:%M}"
        # fold=1 is the second of two equal times (PEP 495).
        elif sent.utcoffset() != sent.replace(fold=1).utcoffset():
            yield f"on {_long(day)} it is {meant} twice; it is sent the first time"


def _long(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
