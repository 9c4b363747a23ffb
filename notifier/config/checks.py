"""Checks that the schema cannot make: files on this machine, and options that need each other.

They look at what was written, not at the checked configuration, so that one mistake does not hide
another.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from notifier.config.build import format_of, read_logo, store_file
from notifier.config.environment import variable
from notifier.config.file import read_small
from notifier.config.layers import Layers
from notifier.config.secrets import client_id, file_option, location, reads_file
from notifier.config.toml import Where
from notifier.config.values import is_web_location, shown_path
from notifier.domain.settings import FileFormat
from notifier.errors import Problem
from notifier.i18n.foreign_text import folded

STORE: Where = ("store", "path")
CERTIFICATES: Where = ("smtp", "ca_file")
TEMPLATES: Where = ("digest", "templates_dir")
LOGO: Where = ("digest", "logo")
USERNAME: Where = ("smtp", "username")
PASSWORD: Where = ("smtp", "password")
# Many times the bundle of all public authorities, which has about 200 KiB.
LARGEST_CA_FILE = 4 * 1024 * 1024

ONLY_CSV = ("delimiter",)
ONLY_JSON = ("records",)
ONLY_MARKETPLACE = (
    "client_id",
    "client_id_file",
    "webhook_token",
    "webhook_token_file",
    "marketplace_timezone",
    "test_orders",
)


def wrong_paths(layers: Layers, folder: Path, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Find files and folders that are missing or of no use; paths are relative to `folder`."""
    logos = (LOGO, *(("accounts", account, "logo") for account in layers.keys("accounts")))
    checks = {CERTIFICATES: _not_certificates, TEMPLATES: _not_a_folder}
    for where, check in (checks | dict.fromkeys(logos, _not_a_logo)).items():
        named = layers.text(where)
        if named is not None and (reason := check(folder / named)):
            yield layers.problem(where, f"{shown_path(folder / named)} {reason}")
    file = store_file(layers.text(STORE), folder, environ)
    if file.is_dir():
        yield layers.problem(STORE, f"{shown_path(file)} is a folder; name a file in it")
    # Both have a meaning of their own in the URL of a database.
    if set(str(file)) & set("?%"):
        yield layers.problem(STORE, f"{shown_path(file)} contains ? or %; use a path without them")


def _not_certificates(file: Path) -> str | None:
    try:
        # Read by us and not by OpenSSL, which would wait for the writer of a named pipe.
        certificates = read_small(file, LARGEST_CA_FILE).data.decode("ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificates)
    except (UnicodeDecodeError, ssl.SSLError):
        return "holds no certificates in PEM form"
    except ValueError as error:
        return str(error)
    return None


def _not_a_logo(file: Path) -> str | None:
    try:
        read_logo(file)
    except ValueError as error:
        return str(error)
    return None


def _not_a_folder(folder: Path) -> str | None:
    return None if folder.is_dir() else "is not a directory"


def incomplete(layers: Layers) -> Iterator[Problem]:
    """Find accounts that lack a client id or a location, and half a login to the mail server."""
    for account in layers.keys("accounts"):
        if reads_file(account, layers):
            option, example = location(account), 'location = "orders.csv"'
        # The schema reports an account that is no table.
        elif isinstance(layers.find(("accounts", account)), dict):
            option, example = client_id(account), 'client_id_file = "client-id"'
        else:
            continue
        if not _is_set(option, layers):
            way = f"write {example}, or set {variable(option)}"
            yield layers.problem(option, f"is missing; {way}")
    yield from _half_a_login(layers)


def _half_a_login(layers: Layers) -> Iterator[Problem]:
    """Find a user name without a password, or the reverse; the schema reports an empty one."""
    username, password = layers.find(USERNAME), _is_set(PASSWORD, layers)
    if any(_is_blank(layers.find(one)) for one in (USERNAME, PASSWORD, file_option(PASSWORD))):
        return
    if isinstance(username, str) and not password:
        way = f'write password_file = "smtp-password", or set {variable(PASSWORD)}'
        yield layers.problem(USERNAME, f"has no password; {way}")
    # The schema reports a section [smtp] that is missing as a whole.
    if password and username is None and layers.keys("smtp"):
        option = file_option(PASSWORD) if layers.find(file_option(PASSWORD)) else PASSWORD
        way = f"write that too, or set {variable(USERNAME)}"
        yield layers.problem(option, f"is set without smtp.username; {way}")


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def _is_set(option: Where, layers: Layers) -> bool:
    return any(layers.find(one) is not None for one in (option, file_option(option)))


def wrong_order_files(layers: Layers, folder: Path) -> Iterator[Problem]:
    """Find mistakes in the order files of accounts; paths are relative to `folder`."""
    for account in layers.keys("accounts"):
        if reads_file(account, layers):
            table = location(account)[:-1]
            yield from _beside_marketplace(table, layers)
            yield from _wrong_location(table, layers, folder)
            yield from _wrong_format(table, layers)
            yield from _wrong_state(table, layers)


def _beside_marketplace(table: Where, layers: Layers) -> Iterator[Problem]:
    for name in ONLY_MARKETPLACE:
        option = (*table[:-1], name)
        if layers.find(option) is not None:
            message = "applies only to marketplace accounts, and this one reads a file"
            yield layers.problem(option, f"{message}; remove one of them")


def _wrong_location(table: Where, layers: Layers, folder: Path) -> Iterator[Problem]:
    option = (*table, "location")
    named = layers.text(option)
    if named is None or not named.strip() or is_web_location(named):
        return
    if reason := _impossible(folder / named):
        yield layers.problem(option, reason)


def _impossible(file: Path) -> str | None:
    """Say why no file can be at this path. One that is not there yet is no mistake."""
    try:
        # The file need not exist yet, because an export may create it only tonight.
        if file.is_dir():
            return f"{shown_path(file)} is a folder; name a file in it"
        if not file.parent.is_dir():
            return f"{shown_path(file.parent)} is not a folder; check the path"
    except (OSError, ValueError):
        return "cannot be examined; check the path"
    return None


def _wrong_format(table: Where, layers: Layers) -> Iterator[Problem]:
    named = layers.text((*table, "location"))
    if named is None or not named.strip():
        return
    form = layers.text((*table, "format")) or format_of(named)
    if form is None:
        message = 'is missing, and the name of the file does not show it; write format = "csv"'
        yield layers.problem((*table, "format"), message)
    foreign: dict[str | None, tuple[str, ...]] = {
        FileFormat.JSON: ONLY_CSV,
        FileFormat.CSV: ONLY_JSON,
    }
    for name in foreign.get(form, ()):
        if layers.find((*table, name)) is not None:
            message = f"does not apply to {form} files; remove the line"
            yield layers.problem((*table, name), message)


def _wrong_state(table: Where, layers: Layers) -> Iterator[Problem]:
    """Find a column of states without the values that mean "ready", or the reverse."""
    column = layers.find((*table, "columns", "ready"))
    ready = layers.find((*table, "ready_values"))
    collected = layers.find((*table, "collected_values"))
    if column is not None and ready is None:
        message = "is missing, but columns.ready is set; list the values of a waiting order"
        yield layers.problem((*table, "ready_values"), message)
    for name, values in (("ready_values", ready), ("collected_values", collected)):
        if values is not None and column is None:
            message = "is set without columns.ready; name the column that holds them"
            yield layers.problem((*table, name), message)
    # Otherwise the order of two checks in the program would decide whether such an order waits.
    if _folded(ready) & _folded(collected):
        message = "has a value that is also in ready_values; remove it from one of them"
        yield layers.problem((*table, "collected_values"), message)


def _folded(values: object) -> set[str]:
    listed = values if isinstance(values, list) else []
    return {folded(value) for value in listed if isinstance(value, str)}
