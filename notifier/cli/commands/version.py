"""`notifier version`: show the version."""

from __future__ import annotations

import platform

import click

from notifier import __version__


@click.command
def command() -> None:
    """Show the version."""
    click.echo(f"notifier {__version__} (Python {platform.python_version()})")
