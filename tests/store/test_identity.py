"""A store that was copied, moved or restored is refused until a person adopts it."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat
from pathlib import Path

import pytest

from notifier.domain.ledger import MessageState
from notifier.domain.settings import StoreLocation
from notifier.errors import ExitCode, StoreMoved
from notifier.store import open_store
from notifier.store.identity import (
    UNREADABLE,
    Identity,
    compare,
    mark_file,
    read_mark,
    this_machine,
)
from tests.factories import DAY, NOON
from tests.store.arrange import freeze

HERE, THERE = "hash of this machine", "hash of another"


def at(file: Path, machine: str = "a-machine-of-its-own") -> StoreLocation:
    return StoreLocation(f"sqlite:///{file}", identity=machine)


async def make(file: Path) -> None:
    async with open_store(at(file)) as store:
        await freeze(store, "jana@example.com")


async def refusal(location: StoreLocation) -> StoreMoved:
    with pytest.raises(StoreMoved) as caught:
        async with open_store(location):
            pass
    return caught.value


def known(generation: int = 3, *, store: str = "a", machine: str | None = HERE) -> Identity:
    return Identity(store, machine, generation)


@pytest.mark.parametrize(
    ("stored", "mark", "machine", "why"),
    [
        pytest.param(None, None, HERE, None, id="a new store"),
        pytest.param(known(), known(), HERE, None, id="as it was left"),
        pytest.param(known(4), known(3), HERE, None, id="killed before the mark"),
        pytest.param(known(0), None, HERE, None, id="killed before the first mark"),
        pytest.param(known(3), None, HERE, "without its mark", id="the file alone"),
        pytest.param(known(2), known(3), HERE, "older", id="a restored backup"),
        pytest.param(None, known(3), HERE, "older", id="a backup from before identities"),
        pytest.param(known(), known(store="b"), HERE, "not the store", id="another store"),
        pytest.param(known(), known(), THERE, "another machine", id="a cloned machine"),
        pytest.param(known(), known(), None, "another machine", id="a machine that lost its id"),
        pytest.param(known(), UNREADABLE, HERE, "cannot be read", id="a broken mark"),
        pytest.param(
            known(machine=None), known(machine=None), None, None, id="no machine id at all"
        ),
        pytest.param(
            known(2, machine=None), known(3, machine=None), None, "older", id="the mark alone"
        ),
    ],
)
def test_a_store_must_match_its_machine_and_its_mark(
    stored: Identity | None, mark: Identity | None, machine: str | None, why: str | None
) -> None:
    found = compare(stored, mark, machine)

    assert found is None if why is None else why in (found or "")


def test_a_machine_is_identified_by_its_name_or_else_by_its_id(tmp_path: Path) -> None:
    empty, first, second = (tmp_path / name for name in ("empty", "first", "second"))
    empty.touch()
    first.write_text("0123456789abcdef0123456789abcdef\n", encoding="ascii")
    second.write_text("uninitialized\n", encoding="ascii")

    by_id = this_machine(None, (tmp_path / "none", empty, second, first))

    assert by_id == this_machine(None, (first,))
    assert by_id is not None
    assert "0123456789abcdef" not in by_id
    assert this_machine("web-1", (first,)) not in (by_id, this_machine("web-2", (first,)))
    assert this_machine(None, (empty, second)) is None


async def test_the_id_of_the_machine_is_nowhere_in_the_store(file: Path) -> None:
    await make(file)

    raw = b"".join(path.read_bytes() for path in file.parent.iterdir())

    assert b"a-machine-of-its-own" not in raw


async def test_a_store_on_another_machine_is_refused_and_left_as_it_was(file: Path) -> None:
    await make(file)
    before = file.read_bytes()

    error = await refusal(at(file, "there"))

    assert error.exit_code is ExitCode.CONFIG
    assert str(file) in str(error)
    assert "notifier adopt" in str(error)
    assert file.read_bytes() == before


async def test_a_restored_backup_is_refused(file: Path) -> None:
    async with open_store(at(file)) as store:
        await freeze(store, "jana@example.com")
        assert await store.back_up(DAY)
    backup = file.with_name(f"{file.name}.backup-{DAY}")
    # The journal belongs to the lost store, and would damage the restored one.
    for journal in ("-wal", "-shm"):
        file.with_name(f"{file.name}{journal}").unlink(missing_ok=True)
    shutil.copy(backup, file)

    assert "older" in str(await refusal(at(file)))


async def test_a_copy_without_its_mark_is_refused(file: Path, tmp_path: Path) -> None:
    await make(file)
    copied = tmp_path / "copied" / file.name
    copied.parent.mkdir()
    shutil.copy(file, copied)

    assert "without its mark" in str(await refusal(at(copied)))


async def test_reading_a_store_of_another_machine_only_warns(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await make(file)

    async with open_store(at(file, "there"), read_only=True) as store:
        assert len(await store.runs.list()) == 1

    assert "notifier adopt" in caplog.text


async def test_the_mark_follows_the_store_and_is_private(file: Path) -> None:
    async with open_store(at(file)) as store:
        first = read_mark(file)
        await freeze(store, "jana@example.com")
        second = read_mark(file)
        await store.erase(NOON)
        third = read_mark(file)

    assert first
    assert second
    assert third
    assert [first.generation, second.generation, third.generation] == [0, 1, 2]
    assert stat.S_IMODE(mark_file(file).stat().st_mode) == 0o600
    assert set(json.loads(mark_file(file).read_text())) == {"store", "machine", "generation"}


async def test_an_old_mark_is_updated_to_the_store(file: Path) -> None:
    async with open_store(at(file)) as store:
        old = mark_file(file).read_bytes()
        await freeze(store, "jana@example.com")
    mark_file(file).write_bytes(old)

    async with open_store(at(file)):
        pass

    assert read_mark(file) != json.loads(old)
    assert (read_mark(file) or UNREADABLE).generation == 1


async def test_an_adopted_store_holds_its_pending_messages_and_opens(
    file: Path,
) -> None:
    await make(file)

    async with open_store(at(file, "there"), adopting=True) as store:
        held = await store.outbox.hold_all(NOON)
        await store.take_over()
    async with open_store(at(file, "there")) as store:
        messages = await store.outbox.list()

    assert [message.recipient for message in held] == ["jana@example.com"]
    assert [message.state for message in messages] == [MessageState.HELD]
    await refusal(at(file))


async def test_an_unfinished_adoption_leaves_the_store_refused(file: Path) -> None:
    await make(file)

    async with open_store(at(file, "there"), adopting=True) as store:
        await store.outbox.hold_all(NOON)

    await refusal(at(file, "there"))


async def test_one_store_in_postgresql_serves_many_machines(in_postgresql: StoreLocation) -> None:
    for machine in ("here", "there"):
        async with open_store(StoreLocation(in_postgresql.url, identity=machine)) as store:
            await store.runs.list()


async def test_four_processes_that_create_the_store_at_once_agree_on_its_identity(
    file: Path,
) -> None:
    async def opened(number: int) -> None:
        async with open_store(at(file)) as store:
            await freeze(store, edition=number)

    await asyncio.gather(*(opened(number) for number in range(1, 5)))

    async with open_store(at(file)):
        assert (read_mark(file) or UNREADABLE).generation == 4
