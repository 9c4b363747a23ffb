"""The files of orders that accounts read: what the schema cannot see of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from notifier.config.layers import Layers
from notifier.config.lines import Where
from notifier.config.parts import format_of
from notifier.config.values import is_web_location, shown_path
from notifier.domain.settings import FileFormat
from notifier.errors import Problem
from notifier.i18n.foreign_text import folded

OF_CSV_ALONE = ("delimiter",)
OF_JSON_ALONE = ("records",)
OF_MARKETPLACE = (
    "client_id",
    "client_id_file",
    "webhook_token",
    "webhook_token_file",
    "marketplace_timezone",
    "test_orders",
)


def wrong_files(layers: Layers, folder: Path) -> Iterator[Problem]:
    """What is wrong with the files that accounts name; paths count from `folder`."""
    for account in layers.keys("accounts"):
        table: Where = ("accounts", account, "file")
        if isinstance(layers.find(table), dict):
            yield from _beside_marketplace(table, layers)
            yield from _wrong_location(table, layers, folder)
            yield from _wrong_state(table, layers)


def _beside_marketplace(table: Where, layers: Layers) -> Iterator[Problem]:
    for name in OF_MARKETPLACE:
        option = (*table[:-1], name)
        if layers.find(option) is not None:
            yield layers.problem(
                option, "is of the marketplace, and this account reads a file; take one of them out"
            )


def _wrong_location(table: Where, layers: Layers, folder: Path) -> Iterator[Problem]:
    option = (*table, "location")
    location, named = layers.find(option), layers.find((*table, "format"))
    if not isinstance(location, str) or not location.strip():
        return
    if not is_web_location(location) and (reason := _no_place(folder / location)):
        yield layers.problem(option, reason)
    form = named if isinstance(named, str) else format_of(location)
    if form is None:
        message = 'is missing, and the name of the file does not tell; write format = "csv"'
        yield layers.problem((*table, "format"), message)
    for other, names in ((FileFormat.JSON, OF_CSV_ALONE), (FileFormat.CSV, OF_JSON_ALONE)):
        for name in names if form == other else ():
            if layers.find((*table, name)) is not None:
                message = f"means nothing in a file of {form}; take the line out"
                yield layers.problem((*table, name), message)


def _no_place(file: Path) -> str | None:
    """Why there can be no file; that it is not there yet is no mistake of the configuration."""
    try:
        if file.is_dir():
            return f"{shown_path(file)} is a folder; name a file in it"
        if not file.parent.is_dir():
            return f"{shown_path(file.parent)} is no folder; compare the path"
    except (OSError, ValueError):
        return "is no path that can be looked at; compare it"
    return None


def _wrong_state(table: Where, layers: Layers) -> Iterator[Problem]:
    """The column that says whether an order waits, and the values that mean it, need each other."""
    column = layers.find((*table, "columns", "ready"))
    ready = layers.find((*table, "ready_values"))
    collected = layers.find((*table, "collected_values"))
    if column is not None and ready is None:
        message = "is missing beside columns.ready; write what it says of an order that waits"
        yield layers.problem((*table, "ready_values"), message)
    for name, values in (("ready_values", ready), ("collected_values", collected)):
        if values is not None and column is None:
            message = "is there without columns.ready; write which column says it"
            yield layers.problem((*table, name), message)
    if isinstance(ready, list) and isinstance(collected, list):
        meant = [
            {folded(one) for one in words if isinstance(one, str)} for words in (ready, collected)
        ]
        if set.intersection(*meant):
            message = "says the same as ready_values; let each value mean one thing"
            yield layers.problem((*table, "collected_values"), message)
