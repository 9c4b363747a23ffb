"""`notifier daemon`: stay, and do by oneself what a timer would call for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from notifier.cli.context import Invocation, pass_invocation
from notifier.errors import ExitCode

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from notifier.domain.settings import Settings
    from notifier.services.context import Context


@click.command
@pass_invocation
def command(invocation: Invocation) -> int:
    """Stay, send each digest at its time, and try again what waits.

    Once a minute it looks at what is due, and at the configuration. SIGTERM ends it calmly, within
    a minute; SIGHUP makes it look at once.
    """
    import asyncio  # noqa: PLC0415 - keeps `notifier --help` fast
    import signal  # noqa: PLC0415

    # One that comes before we listen to it must not end us.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    invocation.tell_story(in_background=True)
    return asyncio.run(serve(invocation))


async def serve(invocation: Invocation) -> ExitCode:
    """Put the daemon together, and let it serve until a signal asks it to stop."""
    from notifier.cli.build_context import open_context  # noqa: PLC0415
    from notifier.cli.servers import open_servers  # noqa: PLC0415
    from notifier.cli.signals import stopping  # noqa: PLC0415
    from notifier.monitoring.systemd import Systemd  # noqa: PLC0415
    from notifier.services.daemon import Daemon  # noqa: PLC0415
    from notifier.shutdown import Stop  # noqa: PLC0415

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
