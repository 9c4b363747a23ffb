"""The configuration: found, read, and checked whole, with every problem at once.

Three things say what an option is, and the first that does counts: the environment (NOTIFIER_…),
the file, and for secrets $CREDENTIALS_DIRECTORY.

::

    schema       every option: type, limits, default, and one sentence
    values       what single values must look like
    options      finding one's way through the schema
    file         bytes, permissions, TOML            lines     on which line what stands
    environment  NOTIFIER_SMTP__PORT and the like    secrets   files that hold one secret each
    layers       who says what, and where            recipients, paths, orderfile   what the schema
                                                     cannot see
    problems     what is wrong, in words             parts     what becomes of it
    toml, fresh  writing values, and a whole new file
    last_good    what serves while the file is broken
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from notifier.config import last_good
from notifier.config.environment import from_environment, unknown_variables
from notifier.config.file import decoded, is_there, parsed, read_small
from notifier.config.layers import Layer, Layers
from notifier.config.orderfile import wrong_files
from notifier.config.parts import settings_from
from notifier.config.paths import wrong_paths
from notifier.config.problems import problems_of
from notifier.config.recipients import wrong_recipients
from notifier.config.schema import Configuration, fitted
from notifier.config.secrets import exposed, from_files, incomplete
from notifier.domain.settings import Settings
from notifier.errors import ConfigError, Problem
from notifier.services.config_watcher import LastGood

SYSTEM_FILE = Path("/etc/notifier/config.toml")
HERE = Path("config.toml")


def locate(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration to use: the one named, $NOTIFIER_CONFIG, ./config.toml, or the system's.

    What is named is taken at its word; `load` says whether it can be read.
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
    """Check a text that stands, or is to stand, at `path`; raises ConfigError as `load` does.

    `open_to_all` says that every user of the machine may read it there, so it may hold no secret.
    """
    return _settings(parsed(text, str(path)), path, environ, open_to_all=open_to_all)


def keep(path: Path, settings: Settings, *, environ: Mapping[str, str], good_at: datetime) -> None:
    """Keep what the file of these settings says, for the day on which it is broken.

    Nothing is kept when the file says something else by now.
    """
    with contextlib.suppress(ConfigError, ValueError):
        written = parsed(decoded(read_small(path).data, str(path)), str(path))
        if _settings(written, path, environ) == settings:
            last_good.keep(path, written, environ=environ, good_at=good_at)


def recall(path: Path, *, environ: Mapping[str, str]) -> LastGood | None:
    """The settings that `keep` kept, with today's secrets; None where they cannot be had."""
    found = last_good.recall(path, environ=environ)
    if found is None:
        return None
    written, good_at = found
    with contextlib.suppress(ConfigError):
        return LastGood(_settings(written, path, environ), good_at)
    return None


def _settings(
    written: Layer, path: Path, environ: Mapping[str, str], *, open_to_all: bool = False
) -> Settings:
    folder = path.absolute().parent
    environment = from_environment(environ, written.keys)
    said = Layers(str(path), (environment, written))
    secrets = from_files(said, environ, folder)
    layers = Layers(str(path), (secrets.layer, environment, written))
    configuration, misfits = _fitted(layers)
    problems = (
        *unknown_variables(environ, written.keys),
        *(exposed(written, path) if open_to_all else ()),
        *misfits,
        *secrets.problems,
        *incomplete(layers),
        *wrong_paths(layers, folder, environ),
        *wrong_files(layers, folder),
        *wrong_recipients(layers),
    )
    if configuration is None or problems:
        raise ConfigError(_in_order(problems))
    return settings_from(configuration, folder, environ)


def _fitted(layers: Layers) -> tuple[Configuration | None, tuple[Problem, ...]]:
    try:
        return fitted(layers), ()
    except ValidationError as error:
        return None, tuple(problems_of(error, layers))


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems by line; first what has none, as the environment is nearest to whoever calls."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0))
