"""`notifier orders`: the overview of what is ready to return now."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import click

from notifier.cli.build_context import choose_accounts, open_context
from notifier.cli.context import Invocation, pass_invocation
from notifier.cli.plan_table import show_plan
from notifier.cli.progress import orders_read
from notifier.cli.tables import print_table
from notifier.domain import query
from notifier.domain.columns import COLUMNS, DEFAULT, Column, Value, select_columns
from notifier.domain.digest import Digest, Entry
from notifier.domain.query import Condition, filter_and_sort
from notifier.domain.reading import Failed
from notifier.domain.settings import Account
from notifier.errors import ExitCode, gravest
from notifier.mail.attachments.csv import safe_cell
from notifier.services.run import read_digest


@click.command
@click.option(
    "--account", "accounts", multiple=True, metavar="ID", help="Only this account; repeatable."
)
@click.option(
    "--columns",
    metavar="A,B,…",
    help="Columns to show: order, external_id, tracking, tracking_url, items, sku, pieces, value, "
    "cod, currency, shipped, first_attempt, first_seen, days, overdue; or all.",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="CONDITION",
    help="Keep what fits, such as days>=3, items~monitor or order=4500123; repeatable.",
)
@click.option("--sort", metavar="COLUMN", help="Sort by a column; -COLUMN for descending.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
)
@click.option(
    "--plan", "planned", is_flag=True, help="Show what a reading would read and cost; read nothing."
)
@pass_invocation
def command(
    invocation: Invocation,
    *,
    planned: bool,
    accounts: tuple[str, ...],
    columns: str | None,
    filters: tuple[str, ...],
    sort: str | None,
    form: str,
) -> int:
    """Show what is ready to return now, as a table, CSV or JSON.

    It is read from the marketplace, or the account's file; nothing is sent or recorded. "First
    seen" and "days" come from the run ledger, so before the first run every order is seen today.
    Oldest first, unless sorted otherwise.
    """

    if planned:
        if columns or filters or sort:
            raise click.UsageError("--plan goes with --account and --format alone")
        return asyncio.run(show_plan(invocation, accounts, form))
    try:
        match columns:
            case None:
                chosen = None
            case "all":
                chosen = tuple(COLUMNS.values())
            case _:
                chosen = query.parse_columns(columns)
        conditions = tuple(query.parse_condition(text) for text in filters)
        if sort is not None:
            query.find_column(sort.removeprefix("-"))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    view = View(chosen, conditions, sort, form)
    return asyncio.run(_show(invocation, accounts, view))


@dataclass(frozen=True, slots=True)
class View:
    """What of the list is shown, and how."""

    columns: tuple[Column, ...] | None
    """None where nobody chose: those of the account in a table, the same for all in CSV and JSON,
    which programs read."""
    conditions: tuple[Condition, ...]
    sort: str | None
    form: str


async def _show(invocation: Invocation, ids: tuple[str, ...], view: View) -> ExitCode:

    settings = invocation.settings()
    accounts = choose_accounts(settings, ids)
    found: list[tuple[Account, tuple[Entry, ...]]] = []
    codes: list[ExitCode] = []
    with orders_read() as progress:
        async with open_context(
            settings, invocation.now, read_only=True, progress=progress
        ) as context:
            for account in accounts:
                today = account.schedule.local_day(invocation.now())
                source = context.source(account)
                digest = await read_digest(account, source, context.store, today)
                if isinstance(digest, Failed):
                    codes.append(digest.error.exit_code)
                    invocation.warn(f"{account.name}: {digest.why}")
                    continue
                if digest.gap:
                    codes.append(ExitCode.FAILED)
                    invocation.warn(_gap_sentence(account, digest))
                found.append((account, _arranged(digest, view)))
    if found or view.form != "table":
        _SHOW[view.form](found, view.columns)
    return gravest(codes)


def _arranged(digest: Digest, view: View) -> tuple[Entry, ...]:

    return filter_and_sort(digest.present, view.conditions, view.sort, digest.zone)


def _gap_sentence(account: Account, digest: Digest) -> str:
    gap = digest.gap
    assert gap is not None  # noqa: S101 - the caller has just looked
    unread = f" Not read: {', '.join(map(gap.display_number, gap.unread))}." if gap.unread else ""
    return f"{account.name}: this list is incomplete: {gap.why}.{unread}"


Found = Sequence[tuple["Account", tuple["Entry", ...]]]
Chosen = tuple["Column", ...] | None


def _default(of_account: Sequence[str] = ()) -> tuple[Column, ...]:

    return select_columns(of_account or DEFAULT)


def _table(found: Found, chosen: Chosen) -> None:

    for account, entries in found:
        columns = chosen or _default(account.columns)
        headings = [column.heading for column in columns]
        numeric = frozenset(index for index, column in enumerate(columns) if column.numeric)
        count = "1 order waits" if len(entries) == 1 else f"{len(entries)} orders wait"
        click.echo(f"{account.name}: {count}.")
        if entries:
            rows = [[_text(column.value(entry)) for column in columns] for entry in entries]
            print_table(headings, rows, numeric=numeric)


def _csv(found: Found, chosen: Chosen) -> None:

    columns = chosen or _default()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["account", *(column.name for column in columns)])
    for account, entries in found:
        for entry in entries:
            cells = (column.value(entry) for column in columns)
            writer.writerow(
                [account.id, *(safe_cell(v) if isinstance(v, str) else _plain(v) for v in cells)]
            )
    click.echo(out.getvalue(), nl=False)


def _json(found: Found, chosen: Chosen) -> None:
    columns = chosen or _default()
    rows = [_record(account, entry, columns) for account, entries in found for entry in entries]
    json.dump(rows, sys.stdout, ensure_ascii=False, indent=2)
    click.echo()


_SHOW: dict[str, Callable[[Found, Chosen], None]] = {
    "table": _table,
    "csv": _csv,
    "json": _json,
}


def _text(value: Value) -> str:
    """A cell of the table: dates without their time, yes or nothing."""
    match value:
        case None | False:
            return ""
        case True:
            return "yes"
        case datetime():
            return value.date().isoformat()
        case Decimal():
            return f"{value:.2f}"
    return str(value)


def _plain(value: Value) -> str:
    """A cell of the CSV, for machines."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:.2f}"
    return str(value)


def _record(
    account: Account, entry: Entry, columns: tuple[Column, ...]
) -> dict[str, str | int | float | None]:
    record: dict[str, str | int | float | None] = {"account": account.id}
    for column in columns:
        record[column.name] = _jsonable(column.value(entry))
    return record


def _jsonable(value: Value) -> str | int | float | bool | None:
    match value:
        case Decimal():
            return float(value)
        case date():
            return value.isoformat()
    return value
