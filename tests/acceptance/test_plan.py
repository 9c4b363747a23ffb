"""`notifier orders --plan` shows how many calls a reading would take, and makes none."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from notifier.store import open_store
from tests.acceptance.world import World


def advance_to_today(world: World) -> None:
    """Move the marketplace to the date of the wall clock, which commands in processes use."""
    world.marketplace.advance((datetime.now(UTC) - world.marketplace.now).days)


async def test_the_plan_before_the_first_reading_reports_missing_state(world: World) -> None:
    shown = await world.call("orders", "--plan")

    assert shown.code == 0
    assert shown.out.startswith("Mimovrste: nothing has been read yet.")
    assert world.marketplace.requests == 0


@pytest.mark.slow
async def test_the_plan_equals_the_calls_of_the_next_reading(world: World) -> None:
    advance_to_today(world)
    await world.call("run", "--now")
    async with open_store(world.location) as store:
        await store.order_states.add_hints("ljubljana", [1, 2], at=datetime.now(UTC))
    calls_before = world.marketplace.requests

    as_json = json.loads((await world.call("orders", "--plan", "--format", "json")).out)
    as_csv = (await world.call("orders", "--plan", "--format", "csv")).out
    as_table = (await world.call("orders", "--plan")).out
    assert world.marketplace.requests == calls_before

    await world.call("run", "--now", "--force")
    (plan,) = as_json
    assert plan["calls"] == world.marketplace.requests - calls_before
    assert plan["calls"] == plan["list_calls"] + len(plan["orders"])
    assert {"waited", "due"} <= {order["reason"] for order in plan["orders"]}
    assert [int(row["order"]) for row in csv.DictReader(io.StringIO(as_csv))] == [
        order["order"] for order in plan["orders"]
    ]
    assert f"reading now would take {plan['calls']} calls" in as_table
    assert "was waiting at the last reading" in as_table


async def test_the_plan_refuses_options_that_select_or_sort_orders(world: World) -> None:
    refused = await world.call("orders", "--plan", "--sort", "days")

    assert refused.code == 2
    assert "--plan can be combined with --account and --format only" in refused.err
