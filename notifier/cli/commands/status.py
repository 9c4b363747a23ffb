"""`notifier status`: show the overall status, and the commands that solve problems."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import click

from notifier.cli.context import Invocation, pass_invocation
from notifier.domain.alarms import Alarm
from notifier.domain.ledger import OutboxMessage, Run
from notifier.errors import ExitCode
from notifier.services.status import AccountStatus, SystemStatus, collect_status
from notifier.store import open_store

LABEL_WIDTH = 10

_COMMANDS = {"held": "retry", "failed": "retry", "unknown": "discard"}


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_invocation
def command(invocation: Invocation, *, as_json: bool) -> int:
    """Show the overall status: last digests, next ones, and problems.

    Reads only the store, and changes nothing. The exit code is 3 if there is a problem.
    """
    return asyncio.run(show(invocation, as_json=as_json))


async def show(invocation: Invocation, *, as_json: bool = False) -> ExitCode:
    """Print the status; the exit code says whether all is well."""
    settings = invocation.settings()
    async with open_store(settings.store, read_only=True) as store:
        status = await collect_status(settings.accounts.values(), store, invocation.now())
    if as_json:
        invocation.echo(json.dumps(_as_data(status), ensure_ascii=False, indent=2))
    else:
        _print(status, invocation)
    # Scripts and monitors can call this command instead of reading its text.
    return ExitCode.DONE if status.is_good else ExitCode.FAILED


def _print(status: SystemStatus, invocation: Invocation) -> None:
    for account in status.accounts:
        invocation.echo(f"{account.account.name} ({account.account.id})")
        for label, text in _account_lines(account, status.at):
            invocation.echo(f"  {label:<{LABEL_WIDTH}} {text}")
        invocation.echo()
    for message in status.messages:
        invocation.echo(_message_line(message))
    for alarm in status.alarms:
        invocation.echo(_alarm_line(alarm))
    invocation.echo("All is well." if status.is_good else "There are problems.")


def _account_lines(account: AccountStatus, now: datetime) -> list[tuple[str, str]]:
    zone = account.account.schedule.zone
    next_at = account.next_at.astimezone(zone)
    lines = [
        ("last good", _last_good(account.last_good, now)),
        ("today", _today(account)),
        ("waiting", _waiting(account)),
        ("next due", f"{next_at:%a %d %b at %H:%M} ({zone.key})"),
    ]
    if account.skipped:
        lines.append(("skipped", ", ".join(map(str, account.skipped))))
    return lines


def _last_good(run: Run | None, now: datetime) -> str:
    if run is None or run.finished_at is None:
        return "none yet"
    return f"{run.day}, {_age(now - run.finished_at)} ago, {run.messages} messages sent"


def _today(account: AccountStatus) -> str:
    run, due = account.today, account.due
    # A run that never starts reports nothing, so only its absence shows a dead timer.
    late = "; it is late: check that the timer or daemon is running" if account.is_late else ""
    if run is None:
        return f"the digest of {due} is due{late}" if due else "not yet due"
    why = f": {run.why}" if run.why else ""
    return f"{run.state}, {run.sent} of {run.messages} messages sent{why}"


def _waiting(account: AccountStatus) -> str:
    waiting = account.waiting
    if waiting is None:
        return "not read yet"
    at = waiting.as_of.astimezone(account.account.schedule.zone)
    orders = "1 order" if waiting.orders == 1 else f"{waiting.orders} orders"
    return f"{orders}, as of {at:%a %d %b at %H:%M}"


def _message_line(message: OutboxMessage) -> str:
    advice = _command(message)
    return (
        f"message {message.id} to {message.recipient} ({message.kind} of {message.day}) is "
        f"{message.state}: {message.receipt or 'not tried yet'}"
        f"{f'; {advice}' if advice else ''}"
    )


def _alarm_line(alarm: Alarm) -> str:
    return (
        f"alarm since {alarm.begun_at:%Y-%m-%d %H:%M} UTC: {alarm.cause.what}. {alarm.cause.remedy}"
    )


def _command(message: OutboxMessage) -> str | None:
    """Return the command for a person to run; None if the message needs none."""
    decision = _COMMANDS.get(message.state)
    return f"notifier outbox {decision} {message.id}" if decision else None


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    # Up to two days in hours, which avoids "1 days".
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h" if hours else f"{int(age.total_seconds() // 60)} min"


def _as_data(status: SystemStatus) -> dict[str, Any]:
    return {
        "good": status.is_good,
        "at": _iso(status.at),
        "accounts": [_account_data(account, status.at) for account in status.accounts],
        "messages": [_message_data(message) for message in status.messages],
        "alarms": [
            {
                "cause": alarm.cause.key,
                "since": _iso(alarm.begun_at),
                "what": str(alarm.cause.what),
                "remedy": str(alarm.cause.remedy),
            }
            for alarm in status.alarms
        ],
    }


def _account_data(account: AccountStatus, now: datetime) -> dict[str, Any]:
    good, today = account.last_good, account.today
    age = now - good.finished_at if good and good.finished_at else None
    return {
        "id": account.account.id,
        "name": account.account.name,
        "last_good_day": str(good.day) if good else None,
        "last_good_at": _iso(good.finished_at) if good else None,
        "last_good_age_seconds": int(age.total_seconds()) if age is not None else None,
        "today": str(today.state) if today else None,
        "today_why": today.why if today else None,
        "due_day": str(account.due) if account.due else None,
        "late": account.is_late,
        "waiting": account.waiting.orders if account.waiting else None,
        "waiting_as_of": _iso(account.waiting.as_of) if account.waiting else None,
        "next_due": _iso(account.next_at),
        "skipped_days": [str(day) for day in account.skipped],
    }


def _message_data(message: OutboxMessage) -> dict[str, Any]:
    return {
        "number": message.id,
        "kind": str(message.kind),
        "account": message.account_id or None,
        "day": str(message.day),
        "recipient": message.recipient,
        "state": str(message.state),
        "reply": message.receipt,
        "next_try_at": _iso(message.next_try_at),
        "command": _command(message),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
