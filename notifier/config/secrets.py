"""Secrets: where each may come from, and who may read it.

A secret is written in the configuration, in a file of its own that the configuration names, or in
systemd's $CREDENTIALS_DIRECTORY.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from notifier.config.environment import variable
from notifier.config.file import is_there, read_small
from notifier.config.layers import Layer, Layers, Place, Tree, put
from notifier.config.toml import Where, dotted
from notifier.config.values import is_web_location, shown_path
from notifier.errors import Problem

# Credentials can be long, but a file beyond this is not one line with a secret.
LARGEST = 8 * 1024
DATABASE: Where = ("store", "url")

_NAMES = {
    "password": "password",
    "client_id": "client id",
    "webhook_token": "token",
    "pickup_password": "pickup password",
    "location": "address",
}
"""Options that hold a secret, and what messages call it."""
SECRET_FILE_OPTIONS = frozenset(f"{option}_file" for option in _NAMES)


@dataclass(frozen=True, slots=True)
class _SecretOption:
    """The option of a secret, and the names it may have in $CREDENTIALS_DIRECTORY."""

    option: Where
    credentials: tuple[str, ...]


def client_id(account: str) -> Where:
    """Return the option of an account's API credential."""
    return ("accounts", account, "client_id")


def location(account: str) -> Where:
    """Return the option with the location of an account's order file."""
    return ("accounts", account, "file", "location")


def reads_file(account: str, layers: Layers) -> bool:
    """Whether an account reads an order file instead of the marketplace."""
    return isinstance(layers.find(location(account)[:-1]), dict)


def file_option(option: Where) -> Where:
    """Return the option that names the file of a secret."""
    return (*option[:-1], f"{option[-1]}_file")


def _secrets(layers: Layers) -> Iterator[_SecretOption]:
    """Yield every secret that these accounts can have."""
    yield _SecretOption(("smtp", "password"), ("smtp-password",))
    accounts = layers.keys("accounts")
    for account in accounts:
        table = ("accounts", account)
        named = []
        if reads_file(account, layers):
            yield _SecretOption(location(account), (f"location-{account}",))
        else:
            named += [client_id(account), (*table, "webhook_token")]
        if isinstance(layers.find((*table, "place")), dict):
            named.append((*table, "place", "pickup_password"))
        for option in named:
            name = str(option[-1]).replace("_", "-")
            short = (name,) if len(accounts) == 1 else ()  # the account is unambiguous
            yield _SecretOption(option, (f"{name}-{account}", *short))


def from_files(
    layers: Layers, environ: Mapping[str, str], folder: Path
) -> tuple[Layer, tuple[Problem, ...]]:
    """Read the file of each secret whose value is not written in `layers`.

    A file named in the environment takes precedence over a value in the configuration, like any
    other variable. $CREDENTIALS_DIRECTORY comes last.
    """
    tree: Tree = {}
    places: dict[Where, Place] = {}
    problems: list[Problem] = []
    for secret in _secrets(layers):
        match _found(secret, layers, environ, folder):
            case Problem() as problem:
                problems.append(problem)
            case (Path() as file, str() as text):
                put(tree, secret.option, text)
                places[secret.option] = Place(str(file))
    return Layer(tree, places), tuple(problems)


def _found(
    secret: _SecretOption, layers: Layers, environ: Mapping[str, str], folder: Path
) -> tuple[Path, str] | Problem | None:
    """Return a secret's file and its text; None if there is a value in `layers`, or no secret."""
    in_file = file_option(secret.option)
    # Layer by layer, because a file named by a variable wins over a value written in the file.
    for layer in layers.layers:
        inline, named = layer.find(secret.option), layer.find(in_file)
        if inline is not None and named is not None:
            message = f"is set as well as {secret.option[-1]}; keep one of the two"
            return layers.problem(in_file, message)
        # The schema reports an empty name.
        if isinstance(named, str) and named.strip():
            return _named(folder / named, secret.option, layers)
        if inline is not None or named is not None:
            return None
    return _credential(secret, environ)


def _named(file: Path, option: Where, layers: Layers) -> tuple[Path, str] | Problem:
    try:
        return file, _secret_in(file, private=True)
    except ValueError as error:
        message = f"{shown_path(file)} {error}"
        if not is_there(file):
            message += (
                f"; write the {_NAMES[str(option[-1])]} into it, and nothing else, and run "
                f"{_chmod(file)}; or set {variable(option)} instead"
            )
        return layers.problem(file_option(option), message)


def _credential(
    secret: _SecretOption, environ: Mapping[str, str]
) -> tuple[Path, str] | Problem | None:
    """Look for a file of LoadCredential=; systemd protects the directory, not the file's mode."""
    if not (directory := environ.get("CREDENTIALS_DIRECTORY")):
        return None
    files = (Path(directory, name) for name in secret.credentials)
    file = next(filter(is_there, files), None)
    if file is None:
        return None
    try:
        return file, _secret_in(file, private=False)
    except ValueError as error:
        return Problem(str(file), None, dotted(secret.option), str(error))


def _secret_in(file: Path, *, private: bool) -> str:
    """Read the one line of a secret's file; raises ValueError that shows none of it."""
    content = read_small(file, LARGEST)
    if private and content.open_to_all:
        raise ValueError(f"is open to every user of this machine; run {_chmod(file)}")
    try:
        # Only line breaks: blanks at the end may belong to a password.
        text = content.data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text; it must hold the secret and nothing else") from None
    if not text.strip():
        raise ValueError("is empty; write the secret into it, and nothing else")
    if not text.isprintable():
        raise ValueError("has more than one line; it must hold the secret and nothing else")
    return text


def exposed(written: Layer, file: Path) -> Iterator[Problem]:
    """Find the first secret written in a file that every user of this machine may read."""
    layers = Layers(str(file), (written,))
    options = [secret.option for secret in _secrets(layers)]
    inside = [option for option in options if _is_secret(option, written.find(option))]
    if _has_password(written.find(DATABASE)):
        inside.append(DATABASE)
    # One chmod mends all of them, so the first is enough.
    if inside:
        message = "is a secret in a file that is open to every user of this machine"
        yield layers.problem(inside[0], f"{message}; run {_chmod(file)}")


def _is_secret(option: Where, value: object) -> bool:
    """Treat a location as secret only if it is a web address, which is enough to read orders."""
    if option[-1] == "location":
        return isinstance(value, str) and is_web_location(value)
    return value is not None


def _has_password(url: object) -> bool:
    try:
        return isinstance(url, str) and urlsplit(url).password is not None
    except ValueError:
        return False


def _chmod(file: Path) -> str:
    # Quoted, because people paste it into a shell.
    return f"chmod 600 {shlex.quote(str(file))}"
