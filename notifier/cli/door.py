"""The one place where errors become a line on standard error and an exit code."""

from __future__ import annotations

import os
import sys

import click

from notifier.errors import ExitCode, NotifierError


def enter(command: click.Command) -> int:
    """Run `command` with the arguments of this process; returns its exit code."""
    try:
        return _called(command)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return 128 + 2
    except NotifierError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`notifier runs | head`); nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE


def _called(command: click.Command) -> int:
    result = command.main(prog_name="notifier", standalone_mode=False)
    return result if isinstance(result, int) else ExitCode.DONE
