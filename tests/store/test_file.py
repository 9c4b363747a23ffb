"""Opening the store: what is refused, and that it never starts from zero by mistake."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import sys
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, select

from notifier.domain.ledger import MessageState, Outcome
from notifier.domain.settings import StoreLocation
from notifier.errors import ExitCode, StoreBusy, StoreError
from notifier.store import Store, open_store
from notifier.store.engine import (
    reading_engine,
    sqlite_file,
    transaction,
    translate_errors,
    writing_engine,
)
from notifier.store.tables import audit, messages
from tests.factories import DAY, NOON, order
from tests.store.arrange import LEASE, freeze


def at(file: Path) -> StoreLocation:
    return StoreLocation(f"sqlite:///{file}")


async def make(file: Path) -> None:
    """Create a store with one run, and close it."""
    async with open_store(at(file)) as store:
        await freeze(store, "jana@example.com")


async def refusal(file: Path, *, read_only: bool = False) -> StoreError:
    with pytest.raises(StoreError) as caught:
        async with open_store(at(file), read_only=read_only, busy_seconds=0.05):
            pass
    return caught.value


@contextmanager
def writing(engine: Engine, file: Path) -> Iterator[Connection]:
    """Open a transaction whose errors are translated."""
    with translate_errors(str(file)), transaction(engine, writes=True) as connection:
        yield connection


async def test_the_store_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "notifier.db"
    await make(file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("busy_timeout", 5000),
    ],
)
def test_sqlite_has_the_safe_settings(file: Path, pragma: str, value: object) -> None:
    engine = writing_engine(at(file).url)
    with transaction(engine, writes=True) as connection:
        found = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
    engine.dispose()

    assert found == value


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("loss", ["emptied", "gone"])
async def test_a_lost_store_is_refused_and_not_replaced(
    file: Path, loss: str, *, read_only: bool
) -> None:
    await make(file)
    for path in file.parent.glob("notifier.db*"):
        if not path.name.endswith(".installed"):
            path.unlink()
    if loss == "emptied":
        file.touch()

    error = await refusal(file, read_only=read_only)

    assert error.exit_code is ExitCode.STORE
    assert str(file) in str(error)
    assert "backup" in str(error)


async def test_another_programs_database_is_refused_untouched(file: Path) -> None:
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.commit()
    other.close()
    before = file.read_bytes()

    error = await refusal(file)

    assert "not a store of this program" in str(error)
    assert file.read_bytes() == before


async def test_a_text_file_is_refused_untouched(file: Path) -> None:
    file.write_text("dear diary", encoding="utf-8")

    assert "not a store of this program" in str(await refusal(file))
    assert file.read_text(encoding="utf-8") == "dear diary"


async def test_a_store_whose_creation_was_killed_is_completed(file: Path) -> None:
    born = sqlite3.connect(file)
    born.execute("PRAGMA journal_mode=WAL")
    born.close()
    assert file.stat().st_size > 0

    await make(file)


async def test_a_store_that_another_process_creates_is_awaited(file: Path) -> None:
    maker = sqlite3.connect(file, isolation_level=None)
    maker.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.05, maker.close)

    await make(file)


@pytest.mark.parametrize("page", [2, 3, 5])
async def test_a_damaged_store_is_refused(file: Path, page: int) -> None:
    await make(file)
    sqlite3.connect(file).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * 4096)
        opened.write(b"\xff" * 512)

    error = await refusal(file)

    assert error.exit_code is ExitCode.STORE
    assert "backup" in str(error)


async def test_a_truncated_store_is_refused(file: Path) -> None:
    await make(file)
    sqlite3.connect(file).execute("PRAGMA wal_checkpoint(TRUNCATE)").connection.close()
    os.truncate(file, file.stat().st_size // 2)

    assert (await refusal(file)).exit_code is ExitCode.STORE


async def test_a_store_of_a_newer_version_is_refused(file: Path) -> None:
    await make(file)
    newer = sqlite3.connect(file)
    newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.commit()
    newer.close()

    for read_only in (False, True):
        assert "newer version" in str(await refusal(file, read_only=read_only))


async def test_a_locked_store_is_a_temporary_error(file: Path) -> None:
    await make(file)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        async with open_store(at(file), busy_seconds=0.05) as store:
            with pytest.raises(StoreBusy) as caught:
                await store.runs.begin("celje", DAY, at=NOON, lease=LEASE, holder="me")
    finally:
        holder.close()

    assert caught.value.temporary
    assert caught.value.exit_code is ExitCode.TRY_LATER


async def test_a_lock_in_postgresql_is_a_temporary_error_too(in_postgresql: StoreLocation) -> None:
    async with open_store(in_postgresql, busy_seconds=0.05) as store:
        await freeze(store, "jana@example.com")
        engine = create_engine(in_postgresql.url)
        with engine.begin() as holder:
            holder.execute(select(messages).with_for_update())
            with pytest.raises(StoreBusy):
                await store.outbox.claim(at=NOON, holder="me", lease=LEASE)
        engine.dispose()


async def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    # Nothing listens on port 1, so the connection is refused at once.
    location = StoreLocation("postgresql+psycopg://me:CANARY@127.0.0.1:1/notifier")

    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1/notifier") as caught:
        async with open_store(location):
            pass

    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["CANARY", "nosuch://me:CANARY@db.example/notifier"])
async def test_an_invalid_database_url_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(StoreError, match=r"store\.url") as caught:
        async with open_store(StoreLocation(url)):
            pass

    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


async def test_a_full_disk_is_reported(file: Path) -> None:
    await make(file)
    engine = writing_engine(at(file).url)
    row = {"at": NOON, "who": "x", "action": "x", "subject": "x" * 100_000}
    with engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA max_page_count=1")  # the file cannot grow
    with pytest.raises(StoreError, match="disk is full"), writing(engine, file) as connection:
        connection.execute(insert(audit).values(row))
    engine.dispose()


async def test_a_store_that_cannot_be_written_is_reported(file: Path) -> None:
    await make(file)
    engine = reading_engine(at(file).url)
    with pytest.raises(StoreError, match="cannot be written"), writing(engine, file) as connection:
        connection.exec_driver_sql("DELETE FROM runs")
    engine.dispose()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "store.path" in str(await refusal(tmp_path / "file" / "notifier.db"))


async def test_reading_creates_no_file_and_finds_nothing(file: Path) -> None:
    async with open_store(at(file), read_only=True) as store:
        assert await store.runs.list() == ()
        assert await store.outbox.pending() == 0

    assert list(file.parent.iterdir()) == []


async def test_reading_finds_nothing_before_a_store_is_created(location: StoreLocation) -> None:
    file = sqlite_file(location.url)
    if file:
        file.touch()

    async with open_store(location, read_only=True) as store:
        assert await store.runs.list() == ()
        assert await store.runs.snapshot_before("ljubljana", DAY) is None

    assert file is None or file.stat().st_size == 0


async def test_reading_sees_what_another_process_commits(location: StoreLocation) -> None:
    async with open_store(location) as writer, open_store(location, read_only=True) as reader:
        await freeze(writer)

        assert [run.waiting for run in await reader.runs.list()] == [2]


async def test_reading_cannot_write(file: Path) -> None:
    await make(file)
    async with open_store(at(file), read_only=True) as store:
        with pytest.raises(StoreError, match="reading only"):
            await store.runs.begin("celje", DAY, at=NOON, lease=LEASE, holder="me")


async def test_names_are_erased_from_the_file_and_its_journal_in_time(file: Path) -> None:
    async with open_store(at(file)) as store:
        for number in range(3):
            day = DAY + timedelta(days=number)
            canary = order(number + 1, external_id=f"CANARY-order-{number}")
            await freeze(store, "jana@example.com", day=day, orders=(canary,))
            found = await store.outbox.claim(at=NOON, holder="me", lease=LEASE)
            assert found is not None
            await store.outbox.settle(
                found,
                outcome=Outcome.ACCEPTED,
                state=MessageState.SENT,
                at=NOON,
                phase="dot",
                reply="250 ok",
            )
        assert await store.erase(NOON) == 0

        await store.erase(NOON + timedelta(days=7))

        raw = b"".join(path.read_bytes() for path in file.parent.iterdir())
        assert b"CANARY-body" not in raw
        assert b"CANARY-order-0" not in raw
        assert b"CANARY-order-2" in raw  # tomorrow's digest is compared with it
        assert [run.waiting for run in await store.runs.list()] == [1, 1, 1]


async def test_an_undelivered_body_is_erased_after_it_was_given_up(store: Store) -> None:
    await freeze(store, "jana@example.com", give_up_after=timedelta(days=1))
    (message,) = await store.outbox.list()

    assert await store.erase(NOON + timedelta(days=1)) == 0
    assert await store.erase(NOON + timedelta(days=1, seconds=1)) == 1

    erased = await store.outbox.get(message.id)
    assert erased is not None
    assert erased.content is None
    assert await store.outbox.claim(at=NOON, holder="me", lease=LEASE) is None


FRUGAL = """
import asyncio, sys
from notifier.domain.settings import StoreLocation
from notifier.store import open_store

async def main():
    async with open_store(StoreLocation(sys.argv[1])) as store:
        await store.runs.list()
    print([name for name in ("alembic", "psycopg") if name in sys.modules])

asyncio.run(main())
"""


async def test_a_store_that_is_up_to_date_opens_without_alembic_and_psycopg(
    file: Path,
) -> None:
    await make(file)

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FRUGAL, at(file).url, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)

    assert out == b"[]\n"


async def test_a_backup_taken_while_the_store_is_used_can_be_restored(
    file: Path, tmp_path: Path
) -> None:
    restored = tmp_path / "restored" / "notifier.db"
    restored.parent.mkdir()
    async with open_store(at(file)) as store:
        await freeze(store, "jana@example.com")
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(restored)) as target:
            source.backup(target)

    async with open_store(at(restored), adopting=True) as store:
        await store.take_over()

    async with open_store(at(restored)) as store:
        assert [(run.waiting, run.messages) for run in await store.runs.list()] == [(2, 1)]


def leave_half_written(file: Path) -> None:
    """Leave a file as a process does that is killed while SQLite keeps a rollback journal."""
    original = file.with_name("original")
    with closing(sqlite3.connect(original)) as connection:
        connection.executescript("PRAGMA cache_size=1; BEGIN; CREATE TABLE rows (value BLOB)")
        connection.executemany("INSERT INTO rows VALUES (zeroblob(3000))", [()] * 20)
        for end in ("", "-journal"):  # pages that did not fit the cache are in the file already
            copied = file.with_name(f"{file.name}{end}")
            copied.write_bytes(original.with_name(f"{original.name}{end}").read_bytes())
    assert file.stat().st_size


async def test_a_store_half_made_by_a_killed_run_is_made_by_the_next(file: Path) -> None:
    leave_half_written(file)

    assert "the next `notifier run` repairs it" in str(await refusal(file, read_only=True))
    await make(file)

    assert not file.with_name(f"{file.name}-journal").exists()
    async with open_store(at(file), read_only=True) as store:
        assert len(await store.runs.list()) == 1
