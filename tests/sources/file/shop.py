"""Files of orders for tests, and how to read them."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from notifier.domain.orders import Order
from notifier.domain.reading import Complete, Failed, Incomplete, Reading
from notifier.domain.settings import FileAccess, FileFormat, Secret
from notifier.http import HttpClient
from notifier.sources.file import OrderFile

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)

COLUMNS = {
    "id": "Order",
    "ready": "Status",
    "external_id": "Invoice",
    "tracking": "Parcel",
    "title": "Article",
    "sku": "No.",
    "quantity": "Pieces",
    "price": "Price",
    "cod": "COD",
    "shipped": "Shipped",
}

HEADER = "Order,Status,Invoice,Parcel,Article,No.,Pieces,Price,COD,Shipped"


def access(location: Path | str, **more: Any) -> FileAccess:
    """Return access to a CSV file in which the state "waits" means that an order waits."""
    plain = FileAccess(
        location=location if isinstance(location, Path) else Secret(location),
        format=FileFormat.CSV,
        columns=COLUMNS,
        timezone="Europe/Prague",
        ready_values=frozenset({"waits"}),
        collected_values=frozenset({"collected"}),
        currency="EUR",
        request_timeout=timedelta(seconds=5),
    )
    return replace(plain, **more)


def row(number: object, status: str = "waits", **more: str) -> str:
    """Return one line of the file."""
    cells = dict.fromkeys(COLUMNS, "") | {"id": str(number), "ready": status} | more
    return ",".join(cells.values())


def csv_file(folder: Path, *rows: str, header: str = HEADER, at: datetime = NOW) -> Path:
    """Write a file with these rows, an hour before `at`."""
    return written(folder / "orders.csv", "\n".join([header, *rows, ""]), at=at)


def written(file: Path, text: str | bytes, *, at: datetime = NOW) -> Path:
    """Write a file with this text, an hour before `at`."""
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    hour_ago = (at - timedelta(hours=1)).timestamp()
    os.utime(file, (hour_ago, hour_ago))
    return file


async def no_wait(_seconds: float) -> None:
    """Replace sleeping."""


NO_WEB = HttpClient()
"""One client for all local files: opening one costs more than reading a file."""


async def read(file: FileAccess, known: Collection[int] = (), *, now: datetime = NOW) -> Reading:
    return await OrderFile(file, NO_WEB, clock=lambda: now, sleep=no_wait).read(known)


async def orders(file: FileAccess) -> tuple[Order, ...]:
    """Return the orders of a complete reading."""
    reading = await read(file)
    assert isinstance(reading, Complete), reading
    return reading.orders


async def gap(file: FileAccess, known: Collection[int] = ()) -> Incomplete:
    reading = await read(file, known)
    assert isinstance(reading, Incomplete), reading
    return reading


async def why_not(file: FileAccess, *, now: datetime = NOW) -> str:
    """Return the reason of a failed reading, without the folder of the file."""
    reading = await read(file, now=now)
    assert isinstance(reading, Failed), reading
    folder = file.location.parent if isinstance(file.location, Path) else Path("/nowhere")
    return reading.why.replace(f"{folder}/", "")
