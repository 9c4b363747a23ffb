"""`notifier orders --plan`: what the next reading would read and cost, without spending it."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence

import click

from notifier.cli.build_context import choose_accounts
from notifier.cli.context import Invocation
from notifier.cli.tables import print_table
from notifier.domain.reading_plan import Reason
from notifier.domain.settings import MarketplaceAccess
from notifier.errors import ExitCode
from notifier.services.call_estimate import CallEstimate, estimate_calls
from notifier.store import open_store

WHY = {
    Reason.WAITED: "it waited when it was read last",
    Reason.HINTED: "the webhook named it",
    Reason.COMES_BACK: "it is on its way back, or its time at the branch is over",
    Reason.DUE: "it can have become ready since it was read last",
    Reason.LEFT: "it waited, and is not listed any more: how did it go?",
}
FIELDS = ("account", "order", "reason", "shipped_on", "read_on")


async def show_plan(invocation: Invocation, ids: tuple[str, ...], form: str) -> ExitCode:
    """Print the plan of each account; of a file there is none."""

    settings = invocation.settings()
    found = []
    async with open_store(settings.store, read_only=True) as store:
        for account in choose_accounts(settings, ids):
            if isinstance(account.access, MarketplaceAccess):
                found.append(await estimate_calls(account, account.access, store, invocation.now()))
            else:
                invocation.warn(f"{account.name}: it reads a file, which takes no plan.")
    _SHOW[form](found)
    return ExitCode.DONE


def _table(found: Sequence[CallEstimate]) -> None:
    for one in found:
        click.echo(_heading(one))
        rows = [
            ["the list", "", str(one.list_calls), _list_cost(one)],
            *(
                [str(reason), str(count), str(count), WHY[reason]]
                for reason, count in one.counts.items()
            ),
            ["not read", str(one.resting), "", "it cannot be ready yet, or rests"],
        ]
        print_table(["", "orders", "calls", "why"], rows, numeric=frozenset({1, 2}))


def _list_cost(one: CallEstimate) -> str:
    size = one.account.marketplace.page_size
    once = "one page" if one.list_calls == 1 else "its pages, twice"
    return f"{once}; more where the marketplace does not give {size} at once"


def _heading(one: CallEstimate) -> str:
    name = one.account.name
    if not one.seen:
        return (
            f"{name}: nothing is remembered yet. The first reading takes the list, and then one "
            "call for each order that can be ready."
        )
    return (
        f"{name}: reading now would take {one.calls} calls, by the {len(one.seen)} orders of the "
        "last list; what was shipped since adds to it."
    )


def _csv(found: Sequence[CallEstimate]) -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_records(found))
    click.echo(out.getvalue(), nl=False)


def _json(found: Sequence[CallEstimate]) -> None:
    json.dump(
        [
            {
                "account": one.account.id,
                "calls": one.calls,
                "list_calls": one.list_calls,
                "not_read": one.resting,
                "orders": [
                    {name: value for name, value in record.items() if name != "account"}
                    for record in _records([one])
                ],
            }
            for one in found
        ],
        sys.stdout,
        ensure_ascii=False,
        indent=2,
    )
    click.echo()


def _records(found: Sequence[CallEstimate]) -> Iterator[dict[str, str | int | None]]:
    """One for each order that is read, in the order of reading."""
    for one in found:
        for step in one.steps:
            seen = one.seen.get(step.id)
            yield {
                "account": one.account.id,
                "order": step.id,
                "reason": str(step.reason),
                "shipped_on": str(seen.shipped_on) if seen and seen.shipped_on else None,
                "read_on": str(seen.read_on) if seen and seen.read_on else None,
            }


_SHOW: dict[str, Callable[[Sequence[CallEstimate]], None]] = {
    "table": _table,
    "csv": _csv,
    "json": _json,
}
