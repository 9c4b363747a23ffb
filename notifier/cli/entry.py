"""The one place where errors become a line on standard error and an exit code."""

from __future__ import annotations

import io
import os
import sys

import click

from notifier.errors import NotifierError

COMPLETION = "_NOTIFIER_COMPLETE"

INTERRUPTED = 128 + 2
"""What a shell says of a program that SIGINT ended."""

USAGE = 2
"""Whatever click finds wrong with how it was called."""

OUTPUT_LOST = 74
"""EX_IOERR of sysexits.h, as for the store."""


def enter(command: click.Command) -> int:
    """Run `command` with the arguments of this process; returns its exit code.

    What completes words in a shell is click's own business.

    A bug keeps its traceback: it asks for a report, not for a shrug.
    """
    if COMPLETION in os.environ:
        command.main(prog_name="notifier")
    _make_printable()
    try:
        # Not `main()`: it answers a reader that went away with 1, which is our word for a bug.
        with command.make_context("notifier", sys.argv[1:]) as context:
            result = command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.ClickException, click.Abort, KeyboardInterrupt, OSError) as error:
        return _outer(error)
    except Exception as error:  # noqa: BLE001 - this is the door
        return _expected(error)
    return result if isinstance(result, int) else 0


def _outer(error: BaseException) -> int:
    """What has to do with the terminal: how we were called, interrupted, and whether we can print.

    Our adapters translate their neighbours' errors, so an OSError is about our own output.
    """
    match error:
        case click.ClickException():
            error.show()
            return USAGE
        case BrokenPipeError():
            # The reader went away (`notifier runs | head`); nobody is left to tell.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        case OSError():
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
            click.echo(f"The output cannot be written: {error.strerror}.", err=True)
            return OUTPUT_LOST
    click.echo("Interrupted.", err=True)
    return INTERRUPTED


def _make_printable() -> None:
    """Let no letter, and no closed input or output, end what a command does."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper) and mode == "w":
            stream.reconfigure(errors="backslashreplace")


def _expected(error: Exception) -> int:
    """Say what an error we know asks for; anything else goes on."""

    if not isinstance(error, NotifierError):
        raise error
    click.echo(str(error), err=True)
    return error.exit_code
