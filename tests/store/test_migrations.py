"""A migration keeps all rows, and is complete or not begun if it is killed."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from notifier.domain.settings import StoreLocation
from notifier.store import open_store
from notifier.store.engine import sqlite_file, transaction, writing_engine
from notifier.store.identity import mark_file
from notifier.store.migrations import HEAD
from notifier.store.tables import metadata
from tests.factories import DAY
from tests.store import processes
from tests.store.first_schema import create_first_schema

ROOT = Path(__file__).parents[2]
FIRST_RUN = (
    "INSERT INTO runs (id, account_id, day, edition, state, begun_at, waiting) VALUES "
    "(1, 'ljubljana', '2026-11-22', 1, 'complete', '2026-11-22 12:00:00', 2)"
)
FIRST_MESSAGE = (
    "INSERT INTO messages (id, run_id, kind, message_id, recipient, envelope_from, language, "
    "subject, content, size, state, attempts, created_at) VALUES (1, 1, 'digest', "
    "'<1@example.com>', 'jana@example.com', 'parcels@example.com', 'en', 'Parcels', NULL, 9, "
    "'sent', 1, '2026-11-22 12:00:00')"
)


def make_first(location: StoreLocation) -> None:
    """Create a store as the first version of this program left it, with a run and a message."""
    engine = writing_engine(location.url)
    with transaction(engine, writes=True) as connection:
        create_first_schema(connection)
        for row in (FIRST_RUN, FIRST_MESSAGE):
            connection.execute(text(row))
    engine.dispose()
    # The first version wrote an empty mark.
    if file := sqlite_file(location.url):
        mark_file(file).touch()


async def opened(location: StoreLocation) -> list[tuple[str, str]]:
    """Open a store, which migrates it, and return its days and recipients."""
    async with open_store(location) as store:
        days = [run.day.isoformat() for run in await store.runs.list()]
        return list(zip(days, [one.recipient for one in await store.outbox.list()], strict=True))


EVERYTHING = [(DAY.isoformat(), "jana@example.com")]


def schema_of(location: StoreLocation) -> str:
    engine = create_engine(location.url)
    with engine.connect() as connection:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    engine.dispose()
    return str(version)


def test_a_store_of_the_first_version_is_brought_up_to_date(location: StoreLocation) -> None:
    make_first(location)

    assert asyncio.run(opened(location)) == EVERYTHING
    assert schema_of(location) == HEAD


@pytest.mark.parametrize("first", [True, False], ids=["migrated", "new"])
def test_a_migrated_store_and_a_new_one_have_the_tables_of_the_program(
    location: StoreLocation, *, first: bool
) -> None:
    if first:
        make_first(location)
    asyncio.run(opened(location))

    engine = create_engine(location.url)
    with engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert difference == []


def test_a_store_is_copied_before_its_migration(file: Path) -> None:
    location = StoreLocation(f"sqlite:///{file}")
    make_first(location)
    asyncio.run(opened(location))

    with closing(sqlite3.connect(f"{file}.before-{HEAD}")) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        assert copy.execute("SELECT recipient FROM messages").fetchone() == ("jana@example.com",)


@pytest.mark.slow
def test_a_migration_killed_at_any_statement_leaves_all_or_nothing_of_it(
    location: StoreLocation,
) -> None:
    make_first(location)
    seen = []
    for number in range(1, 200):
        died = processes.die_at_statement(number, location.url)
        seen.append(schema_of(location))
        if not died:
            break

    assert {"0001", HEAD} == set(seen)
    assert asyncio.run(opened(location)) == EVERYTHING


OPEN = """
import asyncio, sys
from notifier.domain.settings import StoreLocation
from notifier.store import open_store

async def main():
    async with open_store(StoreLocation(sys.argv[1])):
        pass

asyncio.run(main())
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace (Debian: strace)")
@pytest.mark.parametrize(
    ("call", "number"),
    [*(("pwrite64", number) for number in (1, 6, 24)), ("fdatasync", 1), ("fdatasync", 3)],
)
def test_a_migration_killed_at_a_system_call_leaves_all_or_nothing_of_it(
    file: Path, call: str, number: int
) -> None:
    location = StoreLocation(f"sqlite:///{file}")
    make_first(location)
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    strace = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
    killed = subprocess.run(
        [*strace, sys.executable, "-c", OPEN, location.url], cwd=ROOT, timeout=60, check=False
    )
    assert killed.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)

    assert asyncio.run(opened(location)) == EVERYTHING
