"""`notifier doctor`: look at everything a run needs, explain what is wrong, change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from notifier.cli.context import Invocation, pass_invocation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from notifier.domain.findings import Finding
    from notifier.domain.settings import Settings, StoreLocation

ANY_ZONE = "Europe/Prague"
"""Asked for where no configuration names one."""


@click.command
@click.option("--integrity", is_flag=True, help="Read every page of a SQLite store.")
@pass_invocation
def command(invocation: Invocation, *, integrity: bool) -> int:
    """Look at configuration, clock, files and store; explain what is wrong.

    One line for each finding: ok, warning or problem, what was found, and what to do. It changes
    nothing, and works with a broken configuration and a broken store. The exit code is that of
    the gravest problem.
    """
    from notifier.domain.findings import exit_code  # noqa: PLC0415 - keeps `notifier --help` fast

    findings = []
    for finding in _examine_all(invocation, integrity=integrity):
        invocation.echo(str(finding))
        findings.append(finding)
    return exit_code(findings)


def _examine_all(invocation: Invocation, *, integrity: bool) -> Iterator[Finding]:
    from notifier import config  # noqa: PLC0415
    from notifier.cli.machine_checks import clock, files, order_files, time_zones  # noqa: PLC0415
    from notifier.store.examination import examine  # noqa: PLC0415

    path = config.locate(invocation.config_file, invocation.environ)
    settings, found = _configuration(path, invocation)
    yield from found
    yield from files(path)
    if settings:
        yield from order_files(settings.accounts.values(), invocation.now())
    yield from clock(invocation.now())
    yield from time_zones(_zones(settings))
    location = settings.store if settings else _likely_store(path, invocation.environ)
    yield from examine(location, invocation.now(), thoroughly=integrity)


def _configuration(
    path: Path, invocation: Invocation
) -> tuple[Settings | None, tuple[Finding, ...]]:
    from notifier import config  # noqa: PLC0415
    from notifier.config.cautions import cautions  # noqa: PLC0415
    from notifier.domain.findings import ok, problem, warning  # noqa: PLC0415
    from notifier.errors import ConfigError, ExitCode  # noqa: PLC0415

    try:
        settings = config.load(path, environ=invocation.environ)
    except ConfigError as error:
        wrong = (problem(str(one), code=ExitCode.CONFIG) for one in error.problems)
        return None, tuple(wrong)
    doubts = (warning(caution) for caution in cautions(settings, invocation.now()))
    return settings, (ok(f"{path}: no mistakes"), *doubts)


def _zones(settings: Settings | None) -> list[str]:
    if settings is None:
        return [ANY_ZONE]
    return sorted({account.schedule.timezone for account in settings.accounts.values()})


def _likely_store(path: Path, environ: Mapping[str, str]) -> StoreLocation:
    """Where the store is, as far as a configuration tells that cannot be used as a whole."""
    from notifier.config.environment import from_environment  # noqa: PLC0415
    from notifier.config.file import decoded, parsed, read_small  # noqa: PLC0415
    from notifier.config.layers import Layer, Layers  # noqa: PLC0415
    from notifier.config.parts import store_file  # noqa: PLC0415
    from notifier.domain.settings import StoreLocation  # noqa: PLC0415
    from notifier.errors import ConfigError  # noqa: PLC0415

    try:
        written = parsed(decoded(read_small(path).data, str(path)), str(path))
    except (ConfigError, ValueError):
        written = Layer({}, {})
    said = Layers(str(path), (from_environment(environ, written.keys), written))
    url, named, identity = (said.find(("store", key)) for key in ("url", "path", "identity"))
    if not isinstance(url, str):
        file = store_file(
            named if isinstance(named, str) else None, path.absolute().parent, environ
        )
        url = f"sqlite:///{file}"
    return StoreLocation(url, identity=identity if isinstance(identity, str) else None)
