"""The command line: parse, call a service, show.

Each command has a file of its own in `commands/`, imported only when it is called.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click

from notifier import __version__
from notifier.cli.entry import enter

# One line each, so that `notifier --help` imports no command; a test compares them with the
# commands' own help.
COMMANDS = {
    "init": "Write a commented config.toml from a few questions.",
    "check": "Find every mistake in the configuration; show who gets what, and when.",
    "run": "Send the digests that are due, and the messages that wait in the outbox.",
    "daemon": "Run continuously: send digests on schedule, retry pending mail.",
    "explain": "Explain what is due when and why, and who gets it; changes nothing.",
    "status": "Show the overall status: last digests, what is next, what is wrong.",
    "preview": "Show today's digest without sending or recording anything.",
    "orders": "Show what is ready to return now, as a table, CSV or JSON.",
    "send-test": "Send a test mail to one of the configured addresses.",
    "runs": "Show the run ledger: which days were done, and how.",
    "outbox": "Show the messages, their states and the mail server's replies.",
    "doctor": "Examine configuration, clock, files and store; explain what is wrong.",
    "adopt": "Take over a store that was copied, moved or restored from a backup.",
    "demo": "Try everything out on this machine, with a simulated marketplace.",
    "simulator": "Serve a simulated marketplace on a port.",
    "version": "Show the version.",
}

EPILOG = """\b
First steps:
  notifier demo             see the mail it sends, without any set-up
  notifier init             write config.toml
  notifier check --online   try the credentials; sends nothing
  notifier run --now        send today's digest
\b
Exit codes: 0 done or nothing due; 1 a bug; 2 command line; 3 something failed;
74 store; 75 try later; 77 refused, a person must act; 78 configuration.
"""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order a newcomer meets them, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        try:
            module = import_module(f"notifier.cli.commands.{cmd_name.replace('-', '_')}")
        except ModuleNotFoundError as error:
            raise click.UsageError(
                f'`notifier {cmd_name}` needs "{error.name}", which is not installed: '
                "pip install 'ready-to-return-notifier[demo]'"
            ) from None
        command: click.Command = module.command
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands from the table above instead of importing each."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    help="Configuration. Default: $NOTIFIER_CONFIG, ./config.toml, /etc/notifier/config.toml.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log every step.")
@click.version_option(__version__, message="notifier %(version)s")
@click.pass_context
def cli(ctx: click.Context, config_file: str | None, *, verbose: bool) -> None:
    """Tell a MALL seller every day which uncollected parcels wait to be picked up.

    Parcels that a buyer does not collect come back and wait for the seller at a branch. The
    notifier reads the marketplace once a day and mails one digest per seller account: what is
    new, what still waits, and what was collected since.
    """
    # Loaded with the command by now; `notifier --help` never comes here.
    from notifier.cli.context import Invocation  # noqa: PLC0415

    if config_file == "":
        raise click.BadParameter("is empty; name a file, or leave it out", param_hint="--config")
    ctx.obj = Invocation(Path(config_file) if config_file else None, verbose=verbose)
    if verbose:
        ctx.obj.tell_story()


def main() -> None:
    """Entry point of the command `notifier`."""
    sys.exit(enter(cli))
