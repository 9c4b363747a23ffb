"""`notifier daemon`: run continuously."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AbstractAsyncContextManager, nullcontext

import click

from notifier.cli.build_context import open_context, stopping
from notifier.cli.context import Invocation, pass_invocation
from notifier.domain.settings import Settings
from notifier.errors import ExitCode
from notifier.monitoring.systemd import Systemd
from notifier.services.context import Context
from notifier.services.daemon import AskHealth, Daemon
from notifier.shutdown import Stop


@click.command
@pass_invocation
def command(invocation: Invocation) -> int:
    """Run continuously: send digests on schedule, retry pending mail.

    Checks once a minute what is due, and whether the configuration changed. SIGTERM stops it
    within a minute, without losing anything; SIGHUP makes it check at once.
    """
    # By default, a SIGHUP that comes before the daemon handles it would end the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    invocation.log_steps(in_background=True)
    return asyncio.run(serve(invocation))


async def serve(invocation: Invocation) -> ExitCode:
    """Run the daemon until a signal asks it to stop."""
    # One for signals and for all contexts: a changed configuration opens a new context.
    stop = Stop()

    def opening(settings: Settings) -> AbstractAsyncContextManager[Context]:
        return open_context(settings, invocation.now, read_only=False, stop=stop)

    daemon = Daemon(
        invocation.config_watcher(),
        opening,
        open_servers,
        keep=invocation.keep,
        clock=invocation.now,
        stop=stop,
        systemd=Systemd(invocation.environ),
    )
    with stopping(stop, hangup=daemon.reload):
        await daemon.serve()
    return ExitCode.DONE


def open_servers(context: Context, ask: AskHealth) -> AbstractAsyncContextManager[None]:
    """Serve health and webhook while the block runs, if a socket is configured."""
    settings = context.settings
    if not (settings.health_listen or settings.webhook_listen):
        return nullcontext()
    # The web server takes 0.2 s to load, and most daemons need none.
    from notifier.web.app import listening  # noqa: PLC0415

    return listening(context, ask)
