"""The configuration: found, read, and checked whole, with every problem at once.

Three things say what an option is, and the first that does counts: the environment (NOTIFIER_…),
the file, and for secrets $CREDENTIALS_DIRECTORY.

::

    schema       every option: type, limits, default, and one sentence
    values       what single values must look like
    options      finding one's way through the schema
    file         bytes, permissions, TOML            lines     on which line what stands
    environment  NOTIFIER_SMTP__PORT and the like    secrets   files that hold one secret each
    layers       who says what, and where            recipients, paths   what the schema cannot see
    problems     what is wrong, in words             parts     what becomes of it
    toml, fresh  writing values, and a whole new file
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from notifier.config.environment import from_environment, unknown_variables
from notifier.config.file import decoded, is_there, parsed, read_small
from notifier.config.layers import Layers
from notifier.config.parts import settings_from
from notifier.config.paths import wrong_paths
from notifier.config.problems import problems_of
from notifier.config.recipients import wrong_recipients
from notifier.config.schema import Configuration, fitted
from notifier.config.secrets import exposed, from_files, incomplete
from notifier.errors import ConfigError, Problem
from notifier.parts import Settings

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
    written = parsed(text, str(path))
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
