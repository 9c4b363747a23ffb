"""`notifier check`: a configuration without mistakes, told in the words of what it does."""

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
from notifier.cli.online_checks import try_logins
from notifier.config.warnings import find_warnings
from notifier.domain.recipients import Recipient
from notifier.domain.schedule import due
from notifier.domain.settings import Account, FileAccess, Settings, SmtpServer
from notifier.errors import ExitCode, gravest
from notifier.mail.check_templates import check_templates
from notifier.mail.lint import Severity
from notifier.mail.render import Renderer
from notifier.sources.file import display_name

WIDTH = 14
"""Of the column that says what a line is about."""


@click.command
@click.option("--online", is_flag=True, help="Log in to marketplace and mail server too.")
@pass_invocation
def command(invocation: Invocation, *, online: bool) -> int:
    """Find every mistake in the configuration; show who gets what, and when.

    With --online it also logs in to the marketplace, for one call an account, or reads the
    account's file, and logs in to the mail server; nothing is sent. Own templates are checked
    with example days.
    """
    settings = invocation.settings()
    tell(invocation, settings)
    if not online:
        return ExitCode.DONE

    return gravest(asyncio.run(try_logins(invocation, settings)))


def tell(invocation: Invocation, settings: Settings) -> None:
    """Print what a correct configuration means, and what in it deserves a second look."""

    file = config.locate(invocation.config_file, invocation.environ)
    invocation.echo(f"{file}: no mistakes.")
    for account in settings.accounts.values():
        _print(
            invocation, f'{account.name} (account "{account.id}")', _account(account, invocation)
        )
    _print(invocation, "All accounts", _shared(settings))
    for caution in (
        *_loose(file),
        *find_warnings(settings, invocation.now()),
        *_templates(settings, invocation.now()),
    ):
        invocation.warn(f"Look again: {caution}.")


def _print(invocation: Invocation, title: str, lines: Iterator[tuple[str, str]]) -> None:
    invocation.echo(f"\n{title}")
    for label, text in lines:
        invocation.echo(f"  {label:{WIDTH}}{text}")


def _account(account: Account, invocation: Invocation) -> Iterator[tuple[str, str]]:
    yield "sent", f"every day at {account.schedule.send_at:%H:%M}, {account.schedule.timezone}"
    yield "next", _next(account, invocation.now())
    yield "empty day", "a mail that says so" if account.when_empty == "send" else "no mail"
    yield "reads", _reads(account)
    yield "waits at", _place(account)
    for index, recipient in enumerate(account.recipients):
        yield "goes to" if index == 0 else "", _recipient(recipient)


def _next(account: Account, now: datetime) -> str:

    schedule = account.schedule
    task = due(schedule, now, {})
    at = task.next_at.astimezone(schedule.zone)
    last = schedule.ends(at.date()).astimezone(schedule.zone)
    until = f"{last:%H:%M}" if last.date() == at.date() else f"{last:%H:%M} the day after"
    told = f"{at:%A}, {at.day} {at:%B %Y, %H:%M}; if it cannot be sent then, until {until}"
    return f"now, unless it is done; then {told}" if task.day else told


def _reads(account: Account) -> str:

    if isinstance(account.access, FileAccess):
        return display_name(account.access)
    tests = ", test orders too" if account.access.test_orders else ""
    return f"{account.access.base_url}{tests}"


def _place(account: Account) -> str:
    if account.place is None:
        return "not said"
    place = account.place
    return ", ".join(filter(None, (place.name, place.address, place.opening_hours)))


def _recipient(recipient: Recipient) -> str:
    why = f'as a member of "{recipient.group}"' if recipient.group else "named itself"
    return f"{recipient.mailbox}, in {recipient.language}, {why}"


def _shared(settings: Settings) -> Iterator[tuple[str, str]]:
    sender = settings.sender
    yield "mail server", _server(settings.smtp)
    yield "from", str(sender.mailbox)
    yield "answers to", str(sender.reply_to)
    yield "bounces to", sender.envelope.address
    yield "failures to", str(sender.admin)
    yield "store", _without_password(settings.store.url)
    yield "kept for", f"{settings.store.retention.days} days after a mail is finished"
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
        for account in reversed([*settings.accounts.values()])
        for reader in account.recipients
    }
    for language, account in readers.items():
        for found in check_templates(renderer, account, settings.sender, now, language=language):
            if found.severity is not Severity.NOTE:
                yield f"digest.templates_dir, in {language}: {found}"


def _loose(file: Path) -> Iterator[str]:
    """Who else may change the configuration, and with it who gets the mail."""
    mode = file.stat().st_mode
    others = "every user" if mode & stat.S_IWOTH else "its group" if mode & stat.S_IWGRP else None
    if others:
        yield f"{file} may be changed by {others} of this machine; chmod go-w {file} ends that"
