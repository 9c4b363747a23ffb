"""A damaged store is never written to, and never replaced by an empty one."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from notifier.domain.settings import StoreLocation
from notifier.errors import ExitCode, StoreBusy, StoreError
from notifier.store import open_store
from tests.factories import DAY, NOON
from tests.neighbours import nobody
from tests.store.arrange import LEASE, freeze, message

ROOT = Path(__file__).parents[2]
PAGE = 4096
RECIPIENTS = tuple(f"r{number}@example.com" for number in range(40))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a store with a run and messages."""
    file = tmp_path_factory.mktemp("sound") / "notifier.db"
    asyncio.run(make(file))
    # All rows in the one file, or damage of a page could be hidden by the journal.
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.parent


async def make(file: Path) -> None:
    async with open_store(StoreLocation(f"sqlite:///{file}")) as store:
        await freeze(store, *RECIPIENTS)


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    """Return a copy of the sound store to damage, with its mark."""
    folder = tmp_path / "copy"
    shutil.copytree(sound, folder)
    return folder / "notifier.db"


def opened(file: Path) -> StoreError | None:
    """Open a store for writing, read its outbox and ledger, and return the error, if any."""

    async def use() -> None:
        async with open_store(StoreLocation(f"sqlite:///{file}"), busy_seconds=0.05) as store:
            await store.runs.list()
            for one in await store.outbox.list():
                found = await store.outbox.get(one.id)
                assert found
                assert found.content == message().content

    try:
        asyncio.run(use())
    except StoreError as error:
        return error
    return None


# Without this, every other test here could pass because of an unrelated error.
def test_the_sound_store_opens(copy: Path) -> None:
    assert opened(copy) is None


def pages(file: Path) -> range:
    return range(file.stat().st_size // PAGE)


def test_every_overwritten_page_is_found(copy: Path, sound: Path) -> None:
    sound_bytes = copy.read_bytes()
    missed = []
    for page in pages(copy):
        shutil.copytree(sound, copy.parent, dirs_exist_ok=True)
        start = page * PAGE
        copy.write_bytes(sound_bytes[:start] + b"\xff" * PAGE + sound_bytes[start + PAGE :])
        error = opened(copy)
        if error is None or error.exit_code is not ExitCode.STORE or str(copy) not in str(error):
            missed.append((page, error))

    assert missed == []


@pytest.mark.parametrize("offset", [0, 5, 8, 16, 18, 19, 21, 68, 100, 101, 103, 105])
def test_a_flipped_byte_of_the_head_stops_or_changes_nothing(copy: Path, offset: int) -> None:
    # Offsets in the header of 100 bytes and in the schema's root page (sqlite.org/fileformat.html).
    with copy.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ 0xFF]))

    error = opened(copy)

    assert error is None or error.exit_code in (ExitCode.STORE, ExitCode.CONFIG)
    assert error is not None or offset in (8, 18, 19)


@pytest.mark.parametrize(
    "length", [0, 1, 99, 100, 512, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, -PAGE, -1]
)
def test_a_truncated_store_is_refused_whatever_is_left_of_it(copy: Path, length: int) -> None:
    os.truncate(copy, length if length >= 0 else copy.stat().st_size + length)

    error = opened(copy)

    assert error is not None
    assert error.exit_code is ExitCode.STORE
    assert str(copy) in str(error)


def test_a_store_without_its_journal_is_older_than_its_mark(tmp_path: Path) -> None:
    file = tmp_path / "notifier.db"

    async def killed() -> None:
        async with open_store(StoreLocation(f"sqlite:///{file}")) as store:
            with closing(sqlite3.connect(file)) as reader:  # keeps the journal from being emptied
                reader.execute("BEGIN")
                reader.execute("SELECT * FROM runs").fetchall()
                await freeze(store, "jana@example.com")
                for path in tmp_path.iterdir():
                    if path.is_file() and not path.name.endswith(("-wal", "-shm")):
                        shutil.copy(path, tmp_path / "killed")

    (tmp_path / "killed").mkdir()
    asyncio.run(killed())

    error = opened(tmp_path / "killed" / "notifier.db")

    assert error is not None
    assert str(tmp_path / "killed") in str(error)


@contextmanager
def read_only(folder: Path) -> Iterator[list[str]]:
    """Yield a command prefix that runs a command as a user with read access to the folder."""
    for path in (folder, *folder.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield [*nobody.AS_NOBODY]
    folder.chmod(0o755)


OPEN = """
import asyncio, sys
from notifier.errors import StoreError
from notifier.domain.settings import StoreLocation
from notifier.store import open_store

async def main():
    location, read_only = StoreLocation(f"sqlite:///{sys.argv[1]}"), len(sys.argv) > 2
    async with open_store(location, read_only=read_only) as store:
        print(len(await store.runs.list()), len(await store.outbox.list()))

try:
    asyncio.run(main())
except StoreError as error:
    sys.exit(f"{int(error.exit_code)} {error}")
"""
"""Prints the numbers of runs and messages, or the exit code and the text of the error."""


@pytest.fixture
def shown(sound: Path) -> Iterator[Path]:
    """Yield a store in a folder that every user may read."""
    # pytest's own temporary folders are open to their owner only.
    with tempfile.TemporaryDirectory(dir="/tmp") as where:
        folder = Path(where) / "copy"
        shutil.copytree(sound, folder)
        Path(where).chmod(0o755)
        yield folder / "notifier.db"


def opened_by_another(file: Path, *how: str) -> subprocess.CompletedProcess[str]:
    with read_only(file.parent) as as_another:
        program = (*as_another, sys.executable, "-c", OPEN, str(file), *how)
        return subprocess.run(
            program, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
        )


played = pytest.mark.skipif(nobody.why_not() is not None, reason=str(nobody.why_not()))


@played
def test_writing_without_permission_names_the_owner_as_the_cause(shown: Path) -> None:
    finished = opened_by_another(shown)

    assert finished.stderr.startswith("74 "), finished.stderr
    assert f"{shown} cannot be used (Permission denied)" in finished.stderr
    assert "the owner of the file and its folder" in finished.stderr


@played
def test_a_reader_needs_no_write_access(shown: Path) -> None:
    before = sorted(path.name for path in shown.parent.iterdir())

    finished = opened_by_another(shown, "to read")

    assert (finished.stdout, finished.stderr) == (f"1 {len(RECIPIENTS)}\n", "")
    assert sorted(path.name for path in shown.parent.iterdir()) == before


@played
def test_a_reader_without_write_access_reads_the_journal_of_another_process(shown: Path) -> None:
    with closing(sqlite3.connect(shown, isolation_level=None)) as writer:
        writer.execute("DELETE FROM runs")  # only in the journal while this is open

        finished = opened_by_another(shown, "to read")

    assert (finished.stdout, finished.stderr) == (f"0 {len(RECIPIENTS)}\n", "")


@played
def test_a_journal_that_needs_write_access_is_refused_with_the_way_out(
    shown: Path,
) -> None:
    with closing(sqlite3.connect(shown, isolation_level=None)) as writer:
        writer.execute("DELETE FROM runs")
        rows = shown.with_name("notifier.db-wal").read_bytes()
    shown.with_name("notifier.db-wal").write_bytes(rows)  # as a process that was killed leaves it

    finished = opened_by_another(shown, "to read")

    assert finished.stderr.startswith(f"74 {shown} cannot be read without write access to its")
    assert (
        "run this command as the owner of the store, or copy notifier.db and notifier.db-wal"
        in (finished.stderr)
    )


@played
def test_a_store_without_read_access_is_refused(shown: Path) -> None:
    shown.parent.chmod(0o755)
    shown.chmod(0o600)
    program = (*nobody.AS_NOBODY, sys.executable, "-c", OPEN, str(shown), "to read")
    finished = subprocess.run(
        program, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )

    assert finished.stderr.startswith("74 "), finished.stderr
    assert "check that this user may read the file" in finished.stderr


def test_a_folder_in_place_of_the_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notifier.db"
    file.mkdir()

    error = opened(file)

    assert error is not None
    assert error.exit_code is ExitCode.STORE
    assert str(file) in str(error)


@pytest.mark.parametrize("lock", ["BEGIN IMMEDIATE", "PRAGMA locking_mode=EXCLUSIVE"])
def test_a_locked_store_is_a_temporary_error(copy: Path, lock: str) -> None:
    async def use() -> None:
        location = StoreLocation(f"sqlite:///{copy}")
        async with open_store(location, busy_seconds=0.05) as store:
            await store.runs.begin("celje", DAY, at=NOON, lease=LEASE, holder="me")

    with closing(sqlite3.connect(copy, isolation_level=None)) as holder:
        holder.execute(lock)
        holder.execute("SELECT * FROM runs").fetchall()
        with pytest.raises(StoreBusy) as caught:
            asyncio.run(use())

    assert caught.value.exit_code is ExitCode.TRY_LATER
    assert str(copy) in str(caught.value)
