"""The command line: each command parses its options, calls a service and prints the result.

Each command has a module in `commands/`, which is imported only when the command is called.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click

from notifier import __version__
from notifier.cli.entry import enter

# Kept here so that `notifier --help` need not import every command, which takes a second.
COMMANDS = {
    "init": "Write a commented config.toml from a few questions.",
    "check": "Find every mistake in the configuration; show who gets what, and when.",
    "run": "Send the digests that are due, and retry pending mail.",
    "daemon": "Run continuously: send digests on schedule, retry pending mail.",
    "explain": "Explain what is due when, why, and who gets it.",
    "status": "Show the overall status: last digests, next ones, and problems.",
    "preview": "Show today's digest without sending or recording anything.",
    "orders": "Show what is ready to return now, as a table, CSV or JSON.",
    "send-test": "Send a test mail to one of the configured addresses.",
    "runs": "List the runs: which days have a digest, and how each run ended.",
    "outbox": "List the messages, their states and the mail server's replies.",
    "doctor": "Examine configuration, clock, files and store; explain what is wrong.",
    "adopt": "Take over a store that was copied, moved or restored from a backup.",
    "demo": "Try the notifier on this machine, with a simulated marketplace.",
    "simulator": "Run a simulated marketplace, for tests.",
    "version": "Show the version.",
}

DEMO_LIBRARY = "aiosmtpd"

EPILOG = """\b
First steps:
  notifier demo             see the mail it sends; needs no configuration
  notifier init             write config.toml
  notifier check --online   try the logins; send nothing
  notifier run --now        send today's digest
\b
Exit codes: 0 done or nothing due; 1 a bug; 2 wrong command line; 3 something
failed; 74 the store cannot be used; 75 try later; 77 access refused, a person
must act; 78 wrong configuration.
"""


class LazyGroup(click.Group):
    """A group of commands, each imported only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return the command of that name; None if there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        try:
            module = import_module(f"notifier.cli.commands.{cmd_name.replace('-', '_')}")
        # The demo needs a mail server that only the extra `demo` installs.
        except ModuleNotFoundError as error:
            if error.name != DEMO_LIBRARY:  # a broken installation, not an extra left out
                raise
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
        """List the commands with the help in COMMANDS."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    help="Configuration file. Default: $NOTIFIER_CONFIG, else ./config.toml, else "
    "/etc/notifier/config.toml.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log every step.")
@click.version_option(__version__, message="notifier %(version)s")
@click.pass_context
def cli(ctx: click.Context, config_file: str | None, *, verbose: bool) -> None:
    """Mail a MALL seller every day which returned parcels wait to be collected.

    Parcels that a buyer does not collect go back to a branch, where the seller must collect them.
    The notifier reads the marketplace once a day and sends one digest per seller account: what
    is new, what is still waiting, and what has been collected since.
    """
    # Imported here because `notifier --help` must stay fast, and never gets here.
    from notifier.cli.context import Invocation  # noqa: PLC0415

    # A script with an unset variable passes this; falling back on another file would hide it.
    if config_file == "":
        raise click.BadParameter("is empty; name a file, or omit it", param_hint="--config")
    ctx.obj = Invocation(Path(config_file) if config_file else None, verbose=verbose)
    if verbose:
        ctx.obj.log_steps()


def main() -> None:
    """Run the command `notifier`."""
    sys.exit(enter(cli))
