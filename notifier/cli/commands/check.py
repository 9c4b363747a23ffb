"""`notifier check`: check the configuration and show what it means."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from notifier import config
from notifier.cli.context import Invocation, pass_invocation
from notifier.config.values import WEEKDAYS
from notifier.config.warnings import find_warnings
from notifier.domain.reading import Failed, Incomplete
from notifier.domain.recipients import Recipient
from notifier.domain.schedule import Schedule, due
from notifier.domain.settings import Account, FileAccess, Settings, SmtpServer
from notifier.errors import ExitCode, NotifierError, gravest
from notifier.http import HttpClient
from notifier.mail.check_templates import check_templates
from notifier.mail.lint import Severity
from notifier.mail.render import Renderer
from notifier.smtp.connection import MailConnection
from notifier.sources.file import OrderFile, display_name
from notifier.sources.mall import Marketplace

LABEL_WIDTH = 14


@click.command
@click.option("--online", is_flag=True, help="Also log in to the marketplace and mail server.")
@pass_invocation
def command(invocation: Invocation, *, online: bool) -> int:
    """Find every mistake in the configuration; show who gets what, and when.

    Your own templates are tried with example digests. --online also logs in to the marketplace
    (one call per account), reads order files, and logs in to the mail server. Nothing is sent.
    """
    settings = invocation.settings()
    _show(invocation, settings)
    if not online:
        return ExitCode.DONE
    return gravest(asyncio.run(_try_logins(invocation, settings)))


def _show(invocation: Invocation, settings: Settings) -> None:
    """Print what a correct configuration means, and warn of what may be unintended."""
    file = config.locate(invocation.config_file, invocation.environ)
    invocation.echo(f"{file}: no mistakes.")
    for account in settings.accounts.values():
        title = f'{account.name} (account "{account.id}")'
        _print(invocation, title, _account(account, invocation.now()))
    _print(invocation, "All accounts", _shared(settings))
    for warning in (
        *_permissions(file),
        *find_warnings(settings, invocation.now()),
        *_templates(settings, invocation.now()),
    ):
        invocation.warn(f"Warning: {warning}.")


def _print(invocation: Invocation, title: str, lines: Iterator[tuple[str, str]]) -> None:
    invocation.echo(f"\n{title}")
    for label, text in lines:
        invocation.echo(f"  {label:{LABEL_WIDTH}}{text}")


def _account(account: Account, now: datetime) -> Iterator[tuple[str, str]]:
    schedule = account.schedule
    yield "sent", f"{_days(schedule)} at {schedule.send_at:%H:%M}, {schedule.timezone}"
    yield "next", _next(schedule, now)
    yield "if empty", "a mail that says so" if account.when_empty == "send" else "no mail"
    yield "reads", _reads(account)
    yield "collect at", _place(account)
    for index, recipient in enumerate(account.recipients):
        yield "goes to" if index == 0 else "", _recipient(recipient)


def _days(schedule: Schedule) -> str:
    days = [name for number, name in enumerate(WEEKDAYS) if number in schedule.weekdays]
    return "every day" if len(days) == len(WEEKDAYS) else ", ".join(days)


def _next(schedule: Schedule, now: datetime) -> str:
    task = due(schedule, now, {})
    at = task.next_at.astimezone(schedule.zone)
    last = schedule.ends(at.date()).astimezone(schedule.zone)
    until = f"{last:%H:%M}" if last.date() == at.date() else f"{last:%H:%M} the day after"
    slot = f"{at:%A}, {at.day} {at:%B %Y, %H:%M}, or as soon as possible until {until}"
    return f"now, unless already done; then {slot}" if task.day else slot


def _reads(account: Account) -> str:
    if isinstance(account.access, FileAccess):
        return display_name(account.access)
    tests = ", test orders too" if account.access.test_orders else ""
    return f"{account.access.base_url}{tests}"


def _place(account: Account) -> str:
    if account.place is None:
        return "not configured"
    place = account.place
    return ", ".join(filter(None, (place.name, place.address, place.opening_hours)))


def _recipient(recipient: Recipient) -> str:
    why = f'member of "{recipient.group}"' if recipient.group else "named directly"
    return f"{recipient.mailbox}, in {recipient.language}, {why}"


def _shared(settings: Settings) -> Iterator[tuple[str, str]]:
    sender = settings.sender
    yield "mail server", _server(settings.smtp)
    yield "from", str(sender.mailbox)
    yield "replies to", str(sender.reply_to)
    yield "bounces to", sender.envelope.address
    yield "alarms to", str(sender.admin)
    # Output of this command is often pasted into a request for help.
    yield "store", _without_password(settings.store.url)
    yield "mails kept", f"{settings.store.retention.days} days after delivery"
    if settings.templates_dir:
        yield "templates", str(settings.templates_dir)


def _server(smtp: SmtpServer) -> str:
    how = {"implicit": "TLS", "starttls": "STARTTLS", "none": "not encrypted, on this machine"}
    login = f"login {smtp.username}" if smtp.username else "no login"
    return f"{smtp.host}, port {smtp.port}, {how[smtp.tls]}, {login}"


def _without_password(url: str) -> str:
    return re.sub(r"(//[^/@:]*):[^/@]*@", r"\1:••••@", url.removeprefix("sqlite:///"))


def _templates(settings: Settings, now: datetime) -> Iterator[str]:
    """Report what is wrong with the operator's own templates, in each language of a recipient."""
    if not settings.templates_dir:
        return
    renderer = Renderer(settings.templates_dir)
    readers = {
        reader.language: account
        # Reversed, so that the first account with a language is the example for it.
        for account in reversed([*settings.accounts.values()])
        for reader in account.recipients
    }
    for language, account in readers.items():
        for found in check_templates(renderer, account, settings.sender, now, language=language):
            # `notifier preview --lint` shows notes.
            if found.severity is not Severity.NOTE:
                yield f"digest.templates_dir, in {language}: {found}"


def _permissions(file: Path) -> Iterator[str]:
    """Report who else may change the configuration, and so who gets the mail."""
    mode = file.stat().st_mode
    others = "every user" if mode & stat.S_IWOTH else "its group" if mode & stat.S_IWGRP else None
    if others:
        yield f"{others} may change {file}; run chmod go-w {file}"


async def _try_logins(invocation: Invocation, settings: Settings) -> list[ExitCode]:
    """Try each account and the mail server; return an exit code for each.

    All are tried, even if one fails.
    """
    invocation.echo("\nOnline")
    async with HttpClient() as http:
        # One after another, so that the lines appear in the sequence of the configuration.
        codes = [await _try_source(invocation, one, http) for one in settings.accounts.values()]
    return [*codes, await _try_mail(invocation, settings)]


async def _try_source(invocation: Invocation, account: Account, http: HttpClient) -> ExitCode:
    if isinstance(account.access, FileAccess):
        # Its warnings are printed below, with examples, so it need not log them.
        file = OrderFile(account.access, http, clock=invocation.now, warns=False)
        return await _try_file(invocation, account, file)
    return await _try_marketplace(invocation, account, http)


async def _try_file(invocation: Invocation, account: Account, file: OrderFile) -> ExitCode:
    reading = await file.read(())
    if isinstance(reading, Failed):
        invocation.warn(f"{account.name}: {reading.why}")
        return reading.error.exit_code
    counts = f"{reading.candidates} orders in {file.name}, {len(reading.orders)} waiting"
    invocation.echo(f"  {account.name}: {counts}")
    if states := file.diagnostics.state_counts():
        invocation.echo(f"  {account.name}: {states}")
    for doubt in file.diagnostics.warnings():
        invocation.warn(f"{account.name}: {doubt}")
    if isinstance(reading, Incomplete):
        invocation.warn(f"{account.name}: {reading.why}")
        return ExitCode.FAILED
    return ExitCode.DONE


async def _try_marketplace(invocation: Invocation, account: Account, http: HttpClient) -> ExitCode:
    marketplace = Marketplace(account.marketplace, http, clock=invocation.now)
    try:
        left = await marketplace.check_access()
    except NotifierError as error:
        invocation.warn(f"{account.name}: {error}")
        return error.exit_code
    calls = "" if left is None else f"; {left} API calls left"
    invocation.echo(f"  {account.name}: login to the marketplace works{calls}")
    return ExitCode.DONE


async def _try_mail(invocation: Invocation, settings: Settings) -> ExitCode:
    try:
        async with MailConnection(settings.smtp) as mail:
            await mail.open()
    except NotifierError as error:
        invocation.warn(str(error))
        return error.exit_code
    action = "login works" if settings.smtp.username else "connection works"
    invocation.echo(f"  {settings.smtp.host}: {action}; nothing was sent")
    return ExitCode.DONE
