"""The digest of orders from a file that another program writes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from email.message import EmailMessage

import pytest

from notifier.domain.ledger import RunState
from notifier.errors import ExitCode
from tests.acceptance.world import EVERYBODY, World
from tests.canaries import CLIENT_ID
from tests.loopback import answer, behaving, says

CREDENTIAL = f'client_id = "{CLIENT_ID}"\n'
TOKEN = "canary-token"
FILE = """
[accounts.ljubljana.file]
{location}
{more}
[accounts.ljubljana.file.columns]
id = "Naročilo"
ready = "Stanje"
tracking = "Paket"
title = "Artikel"
"""
CSV = """
delimiter = ";"
ready_values = ["Na izpostavi"]
collected_values = ["Prevzeto"]
"""
HEADER = "Naročilo;Stanje;Paket;Artikel"
FIRST = ("SI-101;Na izpostavi;MD1;Grelnik vode", "SI-102;Na poti;MD2;Skodelica")
SECOND = ("SI-101;Prevzeto;MD1;Grelnik vode", "SI-102;Na izpostavi;MD2;Skodelica")


def configure(world: World, location: str, more: str = CSV) -> None:
    world.configure((CREDENTIAL, ""), more=FILE.format(location=location, more=more))


def export(world: World, rows: Sequence[str], header: str = HEADER) -> None:
    """Write the file as an export of the last hour."""
    file = world.folder / "orders.csv"
    file.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    an_hour_ago = world.now.timestamp() - 3600
    os.utime(file, (an_hour_ago, an_hour_ago))


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def newest_english_mail(world: World) -> str:
    """Return the text of the newest mail in English."""
    mails = [mail for mail in world.mails if mail["Content-Language"] == "en"]
    return text_of(mails[-1])


async def test_orders_of_a_csv_file_are_mailed_like_those_of_the_marketplace(world: World) -> None:
    configure(world, 'location = "orders.csv"')
    export(world, FIRST)
    assert await world.run("2026-11-21") is ExitCode.DONE
    first = newest_english_mail(world)
    world.now = world.now.replace(day=22)
    export(world, SECOND)
    assert await world.run("2026-11-22") is ExitCode.DONE

    assert "SI-101" in first
    assert "Grelnik vode" in first
    assert "SI-102" not in first
    second = newest_english_mail(world)
    assert "SI-102" in second
    assert "SI-101" in second.partition("Collected")[2]
    assert world.receivers == sorted(EVERYBODY * 2)
    assert world.marketplace.requests == 0


async def test_an_order_missing_from_the_next_file_was_collected(world: World) -> None:
    configure(world, 'location = "orders.csv"')
    export(world, FIRST)
    await world.run("2026-11-21")
    world.now = world.now.replace(day=22)
    export(world, ())
    await world.run("2026-11-22")

    assert "SI-101" in newest_english_mail(world).partition("Collected")[2]


async def test_json_from_a_web_server_is_read_too(world: World) -> None:
    row = {"Naročilo": 4711, "Stanje": "true", "Paket": ["A", "B"], "Artikel": "Cup"}
    body = json.dumps({"orders": [row]}).encode()
    more = 'format = "json"\nrecords = "orders"\nready_values = ["true"]'
    async with behaving(says(answer(body))) as port:
        configure(world, f'location = "http://127.0.0.1:{port}/{TOKEN}"', more)
        assert await world.run("2026-11-21") is ExitCode.DONE

    assert "4711" in newest_english_mail(world)
    assert not [mail for mail in world.smtp.accepted if TOKEN.encode() in mail.content]


@pytest.mark.parametrize(
    ("header", "rows", "code"),
    [
        (HEADER.replace("Stanje", "Status"), FIRST, ExitCode.REFUSED),
        ("<html>Log in", (), ExitCode.REFUSED),
    ],
    ids=["other columns", "login page"],
)
async def test_a_file_without_the_expected_columns_is_a_failure_and_no_empty_day(
    world: World, header: str, rows: Sequence[str], code: ExitCode
) -> None:
    configure(world, 'location = "orders.csv"')
    world.now = world.now.replace(day=21)
    export(world, rows, header)

    assert await world.run("2026-11-21") is code

    assert world.mails == []
    (run,) = await world.runs()
    assert run.state is RunState.FAILED


async def test_an_outdated_export_is_a_failure_until_a_new_one_arrives(world: World) -> None:
    configure(world, 'location = "orders.csv"')
    export(world, FIRST)
    await world.run("2026-11-21")
    world.now = world.now.replace(day=23)

    assert await world.run("2026-11-23") is ExitCode.TRY_LATER
    export(world, SECOND)
    assert await world.run("2026-11-23", at="06:15") is ExitCode.DONE

    assert "SI-102" in newest_english_mail(world)


async def test_an_unreadable_row_makes_the_list_incomplete_and_keeps_the_others(
    world: World,
) -> None:
    configure(world, 'location = "orders.csv"')
    export(world, (*FIRST, "4711;Na izpostavi", ";Na izpostavi;MD4;Krožnik"))

    assert await world.run("2026-11-21") is ExitCode.FAILED

    text = newest_english_mail(world)
    assert "This list is incomplete" in text
    assert "SI-101" in text
    (run,) = await world.runs()
    assert run.why is not None
    assert "line 4, order 4711 (it has 2 cells, the header 4)" in run.why


@pytest.mark.slow
async def test_check_and_orders_read_the_file(world: World) -> None:
    configure(world, 'location = "orders.csv"')
    file = world.folder / "orders.csv"
    file.write_text("\n".join([HEADER, *FIRST, ""]), encoding="utf-8")

    checked = await world.call("check", "--online")
    listed = await world.call("orders", "--format", "csv", "--columns", "order,items")
    filtered = await world.call("orders", "--format", "csv", "--filter", "order=si-101")
    file.unlink()
    gone = await world.call("check", "--online")

    assert checked.code == ExitCode.DONE, checked
    assert f"reads         {file}" in checked.out
    assert f"Mimovrste: 2 orders in {file}, 1 waiting" in checked.out
    assert '"Stanje" says "Na izpostavi" 1× (waits), "Na poti" 1×' in checked.out
    assert listed.out.splitlines()[1:] == ["ljubljana,SI-101,1 × Grelnik vode"]
    assert "SI-101" in filtered.out
    assert gone.code == ExitCode.TRY_LATER
    assert "does not exist; check the export" in gone.err
