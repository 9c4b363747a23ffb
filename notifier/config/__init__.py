"""The configuration: found, read, and checked whole, with every problem reported at once.

Three sources set an option, and the first that does wins: the environment (NOTIFIER_…), the file,
and for secrets a file of their own or $CREDENTIALS_DIRECTORY.

::

    schema       every option: type, limits, default, description; merging the sources
    values       checks of single values
    options      every option as a list, the one at a path, and the schema's errors in words
    toml         line numbers of a TOML text, and writing values
    file         reading, parsing and writing config.toml
    environment  options from variables
    secrets      files that hold one secret
    layers       the values of each source, and where they were written
    checks, recipients   what the schema cannot check
    build        from options to settings
    warnings     valid options that may be unintended
    last_good    a copy to use while the file is broken
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from notifier.config import last_good
from notifier.config.build import settings_from
from notifier.config.checks import incomplete, wrong_order_files, wrong_paths
from notifier.config.environment import from_environment, unknown_variables
from notifier.config.file import decoded, is_there, parsed, read_small
from notifier.config.layers import Layers
from notifier.config.options import problems_of
from notifier.config.recipients import wrong_recipients
from notifier.config.schema import Configuration
from notifier.config.secrets import exposed, from_files
from notifier.domain.settings import Settings
from notifier.errors import ConfigError, Problem
from notifier.services.config_watcher import LastGood

SYSTEM_FILE = Path("/etc/notifier/config.toml")
HERE = Path("config.toml")


def locate(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the file to use: the one named, $NOTIFIER_CONFIG, ./config.toml, or the system's.

    A file that is named need not exist; `load` reports that.
    """
    if explicit is not None:
        return explicit
    if named := environ.get("NOTIFIER_CONFIG"):
        return Path(named)
    return SYSTEM_FILE if is_there(SYSTEM_FILE) and not is_there(HERE) else HERE


def load(path: Path, *, environ: Mapping[str, str]) -> Settings:
    """Read and check the configuration; raises ConfigError with everything that is wrong."""
    try:
        content = read_small(path)
    except ValueError as error:
        advice = "; write one with `notifier init`, or name another with --config"
        message = f"{error}{'' if is_there(path) else advice}"
        raise ConfigError((Problem(str(path), None, "", message),)) from None
    text = decoded(content.data, str(path))
    return parse(text, path, environ=environ, open_to_all=content.open_to_all)


def parse(
    text: str, path: Path, *, environ: Mapping[str, str], open_to_all: bool = False
) -> Settings:
    """Check the text of a file at `path`, written or not; raises ConfigError as `load` does.

    `open_to_all` says that every user of the machine may read the file, so that no secret may be
    in it.
    """
    # The keys of the file come first: variables can change its accounts and groups, but add none.
    written = parsed(text, str(path))
    folder = path.absolute().parent
    environment = from_environment(environ, written.keys)
    # Before the schema, which then checks a secret like any value, wherever it comes from.
    secrets, wrong_secrets = from_files(Layers(str(path), (environment, written)), environ, folder)
    layers = Layers(str(path), (secrets, environment, written))
    configuration, misfits = _checked(layers)
    # Every check runs, even after another has failed, so that one edit can mend everything.
    problems = (
        *unknown_variables(environ, written.keys),
        *(exposed(written, path) if open_to_all else ()),
        *misfits,
        *wrong_secrets,
        *incomplete(layers),
        *wrong_paths(layers, folder, environ),
        *wrong_order_files(layers, folder),
        *wrong_recipients(layers),
    )
    if configuration is None or problems:
        raise ConfigError(_in_order(problems))
    return settings_from(configuration, folder, environ)


def _checked(layers: Layers) -> tuple[Configuration | None, tuple[Problem, ...]]:
    try:
        return Configuration.from_sources(*(layer.tree for layer in layers.layers)), ()
    except ValidationError as error:
        return None, tuple(problems_of(error, layers))


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort by line; those of the environment, without one, are nearest to the caller."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0))


def keep(path: Path, settings: Settings, *, environ: Mapping[str, str], good_at: datetime) -> None:
    """Keep a copy of the file with these settings, unless it has changed since."""
    # An editor may have changed the file since it was loaded; a copy of that is not known to work.
    with contextlib.suppress(ConfigError, ValueError):
        data = read_small(path).data
        if parse(decoded(data, str(path)), path, environ=environ) == settings:
            last_good.keep(path, data, environ=environ, good_at=good_at)


def recall(path: Path, *, environ: Mapping[str, str]) -> LastGood | None:
    """Return the settings of the copy, with today's environment and files of secrets."""
    if (copy := last_good.recall(path, environ=environ)) is None:
        return None
    data, good_at = copy
    # The copy was good with the environment of its day, but may not be with today's.
    with contextlib.suppress(ConfigError):
        return LastGood(parse(decoded(data, str(path)), path, environ=environ), good_at)
    return None
