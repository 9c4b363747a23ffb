"""A shop that writes its orders into a file, and the notifier that reads it."""

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
    """A CSV file in which "waits" says that an order waits."""
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
    """One line of the file."""
    cells = dict.fromkeys(COLUMNS, "") | {"id": str(number), "ready": status} | more
    return ",".join(cells.values())


def csv_file(folder: Path, *rows: str, header: str = HEADER, at: datetime = NOW) -> Path:
    """A file with these rows, written an hour ago."""
    return written(folder / "orders.csv", "\n".join([header, *rows, ""]), at=at)


def written(file: Path, text: str | bytes, *, at: datetime = NOW) -> Path:
    """A file with this text, written an hour before `at`."""
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    hour_ago = (at - timedelta(hours=1)).timestamp()
    os.utime(file, (hour_ago, hour_ago))
    return file


async def no_wait(_seconds: float) -> None:
    """Waits for nothing."""


NO_WEB = HttpClient()
"""For files of this machine: to make one for each reading costs more than the reading."""


async def read(file: FileAccess, known: Collection[int] = (), *, now: datetime = NOW) -> Reading:
    return await OrderFile(file, NO_WEB, clock=lambda: now, sleep=no_wait).read(known)


async def orders(file: FileAccess) -> tuple[Order, ...]:
    """What waits, by a reading that is complete."""
    reading = await read(file)
    assert isinstance(reading, Complete), reading
    return reading.orders


async def gap(file: FileAccess, known: Collection[int] = ()) -> Incomplete:
    reading = await read(file, known)
    assert isinstance(reading, Incomplete), reading
    return reading


async def why_not(file: FileAccess, *, now: datetime = NOW) -> str:
    """Why nothing could be read, without the folder the file is in."""
    reading = await read(file, now=now)
    assert isinstance(reading, Failed), reading
    folder = file.location.parent if isinstance(file.location, Path) else Path("/nowhere")
    return reading.why.replace(f"{folder}/", "")
