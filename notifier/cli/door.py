"""The one place where errors become a line on standard error and an exit code."""

from __future__ import annotations

import os
import sys

import click

COMPLETION = "_NOTIFIER_COMPLETE"

INTERRUPTED = 128 + 2
"""What a shell says of a program that SIGINT ended."""


def enter(command: click.Command) -> int:
    """Run `command` with the arguments of this process; returns its exit code.

    What completes words in a shell is click's own business.

    A bug keeps its traceback: it asks for a report, not for a shrug.
    """
    if COMPLETION in os.environ:
        command.main(prog_name="notifier")
    try:
        # Not `main()`: it answers a reader that went away with 1, which is our word for a bug.
        with command.make_context("notifier", sys.argv[1:]) as context:
            result = command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`notifier runs | head`); nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - this is the door
        return _expected(error)
    return result if isinstance(result, int) else 0


def _expected(error: Exception) -> int:
    """Say what an error we know asks for; anything else goes on."""
    from notifier.errors import NotifierError  # noqa: PLC0415 - keeps `notifier --help` fast

    if not isinstance(error, NotifierError):
        raise error
    click.echo(str(error), err=True)
    return error.exit_code
