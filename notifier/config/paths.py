"""The files and folders that options name: whether they are there, and of any use."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from notifier.config.file import read_small
from notifier.config.layers import Layers
from notifier.config.lines import Where
from notifier.config.logo import read_logo
from notifier.config.parts import store_file
from notifier.config.values import shown_path
from notifier.errors import Problem

STORE: Where = ("store", "path")
CERTIFICATES: Where = ("smtp", "ca_file")
TEMPLATES: Where = ("digest", "templates_dir")
LOGO: Where = ("digest", "logo")
LARGEST_CA_FILE = 4 * 1024 * 1024


def wrong_paths(layers: Layers, folder: Path, environ: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with the paths in the configuration, which count from `folder`."""
    for where, check in ((CERTIFICATES, _no_certificates), (TEMPLATES, _no_folder)):
        named = layers.find(where)
        if isinstance(named, str) and (reason := check(folder / named)):
            yield layers.problem(where, f"{shown_path(folder / named)} {reason}")
    for where in (LOGO, *(("accounts", account, "logo") for account in layers.keys("accounts"))):
        named = layers.find(where)
        if isinstance(named, str) and (reason := _no_logo(folder / named)):
            yield layers.problem(where, f"{shown_path(folder / named)} {reason}")
    named = layers.find(STORE)
    file = store_file(named if isinstance(named, str) else None, folder, environ)
    if file.is_dir():
        yield layers.problem(STORE, f"{shown_path(file)} is a folder; name a file in it")
    if set(str(file)) & set("?%"):  # they mean something else in a database URL
        yield layers.problem(STORE, f"{shown_path(file)} has a ? or % in it; write a path without")


def _no_certificates(file: Path) -> str | None:
    try:
        certificates = read_small(file, LARGEST_CA_FILE).data.decode("ascii")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificates)
    except UnicodeDecodeError:
        return "holds no certificates in PEM form"
    except ssl.SSLError:
        return "holds no certificates in PEM form"
    except ValueError as error:
        return str(error)
    return None


def _no_logo(file: Path) -> str | None:
    try:
        read_logo(file)
    except ValueError as error:
        return str(error)
    return None


def _no_folder(folder: Path) -> str | None:
    return None if folder.is_dir() else "is no directory"
