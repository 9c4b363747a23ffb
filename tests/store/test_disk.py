"""A full disk: nothing is sent that could not be recorded, and what was sent is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.domain.settings import StoreLocation
from notifier.store import open_store
from notifier.store.disk import BALLAST_BYTES, ballast_file
from tests.factories import DAY
from tests.store.small_disk import missing, on_a_disk

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.mark.parametrize(
    ("options", "hint"),
    [("size=2m", "at least 4096 KiB"), ("size=8m,nr_inodes=3", "no free inodes")],
)
def test_nothing_is_begun_on_a_disk_without_room(tmp_path: Path, options: str, hint: str) -> None:
    said = on_a_disk(options, tmp_path, "after the dot")

    assert said.startswith("StoreError 74")
    assert hint in said


def test_no_dot_is_sent_that_cannot_be_recorded(tmp_path: Path) -> None:
    said = on_a_disk("size=8m", tmp_path, "before the dot")

    assert said.startswith("opened\nStoreError 74")
    assert "disk is full" in said


def test_what_was_sent_is_recorded_on_a_full_disk(tmp_path: Path) -> None:
    said = on_a_disk("size=8m", tmp_path, "after the dot")

    assert said.startswith("opened\n{'sent'}, ballast: False\n")
    assert "the ballast was deleted; make space" in said


def test_a_copy_that_finds_no_room_is_a_warning_and_stops_nothing(tmp_path: Path) -> None:
    said = on_a_disk("size=8m", tmp_path, "a copy")

    assert said.startswith("opened\ncopied: False\nfrozen: complete\n")
    assert f"notifier.db.backup-{DAY} cannot be written: the disk is too full" in said


def test_a_disk_that_turned_read_only_is_read_and_refused_to_whoever_writes(
    tmp_path: Path,
) -> None:
    said = on_a_disk("size=16m", tmp_path, "read-only")

    assert said.startswith("read: 1\nStoreError 74")
    assert str(tmp_path / "notifier.db") in said


async def test_ballast_that_was_given_up_is_taken_on_again(file: Path) -> None:
    location = StoreLocation(f"sqlite:///{file}")
    async with open_store(location) as store:
        assert ballast_file(file).stat().st_size == BALLAST_BYTES
        ballast_file(file).unlink()
        await store.back_up(DAY)
        assert ballast_file(file).exists()
        ballast_file(file).unlink()
    async with open_store(location):
        assert ballast_file(file).exists()
