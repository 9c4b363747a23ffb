"""`notifier doctor`: look at everything a run needs, explain what is wrong, change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from notifier import config
from notifier.cli.context import Invocation, pass_invocation
from notifier.cli.machine_checks import clock, files, order_files, time_zones
from notifier.config.build import likely_store
from notifier.config.warnings import find_warnings
from notifier.domain.findings import Finding, exit_code, ok, problem, warning
from notifier.domain.settings import Settings
from notifier.errors import ConfigError, ExitCode
from notifier.store.examination import examine

ANY_ZONE = "Europe/Prague"
"""Asked for where no configuration names one."""


@click.command
@click.option("--integrity", is_flag=True, help="Read every page of a SQLite store.")
@pass_invocation
def command(invocation: Invocation, *, integrity: bool) -> int:
    """Examine configuration, clock, files and store; explain what is wrong.

    One line for each finding: ok, warning or problem, what was found, and what to do. It changes
    nothing, and works with a broken configuration and a broken store. The exit code is that of
    the gravest problem.
    """

    findings = []
    for finding in _examine_all(invocation, integrity=integrity):
        invocation.echo(str(finding))
        findings.append(finding)
    return exit_code(findings)


def _examine_all(invocation: Invocation, *, integrity: bool) -> Iterator[Finding]:

    path = config.locate(invocation.config_file, invocation.environ)
    settings, found = _configuration(path, invocation)
    yield from found
    yield from files(path)
    if settings:
        yield from order_files(settings.accounts.values(), invocation.now())
    yield from clock(invocation.now())
    yield from time_zones(_zones(settings))
    location = settings.store if settings else likely_store(path, invocation.environ)
    yield from examine(location, invocation.now(), thoroughly=integrity)


def _configuration(
    path: Path, invocation: Invocation
) -> tuple[Settings | None, tuple[Finding, ...]]:

    try:
        settings = config.load(path, environ=invocation.environ)
    except ConfigError as error:
        wrong = (problem(str(one), code=ExitCode.CONFIG) for one in error.problems)
        return None, tuple(wrong)
    doubts = (warning(caution) for caution in find_warnings(settings, invocation.now()))
    return settings, (ok(f"{path}: no mistakes"), *doubts)


def _zones(settings: Settings | None) -> list[str]:
    if settings is None:
        return [ANY_ZONE]
    return sorted({account.schedule.timezone for account in settings.accounts.values()})
