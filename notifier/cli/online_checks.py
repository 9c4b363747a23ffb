"""Try the logins of a configuration: `notifier check --online`. Nothing is sent or recorded."""

from __future__ import annotations

from notifier.cli.context import Invocation
from notifier.domain.reading import Failed, Incomplete
from notifier.domain.settings import Account, FileAccess, Settings
from notifier.errors import ExitCode, NotifierError
from notifier.http import HttpClient
from notifier.smtp.connection import MailConnection
from notifier.sources.file import OrderFile
from notifier.sources.mall import Marketplace


async def try_logins(invocation: Invocation, settings: Settings) -> list[ExitCode]:
    """Ask the marketplace one question per account, and log in to the mail server.

    One that fails does not keep us from the others. Gives an exit code for each.
    """
    invocation.echo("\nOnline")
    async with HttpClient() as http:
        codes = [await _source(invocation, account, http) for account in settings.accounts.values()]
    return [*codes, await _mail(invocation, settings)]


async def _source(invocation: Invocation, account: Account, http: HttpClient) -> ExitCode:
    if isinstance(account.access, FileAccess):
        file = OrderFile(account.access, http, clock=invocation.now, warns=False)
        return await _file(invocation, account, file)
    return await _marketplace(invocation, account, http)


async def _file(invocation: Invocation, account: Account, file: OrderFile) -> ExitCode:
    reading = await file.read(())
    if isinstance(reading, Failed):
        invocation.warn(f"{account.name}: {reading.why}")
        return reading.error.exit_code
    told = f"{reading.candidates} orders in {file.name}, {len(reading.orders)} of them wait"
    invocation.echo(f"  {account.name}: {told}")
    if states := file.diagnostics.state_counts():
        invocation.echo(f"  {account.name}: {states}")
    for doubt in file.diagnostics.warnings():
        invocation.warn(f"{account.name}: {doubt}")
    if isinstance(reading, Incomplete):
        invocation.warn(f"{account.name}: {reading.why}")
        return ExitCode.FAILED
    return ExitCode.DONE


async def _marketplace(invocation: Invocation, account: Account, http: HttpClient) -> ExitCode:
    marketplace = Marketplace(account.marketplace, http, clock=invocation.now)
    try:
        left = await marketplace.check_access()
    except NotifierError as error:
        invocation.warn(f"{account.name}: {error}")
        return error.exit_code
    calls = "" if left is None else f"; {left} calls left in its limit"
    invocation.echo(f"  {account.name}: the marketplace lets us in{calls}")
    return ExitCode.DONE


async def _mail(invocation: Invocation, settings: Settings) -> ExitCode:
    try:
        async with MailConnection(settings.smtp) as mail:
            await mail.open()
    except NotifierError as error:
        invocation.warn(str(error))
        return error.exit_code
    invocation.echo(f"  {settings.smtp.host}: the mail server lets us in; nothing was sent")
    return ExitCode.DONE
