"""The invocation that every command gets: configuration file, environment and clock."""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from notifier import config, logs
from notifier.domain.settings import Settings
from notifier.services.config_watcher import ConfigWatcher


class Invocation:
    """One call of the program. Tests and the demo pass their own `clock` and `environ`."""

    def __init__(
        self,
        config_file: Path | None,
        *,
        verbose: bool = False,
        clock: Callable[[], datetime] | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.config_file = config_file
        self.verbose = verbose
        self._clock = clock
        self.environ = environ

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""
        # UTC, because the difference of two local times ignores a change of clocks between them.
        return self._clock() if self._clock else datetime.now(UTC)

    def person(self) -> str:
        """Return the user's name for the audit trail; with `sudo`, of the user who called it."""
        try:
            return self.environ.get("SUDO_USER") or getpass.getuser()
        # The user has no name, as in a container.
        except (KeyError, OSError):
            return f"uid {os.getuid()}"

    def settings(self) -> Settings:
        """Find and read the configuration; raises ConfigError with every problem."""
        return config.load(config.locate(self.config_file, self.environ), environ=self.environ)

    def config_watcher(self) -> ConfigWatcher:
        """Return a watcher of the file, which falls back on the last good copy."""
        file = config.locate(self.config_file, self.environ)
        load = partial(config.load, file, environ=self.environ)
        recall = partial(config.recall, file, environ=self.environ)
        return ConfigWatcher(load, recall, self.now)

    def keep(self, settings: Settings) -> None:
        """Keep a copy of a configuration that worked, in case the file gets broken."""
        file = config.locate(self.config_file, self.environ)
        config.keep(file, settings, environ=self.environ, good_at=self.now())

    def log_steps(self, *, in_background: bool = False) -> None:
        """Log each step: as sentences or, under systemd, as JSON lines."""
        level = logging.DEBUG if self.verbose else logging.INFO
        # systemd sets this variable for each start of a unit (systemd.exec(5)).
        as_json = "INVOCATION_ID" in self.environ
        logs.configure(level, as_json=as_json, in_background=in_background)

    def echo(self, text: str = "") -> None:
        """Print a result on standard output."""
        click.echo(text)

    def warn(self, text: str) -> None:
        """Print a warning on standard error."""
        # Apart from results, so that a program can read standard output.
        click.echo(text, err=True)


pass_invocation = click.make_pass_decorator(Invocation)
