"""The one place where an error becomes a message on standard error and an exit code."""

from __future__ import annotations

import io
import os
import sys

import click

from notifier.errors import NotifierError

COMPLETION = "_NOTIFIER_COMPLETE"
"""Environment variable by which a shell asks click for completions."""

INTERRUPTED = 128 + 2
"""Exit code that shells use for SIGINT."""

USAGE = 2
"""Exit code for a wrong command line."""

OUTPUT_LOST = 74
"""EX_IOERR of sysexits.h, as for the store."""


def enter(command: click.Command) -> int:
    """Run `command` with the arguments of this process and return its exit code.

    A bug keeps its traceback, for the report.
    """
    # click answers the shell itself and ends the process.
    if COMPLETION in os.environ:
        command.main(prog_name="notifier")
    _make_streams_safe()
    try:
        # Not `main()`: that returns 1, our code for a bug, when the reader of a pipe is gone.
        with command.make_context("notifier", sys.argv[1:]) as context:
            result = command.invoke(context)
        # A full disk shows only when the buffer is written, and the exit code must report it.
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.ClickException, click.Abort, KeyboardInterrupt, OSError) as error:
        return _terminal_error(error)
    except NotifierError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    return result if isinstance(result, int) else 0


def _terminal_error(error: BaseException) -> int:
    """Report a wrong command line, an interruption, or output that cannot be written.

    Adapters translate the errors of files and sockets, so an OSError is about our own output.
    """
    match error:
        case click.ClickException():
            error.show()
            return USAGE
        case BrokenPipeError():
            # The reader is gone (`notifier runs | head`); Python's flush at exit must not fail.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        case OSError():
            # Python flushes standard output once more at exit, which would fail again with a
            # traceback.
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
            click.echo(f"The output cannot be written: {error.strerror}.", err=True)
            return OUTPUT_LOST
    click.echo("Interrupted.", err=True)
    return INTERRUPTED


def _make_streams_safe() -> None:
    """Replace closed streams, and let characters that cannot be encoded be printed escaped."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        # Python leaves a stream None if its descriptor is closed (`notifier status >&-`).
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper) and mode == "w":
            # In an ASCII locale, a product's title must not end the run.
            stream.reconfigure(errors="backslashreplace")
