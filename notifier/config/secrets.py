"""Secrets: written out, in files of their own, or handed over by systemd; and who may read them."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from notifier.config.environment import variable
from notifier.config.file import is_there, read_small
from notifier.config.layers import Layer, Layers, Place, Tree, dotted, put
from notifier.config.lines import Where
from notifier.config.values import is_web_location, shown_path
from notifier.errors import Problem

LARGEST = 8 * 1024
USERNAME: Where = ("smtp", "username")
PASSWORD: Where = ("smtp", "password")
DATABASE: Where = ("store", "url")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the files of secrets hold, and what is wrong with them."""

    layer: Layer
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One secret: its option, and the names it may have in $CREDENTIALS_DIRECTORY."""

    option: Where
    credentials: tuple[str, ...]


def from_files(layers: Layers, environ: Mapping[str, str], folder: Path) -> Secrets:
    """Read the file of each secret that is not written out in `layers`.

    A file named in the environment counts before a value in the configuration, as all that is
    said there does; $CREDENTIALS_DIRECTORY is asked only where nothing else is said.
    """
    tree: Tree = {}
    places: dict[Where, Place] = {}
    problems: list[Problem] = []
    for wanted in _all_wanted(layers):
        match _looked_up(wanted, layers, environ, folder):
            case Problem() as problem:
                problems.append(problem)
            case (Path() as file, str() as text):
                put(tree, wanted.option, text)
                places[wanted.option] = Place(str(file))
    return Secrets(Layer(tree, places), tuple(problems))


def _all_wanted(layers: Layers) -> Iterator[_Wanted]:
    yield _Wanted(PASSWORD, ("smtp-password",))
    accounts = layers.keys("accounts")
    for account in accounts:
        if _reads_file(account, layers):
            yield _Wanted(_location(account), (f"location-{account}",))
        else:
            yield _Wanted(_client_id(account), _credentials("client-id", account, accounts))
            token = ("accounts", account, "webhook_token")
            yield _Wanted(token, _credentials("webhook-token", account, accounts))
        if isinstance(layers.find(("accounts", account, "place")), dict):
            password = ("accounts", account, "place", "pickup_password")
            yield _Wanted(password, _credentials("pickup-password", account, accounts))


def _credentials(name: str, account: str, accounts: Collection[str]) -> tuple[str, ...]:
    """Under which names systemd may hand it over; the short one where no other can be meant."""
    return (f"{name}-{account}", *((name,) if len(accounts) == 1 else ()))


def _client_id(account: str) -> Where:
    return ("accounts", account, "client_id")


def _location(account: str) -> Where:
    return ("accounts", account, "file", "location")


def _reads_file(account: str, layers: Layers) -> bool:
    return isinstance(layers.find(_location(account)[:-1]), dict)


def _file_option(option: Where) -> Where:
    return (*option[:-1], f"{option[-1]}_file")


def _looked_up(
    wanted: _Wanted, layers: Layers, environ: Mapping[str, str], folder: Path
) -> tuple[Path, str] | Problem | None:
    """The file of a secret and its text; None where it is written out, or nowhere at all."""
    for layer in layers.layers:
        inline, named = layer.find(wanted.option), layer.find(_file_option(wanted.option))
        if inline is not None and named is not None:
            message = f"is there beside {wanted.option[-1]}; keep one of the two"
            return layers.problem(_file_option(wanted.option), message)
        if isinstance(named, str) and named.strip():  # of an empty one the schema tells
            return _named(folder / named, wanted, layers)
        if inline is not None or named is not None:
            return None
    return _handed_over(wanted, environ)


def _named(file: Path, wanted: _Wanted, layers: Layers) -> tuple[Path, str] | Problem:
    try:
        return file, _secret_in(file, private=True)
    except ValueError as error:
        message = f"{shown_path(file)} {error}"
        advice = "" if is_there(file) else f"; {_making(file, wanted.option)}"
        return layers.problem(_file_option(wanted.option), message + advice)


def _making(file: Path, option: Where) -> str:
    """How a secret's file is made, and what does without it."""
    names = {
        "password": "password",
        "client_id": "client id",
        "webhook_token": "token",
        "pickup_password": "pickup password",
    }
    secret = names.get(str(option[-1]), "address")
    return (
        f"write the {secret} into it, and nothing else, and run {_close(file)}; "
        f"or set {variable(option)} instead"
    )


def _handed_over(wanted: _Wanted, environ: Mapping[str, str]) -> tuple[Path, str] | Problem | None:
    """Look where systemd's LoadCredential= puts files; it guards the directory, not their modes."""
    if not (directory := environ.get("CREDENTIALS_DIRECTORY")):
        return None
    files = (Path(directory, name) for name in wanted.credentials)
    file = next(filter(is_there, files), None)
    if file is None:
        return None
    try:
        return file, _secret_in(file, private=False)
    except ValueError as error:
        return Problem(str(file), None, dotted(wanted.option), str(error))


def _secret_in(file: Path, *, private: bool) -> str:
    """The one line of a secret's file; raises ValueError without any of it."""
    content = read_small(file, LARGEST)
    if private and content.open_to_all:
        raise ValueError(f"is open to every user of this machine; run {_close(file)}")
    try:
        text = content.data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text; it must hold the secret and nothing else") from None
    if not text.strip():
        raise ValueError("is empty; write the secret into it, and nothing else")
    if not text.isprintable():
        raise ValueError("has more than one line; it must hold the secret and nothing else")
    return text


def incomplete(layers: Layers) -> Iterator[Problem]:
    """Accounts without a client id or file, and a login of the mail server with only one half."""
    for account in layers.keys("accounts"):
        option = _client_id(account)
        if _reads_file(account, layers):
            yield from _no_location(_location(account), layers)
        elif isinstance(layers.find(option[:-1]), dict) and not _said(option, layers):
            way = f'write client_id_file = "client-id", or set {variable(option)}'
            yield layers.problem(option, f"is missing; {way}")
    yield from _half_a_login(layers)


def _no_location(option: Where, layers: Layers) -> Iterator[Problem]:
    if not _said(option, layers):
        way = f'write location = "orders.csv", or set {variable(option)}'
        yield layers.problem(option, f"is missing; {way}")


def _half_a_login(layers: Layers) -> Iterator[Problem]:
    """A user name without a password, or the other way round; of an empty one the schema tells."""
    username, password = layers.find(USERNAME), _said(PASSWORD, layers)
    if any(_is_blank(layers.find(one)) for one in (USERNAME, PASSWORD, _file_option(PASSWORD))):
        return
    if isinstance(username, str) and not password:
        way = f'write password_file = "smtp-password", or set {variable(PASSWORD)}'
        yield layers.problem(USERNAME, f"has no password; {way}")
    if password and username is None and layers.keys("smtp"):
        said = _file_option(PASSWORD) if layers.find(_file_option(PASSWORD)) else PASSWORD
        way = f"give smtp.username as well, or set {variable(USERNAME)}"
        yield layers.problem(said, f"is there without a login; {way}")


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _said(option: Where, layers: Layers) -> bool:
    return any(layers.find(one) is not None for one in (option, _file_option(option)))


def exposed(written: Layer, file: Path) -> Iterator[Problem]:
    """The secret in a configuration that every user of this machine may read, if there is one."""
    if inside := written_out(written):
        message = "is a secret in a file that is open to every user of this machine"
        layers = Layers(str(file), (written,))
        yield layers.problem(inside[0], f"{message}; run {_close(file)}")


def written_out(written: Layer) -> list[Where]:
    """The options whose secret stands in the configuration itself."""
    secrets = [wanted.option for wanted in _all_wanted(Layers("", (written,)))]
    inside = [option for option in secrets if _is_secret(option, written.find(option))]
    if _has_password(written.find(DATABASE)):
        inside.append(DATABASE)
    return inside


def _is_secret(option: Where, value: object) -> bool:
    """Of the places a list may come from, whoever knows an address can read there."""
    if option[-1] == "location":
        return isinstance(value, str) and is_web_location(value)
    return value is not None


def _has_password(url: object) -> bool:
    try:
        return isinstance(url, str) and urlsplit(url).password is not None
    except ValueError:
        return False


def _close(file: Path) -> str:
    return f"chmod 600 {shlex.quote(str(file))}"
