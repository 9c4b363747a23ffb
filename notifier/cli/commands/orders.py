"""`notifier orders`: list what is ready to return, or plan the next reading with `--plan`."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click

from notifier.cli.build_context import accounts_option, choose_accounts, open_context
from notifier.cli.context import Invocation, pass_invocation
from notifier.cli.terminal import print_table, reading_progress
from notifier.domain import query
from notifier.domain.columns import COLUMNS, DEFAULT, Column, Value, select_columns
from notifier.domain.digest import Digest, Entry
from notifier.domain.query import Condition, filter_and_sort
from notifier.domain.reading import Failed
from notifier.domain.reading_plan import Reason
from notifier.domain.settings import Account, MarketplaceAccess
from notifier.errors import ExitCode, gravest
from notifier.mail.attachments.csv import safe_cell
from notifier.services.call_estimate import CallEstimate, estimate_calls
from notifier.services.run import read_digest
from notifier.store import open_store

REASONS = {
    Reason.WAITED: "was waiting at the last reading",
    Reason.HINTED: "was named by the webhook",
    Reason.COMES_BACK: "is on its way back, or its storage time is over",
    Reason.DUE: "may have become ready since it was last read",
    Reason.LEFT: "was waiting and is no longer listed; read once more to see why",
}
PLAN_FIELDS = ("account", "order", "reason", "shipped_on", "read_on")


@click.command
@accounts_option
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
    help="Only matching orders, such as days>=3, items~monitor or order=4500123; repeatable.",
)
@click.option("--sort", metavar="COLUMN", help="Sort by a column; -COLUMN for descending.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="Output format.",
)
@click.option(
    "--plan",
    "planned",
    is_flag=True,
    help="Show what the next reading would read and how many API calls it would take.",
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

    Reads the marketplace, or the account's file; sends and records nothing. "First seen" and
    "days" come from the run ledger: before the first run, every order is first seen today. The
    oldest orders come first, unless --sort says otherwise.
    """
    if planned:
        # A plan has columns of its own; ignoring these options would look like a mistake of ours.
        if columns or filters or sort:
            raise click.UsageError("--plan can be combined with --account and --format only")
        return asyncio.run(_show_plan(invocation, accounts, form))
    try:
        view = View(
            _parse_columns(columns),
            tuple(query.parse_condition(text) for text in filters),
            sort,
            form,
        )
        if sort is not None:
            # Checked now, because reading first would spend the calls for nothing.
            query.find_column(sort.removeprefix("-"))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return asyncio.run(_show_orders(invocation, accounts, view))


@dataclass(frozen=True, slots=True)
class View:
    """Which orders and columns are shown, and how."""

    columns: tuple[Column, ...] | None
    """None for the default: the account's own in a table; in CSV and JSON, which programs read,
    the same for all accounts."""
    conditions: tuple[Condition, ...]
    sort: str | None
    form: str


def _parse_columns(text: str | None) -> tuple[Column, ...] | None:
    if text is None:
        return None
    return tuple(COLUMNS.values()) if text == "all" else query.parse_columns(text)


async def _show_orders(invocation: Invocation, ids: tuple[str, ...], view: View) -> ExitCode:
    settings = invocation.settings()
    accounts = choose_accounts(settings, ids)
    found: list[tuple[Account, tuple[Entry, ...]]] = []
    codes: list[ExitCode] = []
    with reading_progress() as progress:
        async with open_context(
            settings, invocation.now, read_only=True, progress=progress
        ) as context:
            for account in accounts:
                today = account.schedule.local_day(invocation.now())
                source = context.source(account)
                digest = await read_digest(account, source, context.store, today)
                if isinstance(digest, Failed):
                    codes.append(digest.error.exit_code)
                    # One account that fails must not hide the orders of the others.
                    invocation.warn(f"{account.name}: {digest.why}")
                    continue
                if digest.gap:
                    codes.append(ExitCode.FAILED)
                    invocation.warn(_gap_sentence(account, digest))
                entries = filter_and_sort(digest.present, view.conditions, view.sort, digest.zone)
                found.append((account, entries))
    # Printed after all accounts, because JSON needs one document for all of them.
    match view.form:
        case "csv":
            _print_orders_csv(found, view.columns or select_columns(DEFAULT))
        case "json":
            _print_orders_json(found, view.columns or select_columns(DEFAULT))
        case _:
            for account, entries in found:
                _print_orders_table(account, entries, view)
    return gravest(codes)


def _gap_sentence(account: Account, digest: Digest) -> str:
    gap = digest.gap
    assert gap is not None  # noqa: S101 - the caller has just checked it
    unread = f" Not read: {', '.join(map(gap.display_number, gap.unread))}." if gap.unread else ""
    return f"{account.name}: this list is incomplete: {gap.why}.{unread}"


def _print_orders_table(account: Account, entries: Sequence[Entry], view: View) -> None:
    columns = view.columns or select_columns(account.columns or DEFAULT)
    count = "1 order waits" if len(entries) == 1 else f"{len(entries)} orders wait"
    click.echo(f"{account.name}: {count}.")
    if entries:
        print_table(
            [column.heading for column in columns],
            [[_table_cell(column.value(entry)) for column in columns] for entry in entries],
            numeric=frozenset(index for index, column in enumerate(columns) if column.numeric),
        )


Found = Sequence[tuple[Account, tuple[Entry, ...]]]


def _print_orders_csv(found: Found, columns: Sequence[Column]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["account", *(column.name for column in columns)])
    for account, entries in found:
        for entry in entries:
            values = (column.value(entry) for column in columns)
            writer.writerow([account.id, *map(_csv_cell, values)])
    click.echo(out.getvalue(), nl=False)


def _print_orders_json(found: Found, columns: Sequence[Column]) -> None:
    _print_json(
        [
            {"account": account.id}
            | {column.name: _json_value(column.value(entry)) for column in columns}
            for account, entries in found
            for entry in entries
        ]
    )


def _print_json(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False, indent=2))


def _table_cell(value: Value) -> str:
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


def _csv_cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case str():
            # A title that begins with = would be a formula in a spreadsheet.
            return safe_cell(value)
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:.2f}"
    return str(value)


def _json_value(value: Value) -> str | int | float | bool | None:
    match value:
        case Decimal():
            # Hundredths survive: a float is written with the shortest digits that read as the same
            # number.
            return float(value)
        case date():
            return value.isoformat()
    return value


async def _show_plan(invocation: Invocation, ids: tuple[str, ...], form: str) -> ExitCode:
    settings = invocation.settings()
    estimates = []
    async with open_store(settings.store, read_only=True) as store:
        for account in choose_accounts(settings, ids):
            if isinstance(account.access, MarketplaceAccess):
                estimates.append(
                    await estimate_calls(account, account.access, store, invocation.now())
                )
            else:
                invocation.warn(f"{account.name} reads a file, so there is nothing to plan.")
    match form:
        case "csv":
            _print_plan_csv(estimates)
        case "json":
            _print_json([_plan_data(estimate) for estimate in estimates])
        case _:
            for estimate in estimates:
                _print_plan_table(estimate)
    return ExitCode.DONE


def _print_plan_table(estimate: CallEstimate) -> None:
    click.echo(_plan_heading(estimate))
    page_size = estimate.account.marketplace.page_size
    pages = "one page" if estimate.list_calls == 1 else "all pages, twice"
    pages += f"; more if the marketplace sends fewer than {page_size} orders per page"
    rows = [
        ["the list", "", str(estimate.list_calls), pages],
        *(
            [str(reason), str(count), str(count), REASONS[reason]]
            for reason, count in estimate.counts.items()
        ),
        ["not read", str(estimate.resting), "", "cannot be ready yet, or is not due for reading"],
    ]
    print_table(["", "Orders", "Calls", "Why"], rows, numeric=frozenset({1, 2}))


def _plan_heading(estimate: CallEstimate) -> str:
    name = estimate.account.name
    if not estimate.seen:
        return (
            f"{name}: nothing has been read yet. The first reading takes the calls for the list, "
            "and one for each order that can be ready."
        )
    return (
        f"{name}: reading now would take {estimate.calls} calls, based on the "
        f"{len(estimate.seen)} orders of the last list. Orders shipped since then add to it."
    )


def _print_plan_csv(estimates: Sequence[CallEstimate]) -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, PLAN_FIELDS, lineterminator="\n")
    writer.writeheader()
    for estimate in estimates:
        account = {"account": estimate.account.id}
        writer.writerows(account | record for record in _planned_orders(estimate))
    click.echo(out.getvalue(), nl=False)


def _plan_data(estimate: CallEstimate) -> dict[str, Any]:
    return {
        "account": estimate.account.id,
        "calls": estimate.calls,
        "list_calls": estimate.list_calls,
        "not_read": estimate.resting,
        "orders": list(_planned_orders(estimate)),
    }


def _planned_orders(estimate: CallEstimate) -> Iterator[dict[str, Any]]:
    """Yield a record of each order to read, in the order of reading."""
    for step in estimate.steps:
        state = estimate.seen.get(step.id)
        yield {
            "order": step.id,
            "reason": str(step.reason),
            "shipped_on": str(state.shipped_on) if state and state.shipped_on else None,
            "read_on": str(state.read_on) if state and state.read_on else None,
        }
