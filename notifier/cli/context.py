"""What every command is given: where the configuration is, the environment, and the clock."""

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
    """One call of the command line."""

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
        """The time, aware and in UTC; the demo plays it."""

        return self._clock() if self._clock else datetime.now(UTC)

    def person(self) -> str:
        """Who calls, for the audit trail: the person behind `sudo`, or the login name."""

        try:
            return self.environ.get("SUDO_USER") or getpass.getuser()
        except (KeyError, OSError):  # no name for this user, as in a container
            return f"uid {os.getuid()}"

    def settings(self) -> Settings:
        """Find and read the configuration; raises ConfigError with every problem."""

        return config.load(config.locate(self.config_file, self.environ), environ=self.environ)

    def config_watcher(self) -> ConfigWatcher:
        """Watch the file, with the copy of the last good one for the days it is broken."""

        file = config.locate(self.config_file, self.environ)
        load = partial(config.load, file, environ=self.environ)
        recall = partial(config.recall, file, environ=self.environ)
        return ConfigWatcher(load, recall, self.now)

    def keep(self, settings: Settings) -> None:
        """Keep a copy of a configuration that worked, for the days on which it is broken."""

        file = config.locate(self.config_file, self.environ)
        config.keep(file, settings, environ=self.environ, good_at=self.now())

    def tell_story(self, *, in_background: bool = False) -> None:
        """Log the steps: sentences for a person, JSON lines under systemd."""

        level = logging.DEBUG if self.verbose else logging.INFO
        as_json = "INVOCATION_ID" in self.environ
        logs.configure(level, as_json=as_json, in_background=in_background)

    def echo(self, text: str = "") -> None:
        """Print for a person."""
        click.echo(text)

    def warn(self, text: str) -> None:
        """Print what asks a person to act, on standard error."""
        click.echo(text, err=True)


pass_invocation = click.make_pass_decorator(Invocation)
