"""Backups of the store: complete, private, and deleted in time."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from notifier.domain.settings import StoreLocation
from notifier.store import open_store
from notifier.store.disk import daily_backup, daily_backups, outdated_copies
from tests.factories import DAY, NOON
from tests.store.arrange import freeze


def at(file: Path) -> StoreLocation:
    return StoreLocation(f"sqlite:///{file}")


async def test_a_backup_is_complete_private_and_made_once_a_day(file: Path) -> None:
    async with open_store(at(file)) as store:
        await freeze(store, "jana@example.com")
        assert await store.back_up(DAY)
        made_at = daily_backup(file, DAY).stat().st_mtime_ns
        assert not await store.back_up(DAY)

    assert daily_backup(file, DAY).stat().st_mtime_ns == made_at
    assert stat.S_IMODE(daily_backup(file, DAY).stat().st_mode) == 0o600
    with closing(sqlite3.connect(daily_backup(file, DAY))) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT recipient FROM messages").fetchall() == [("jana@example.com",)]
        # In WAL mode, opening the backup would create a journal beside it.
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)


async def test_seven_days_are_kept(file: Path) -> None:
    async with open_store(at(file)) as store:
        for number in range(9):
            await store.back_up(DAY + timedelta(days=number))

    assert list(daily_backups(file)) == [DAY + timedelta(days=number) for number in range(2, 9)]


async def test_a_backup_made_with_a_wrong_clock_is_deleted(file: Path) -> None:
    async with open_store(at(file)) as store:
        await store.back_up(date(2098, 1, 1))
        await store.back_up(DAY)

    assert list(daily_backups(file)) == [DAY]


async def test_unfinished_and_old_copies_are_deleted(
    file: Path,
) -> None:
    names = ("notifier.db.backup-2026-11-20.part-0a1b2c3d", "notifier.db.before-0002")
    week_ago = (datetime.combine(DAY, datetime.min.time(), UTC) - timedelta(days=8)).timestamp()
    for name in names:
        (file.parent / name).touch()
        os.utime(file.parent / name, (week_ago, week_ago))
    (file.parent / "notifier.db.before-0003").touch()
    today = (NOON - timedelta(hours=1)).timestamp()
    os.utime(file.parent / "notifier.db.before-0003", (today, today))

    assert sorted(path.name for path in outdated_copies(file, DAY)) == sorted(names)


async def test_a_backup_made_during_a_transaction_of_another_process_is_consistent(
    file: Path,
) -> None:
    async with open_store(at(file), busy_seconds=0.05) as store:
        await freeze(store, "jana@example.com")
        with closing(sqlite3.connect(file, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM messages")
            assert await store.back_up(DAY)
            writer.execute("ROLLBACK")
    with closing(sqlite3.connect(daily_backup(file, DAY))) as copy:
        assert copy.execute("SELECT count(*) FROM messages").fetchone() == (1,)


async def test_a_store_in_postgresql_has_no_backup_of_ours(in_postgresql: StoreLocation) -> None:
    async with open_store(in_postgresql) as store:
        assert not await store.back_up(DAY)
